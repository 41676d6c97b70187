"""Settings: everything an operator may decide, read from the environment here and nowhere else.

The values are handed down from `server`; no module below it knows that an environment exists.
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from server.errors import OperatorError

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8000
DEFAULT_POOL_SIZE: Final = 8
DEFAULT_TIMELINE_DAYS: Final = 7
TIMELINE_DAYS_MIN: Final = 2  # today, wherever the venue is, and whoever looks at it, is never folded
TIMELINE_DAYS_MAX: Final = 3_650
POOL_SIZE_MAX: Final = 200
SECRET_LENGTH_MIN: Final = 32  # characters; a shorter HMAC key than its hash is weaker than the hash
SECRETS_MAX: Final = 8  # every one of them is tried on every token

ROOT_STATE_DIR: Final = Path("/var/lib/vacancy")

POSTGRES_SCHEMES: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


class SettingsError(OperatorError):
    """A variable of the environment has a value that cannot be used; the message names the variable."""


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

    embedded_pg_bin: Path | None = None
    """EMBEDDED_PG_BIN: a folder with PostgreSQL 18's `postgres`, `initdb` and `psql`, not the wheel's."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Settings":
        """The settings that `env` asks for. A variable that is set but empty counts as not set.

        Raises SettingsError, which names the variable, for any value that could not work.
        """
        read = _Reader(env)
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
        }
        return {name: "" if value is None else str(value) for name, value in values.items()}

    def __repr__(self) -> str:
        """Every field, with secrets and passwords left out, so that a log line may hold it."""
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
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


class _Reader:
    """Reads and checks one variable at a time; each error names it, and none shows a secret."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(self, name: str) -> str | None:
        value = self._env.get(name, "").strip()
        return value or None

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        # int() would also read "1_000", "+1" and digits of other scripts.
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    def host(self, name: str, default: str) -> str:
        text = self.text(name) or default
        if any(character.isspace() or character in "/@?#[]" for character in text):
            raise SettingsError(f"{name} must be a host name or an address such as 127.0.0.1, not {text!r}")
        return text

    def folder(self, name: str) -> Path | None:
        text = self.text(name)
        if text is None:
            return None
        if "\0" in text:
            raise SettingsError(f"{name} is no path: it holds a NUL character")
        # No shell expands ~ in a compose file; and a relative path must mean the same in child processes.
        try:
            return Path(text).expanduser().absolute()
        except RuntimeError:
            raise SettingsError(f"{name} begins with a ~ that stands for no known home folder") from None

    def postgres_url(self, name: str) -> str | None:
        text = self.text(name)
        if text is None:
            return None
        example = "postgresql://user:password@host:5432/database"
        parts = _split(name, text, POSTGRES_SCHEMES, example)
        if not parts.path.strip("/"):
            raise SettingsError(f"{name} names no database; it looks like {example}")
        return "postgresql" + text[len(parts.scheme) :]

    def redis_url(self, name: str) -> str | None:
        text = self.text(name)
        if text is None:
            return None
        _split(name, text, REDIS_SCHEMES, "redis://host:6379/0")
        return text

    def secrets(self, name: str) -> tuple[str, ...]:
        text = self.text(name)
        if text is None:
            return ()
        secrets = tuple(part.strip() for part in text.split(","))
        if len(secrets) > SECRETS_MAX:
            raise SettingsError(f"{name} holds {len(secrets)} secrets; at most {SECRETS_MAX} are tried")
        for position, secret in enumerate(secrets, start=1):
            if len(secret) < SECRET_LENGTH_MIN:
                raise SettingsError(
                    f"{name}: secret {position} of {len(secrets)} has {len(secret)} characters; "
                    f"each needs at least {SECRET_LENGTH_MIN}"
                )
        return secrets

    def oidc(self) -> tuple[str, str, str] | tuple[None, None, None]:
        """URL, issuer and audience: all or none, for a key alone does not say whose token is meant for us."""
        names = ("VACANCY_OIDC_JWKS_URL", "VACANCY_OIDC_ISSUER", "VACANCY_OIDC_AUDIENCE")
        url, issuer, audience = (self.text(name) for name in names)
        if url is None and issuer is None and audience is None:
            return None, None, None
        if url is None or issuer is None or audience is None:
            missing = [name for name in names if self.text(name) is None]
            raise SettingsError(f"{' and '.join(missing)} must be set: {', '.join(names)} belong together")
        parts = _split(names[0], url, frozenset({"https", "http"}), "https://login.example.com/jwks.json")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            # Whoever can change this answer on its way can sign in as anyone.
            raise SettingsError(f"{names[0]} must begin with https://")
        return url, issuer, audience


def _split(name: str, url: str, schemes: frozenset[str], example: str) -> SplitResult:
    """The parts of a URL whose port and scheme can be used; the message never repeats the URL's password."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise SettingsError(f"{name} is no URL that can be read; it looks like {example}") from None
    if parts.scheme not in schemes or not url.startswith(f"{parts.scheme}://"):
        raise SettingsError(f"{name} must begin with one of {_listed(schemes)}; it looks like {example}")
    return parts


def _listed(schemes: frozenset[str]) -> str:
    return ", ".join(f"{scheme}://" for scheme in sorted(schemes))


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _default_state_dir(read: _Reader) -> Path:
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
