"""Settings: everything an operator may decide, read from the environment here and nowhere else.

The values are handed down from `server`; no module below it knows that an environment exists.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from server.environment import Reader, SettingsError
from server.payment_settings import PaymentSettings

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8000
DEFAULT_POOL_SIZE: Final = 8
DEFAULT_TIMELINE_DAYS: Final = 7
TIMELINE_DAYS_MIN: Final = 2  # today, wherever the venue is, and whoever looks at it, is never folded
TIMELINE_DAYS_MAX: Final = 3_650
POOL_SIZE_MAX: Final = 200

ROOT_STATE_DIR: Final = Path("/var/lib/vacancy")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """What one process of Vacancy was told to do. Immutable; printing it shows no secret and no password."""

    host: str = DEFAULT_HOST
    """VACANCY_HOST: the address that the server listens on."""

    port: int = DEFAULT_PORT
    """VACANCY_PORT: the TCP port that the server listens on."""

    state_dir: Path
    """VACANCY_STATE_DIR: the folder for the embedded servers' data and the generated secret; absolute.

    By default /var/lib/vacancy for root, and `vacancy` in the XDG state folder for anyone else.
    """

    database_url: str | None = None
    """DATABASE_URL: PostgreSQL, as the role the application uses. Always begins with `postgresql://`.

    None: `vacancy run` starts its own, and the other commands use the one that `vacancy run` started.
    """

    migration_database_url: str | None = None
    """MIGRATION_DATABASE_URL: the same database as the role that owns the tables; by default DATABASE_URL."""

    redis_url: str | None = None
    """REDIS_URL: Redis or Valkey, which carries the live updates.

    None: `vacancy run` starts its own Valkey; elsewhere updates are read from the database, seconds later.
    """

    secrets: tuple[str, ...] = ()
    """VACANCY_SECRET: keys of the tokens that we issue, comma separated. The first signs, all verify.

    Empty: a key is generated once and kept in the state folder.
    """

    oidc_jwks_url: str | None = None
    """VACANCY_OIDC_JWKS_URL: where the identity provider publishes its keys. None: only our tokens count."""

    oidc_issuer: str | None = None
    """VACANCY_OIDC_ISSUER: the `iss` that the provider's tokens must carry; set exactly when the URL is."""

    oidc_audience: str | None = None
    """VACANCY_OIDC_AUDIENCE: the `aud` that the provider's tokens must carry; set exactly when the URL is."""

    database_pool_size: int = DEFAULT_POOL_SIZE
    """VACANCY_DATABASE_POOL_SIZE: the most database connections that one process keeps."""

    timeline_days: int = DEFAULT_TIMELINE_DAYS
    """VACANCY_TIMELINE_DAYS: for how many days timelines keep their past; what is older is shown as closed."""

    keep_timelines: bool = True
    """VACANCY_KEEP_TIMELINES: whether a server keeps the timelines that it has read (1), or not (0)."""

    metrics_port: int | None = None
    """VACANCY_METRICS_PORT: where a worker answers /metrics. None: nowhere. A server does so on its own port."""

    log_requests: bool = False
    """VACANCY_LOG_REQUESTS: whether a server logs a line for each request (1), or none but what goes wrong (0)."""

    payments: PaymentSettings = field(default_factory=PaymentSettings)
    """Whether money is collected online, and by which account of the payment provider."""

    embedded_pg_bin: Path | None = None
    """EMBEDDED_PG_BIN: a folder with PostgreSQL 18's `postgres`, `initdb` and `psql`, not the wheel's."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Settings":
        """The settings that `env` asks for. A variable that is set but empty counts as not set.

        Raises SettingsError, which names the variable, for any value that could not work.
        """
        read = Reader(env)
        database_url = read.postgres_url("DATABASE_URL")
        migration_database_url = read.postgres_url("MIGRATION_DATABASE_URL")
        if migration_database_url is not None and database_url is None:
            raise SettingsError("MIGRATION_DATABASE_URL is set but DATABASE_URL is not: set both, or neither")
        jwks_url, issuer, audience = read.oidc()
        return cls(
            host=read.host("VACANCY_HOST", DEFAULT_HOST),
            port=read.integer("VACANCY_PORT", DEFAULT_PORT, least=1, most=65_535),
            state_dir=read.folder("VACANCY_STATE_DIR") or _default_state_dir(read),
            database_url=database_url,
            migration_database_url=migration_database_url or database_url,
            redis_url=read.redis_url("REDIS_URL"),
            secrets=read.secrets("VACANCY_SECRET"),
            oidc_jwks_url=jwks_url,
            oidc_issuer=issuer,
            oidc_audience=audience,
            database_pool_size=read.integer(
                "VACANCY_DATABASE_POOL_SIZE", DEFAULT_POOL_SIZE, least=1, most=POOL_SIZE_MAX
            ),
            timeline_days=read.integer(
                "VACANCY_TIMELINE_DAYS", DEFAULT_TIMELINE_DAYS, least=TIMELINE_DAYS_MIN, most=TIMELINE_DAYS_MAX
            ),
            keep_timelines=bool(read.integer("VACANCY_KEEP_TIMELINES", 1, least=0, most=1)),
            metrics_port=read.integer("VACANCY_METRICS_PORT", 0, least=1, most=65_535) or None,
            log_requests=bool(read.integer("VACANCY_LOG_REQUESTS", 0, least=0, most=1)),
            payments=PaymentSettings.read_from(read),
            embedded_pg_bin=read.folder("EMBEDDED_PG_BIN"),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` makes these settings again: how a child gets them."""
        values: dict[str, object] = {
            "VACANCY_HOST": self.host,
            "VACANCY_PORT": self.port,
            "VACANCY_STATE_DIR": self.state_dir,
            "DATABASE_URL": self.database_url,
            "MIGRATION_DATABASE_URL": self.migration_database_url,
            "REDIS_URL": self.redis_url,
            "VACANCY_SECRET": ",".join(self.secrets),
            "VACANCY_OIDC_JWKS_URL": self.oidc_jwks_url,
            "VACANCY_OIDC_ISSUER": self.oidc_issuer,
            "VACANCY_OIDC_AUDIENCE": self.oidc_audience,
            "VACANCY_DATABASE_POOL_SIZE": self.database_pool_size,
            "VACANCY_TIMELINE_DAYS": self.timeline_days,
            "VACANCY_KEEP_TIMELINES": int(self.keep_timelines),
            "VACANCY_METRICS_PORT": self.metrics_port,
            "VACANCY_LOG_REQUESTS": int(self.log_requests),
            "EMBEDDED_PG_BIN": self.embedded_pg_bin,
            **self.payments.to_variables(),
        }
        return {name: "" if value is None else str(value) for name, value in values.items()}

    def __repr__(self) -> str:
        """Every field, with secrets and passwords left out, so that a log line may hold it."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        shown["secrets"] = tuple("***" for _ in self.secrets)
        for name in ("database_url", "migration_database_url", "redis_url", "oidc_jwks_url"):
            shown[name] = shown[name] and without_password(shown[name])
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def without_password(url: str) -> str:
    """`url` with any password replaced by ***, in the user part and in the query, for messages and logs."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    if ":" in user:
        user = user.partition(":")[0] + ":***"
    query = urlencode(
        [(name, "***" if "password" in name else value) for name, value in parse_qsl(parts.query)], safe="/*"
    )
    masked = urlunsplit(parts._replace(netloc=f"{user}{at}{place}", query=query))
    # urlunsplit writes `unix:/path` for `unix:///path`, which clients do not read.
    return masked if not url.startswith(f"{parts.scheme}:///") else masked.replace(":/", ":///", 1)


def _default_state_dir(read: Reader) -> Path:
    if os.geteuid() == 0:
        return ROOT_STATE_DIR
    xdg = read.text("XDG_STATE_HOME")
    # The XDG specification: a relative path is to be ignored.
    if xdg is not None and Path(xdg).is_absolute():
        return Path(xdg) / "vacancy"
    home = read.folder("HOME")
    if home is None:
        raise SettingsError("VACANCY_STATE_DIR must be set: without HOME there is no place to choose for it")
    return home / ".local" / "state" / "vacancy"
