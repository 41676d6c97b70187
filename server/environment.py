"""Variables of the environment, read and checked one at a time."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from server.errors import OperatorError

SECRET_LENGTH_MIN: Final = 32  # characters; a shorter HMAC key than its hash is weaker than the hash
SECRETS_MAX: Final = 8  # every one of them is tried on every token

POSTGRES_SCHEMES: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


class SettingsError(OperatorError):
    """A variable of the environment has a value that cannot be used; the message names the variable."""


class Reader:
    """Reads and checks one variable at a time; each error names it, and none shows a secret."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(self, name: str) -> str | None:
        """What the variable holds; None if it is not set, or empty."""
        value = self._env.get(name, "").strip()
        return value or None

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number in decimal digits, within the bounds."""
        text = self.text(name)
        if text is None:
            return default
        # int() would also read "1_000", "+1" and digits of other scripts.
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    def switch(self, name: str, default: bool) -> bool:
        """Whether the variable says `on`; the other word is `off`."""
        text = self.text(name)
        if text not in (None, "on", "off"):
            raise SettingsError(f"{name} must be on or off, not {text!r}")
        return default if text is None else text == "on"

    def host(self, name: str, default: str) -> str:
        """A host name or an address."""
        text = self.text(name) or default
        if any(character.isspace() or character in "/@?#[]" for character in text):
            raise SettingsError(f"{name} must be a host name or an address such as 127.0.0.1, not {text!r}")
        return text

    def folder(self, name: str) -> Path | None:
        """A folder, absolute; it need not exist."""
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
        """The URL of a database; it always begins with `postgresql://`."""
        text = self.text(name)
        if text is None:
            return None
        example = "postgresql://user:password@host:5432/database"
        parts = _split(name, text, POSTGRES_SCHEMES, example)
        if not parts.path.strip("/"):
            raise SettingsError(f"{name} names no database; it looks like {example}")
        return "postgresql" + text[len(parts.scheme) :]

    def redis_url(self, name: str) -> str | None:
        """The URL of a Redis."""
        text = self.text(name)
        if text is None:
            return None
        _split(name, text, REDIS_SCHEMES, "redis://host:6379/0")
        return text

    def secrets(self, name: str) -> tuple[str, ...]:
        """Secrets, comma separated, each long enough to sign with."""
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
