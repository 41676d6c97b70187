"""Tokens that we sign ourselves: accounts' tokens (JWT), and the tokens that open one booking, entry or series.

Both are signed with keys derived from the same secret, one per purpose, so that one can never be taken for the other.
Of several secrets the first signs and all verify: put a new one in front, and take the old one away when what it has
signed has expired.
"""

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from sqlmodel import select

from engine.viewer import Role
from models.database import connect
from models.keys import BookingKey, EntryKey, SeriesKey
from models.venue import Directory, DirectoryKind
from server.errors import OperatorError
from server.settings import Settings

ISSUER: Final = "vacancy"
ALGORITHM: Final = "HS256"
CLOCK_SKEW_SECONDS: Final = 10

SIGNATURE_BYTES: Final = 24  # 192 bits of HMAC-SHA256: not to be guessed, and the token still fits a link
IDS_BYTES: Final = 32
BOOKING_TOKEN_FORM: Final = re.compile(r"[A-Za-z0-9_-]{75}")


class AccountTokens:
    """Signs and verifies the JWTs of this instance's own accounts: HS256, issuer "vacancy"."""

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [derived_key(secret, "account token v1") for secret in secrets]
        self._signing_id = _fingerprint(keys[0])
        self._keys = {_fingerprint(key): key for key in keys}

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims; `iss` is added, and the header names the key by a fingerprint."""
        key = self._keys[self._signing_id]
        return jwt.encode({**claims, "iss": ISSUER}, key, algorithm=ALGORITHM, headers={"kid": self._signing_id})

    def verify(self, token: str, key_id: str | None) -> dict[str, Any]:
        """The claims of a token that one of the secrets has signed. Raises jwt.InvalidTokenError for any other."""
        key = self._keys.get(key_id or "")
        if key is None:
            raise jwt.InvalidTokenError("signed with a key that is not ours")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
        )
        return claims


class SignedBookingTokens:
    """Implements `engine.ports.BookingTokens`: organization, what it opens, and an HMAC of both, in 75 characters.

    It never expires by itself: what it opens is one booking, entry or series, whose state decides what can still be
    done. The keys of the three kinds differ, so that no token of one is taken for one of another.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._booking_keys = [derived_key(secret, "booking token v1") for secret in secrets]
        self._entry_keys = [derived_key(secret, "waitlist token v1") for secret in secrets]
        self._series_keys = [derived_key(secret, "series token v1") for secret in secrets]

    def issue(self, key: BookingKey) -> str:
        """The token of a booking, always the same while the secret is."""
        return _issue(self._booking_keys, key)

    def verify(self, token: str) -> BookingKey | None:
        """The booking that the token opens, or None for whatever is no token of ours. Never raises."""
        ids = _verify(self._booking_keys, token)
        return None if ids is None else BookingKey(*ids)

    def issue_entry(self, key: EntryKey) -> str:
        """The token of an entry, always the same while the secret is."""
        return _issue(self._entry_keys, key)

    def verify_entry(self, token: str) -> EntryKey | None:
        """The entry that the token opens, or None for whatever is no token of ours. Never raises."""
        ids = _verify(self._entry_keys, token)
        return None if ids is None else EntryKey(*ids)

    def issue_series(self, key: SeriesKey) -> str:
        """The token of a series, always the same while the secret is."""
        return _issue(self._series_keys, key)

    def verify_series(self, token: str) -> SeriesKey | None:
        """The series that the token opens, or None for whatever is no token of ours. Never raises."""
        ids = _verify(self._series_keys, token)
        return None if ids is None else SeriesKey(*ids)


async def issue(settings: Settings, *, role: str, organization: str | None, subject: str | None, hours: float) -> str:
    """A token for an account of this instance: what `vacancy token` prints.

    `organization` is a slug; every role but an operator's needs one. `subject` names the bearer (by default the role).
    Raises OperatorError when the role needs an organization, or there is none of that name.
    """
    found = _role(role)
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "sub": subject or found.lower(),
        "role": found,
        "iat": now,
        "exp": now + timedelta(hours=hours),
    }
    if organization is not None:
        claims["org"] = str(await _organization_id(settings, organization))
    elif found is not Role.OPERATOR:
        raise OperatorError(f"A token for {found.lower()} needs an organization: name it with --organization SLUG")
    return AccountTokens(settings.secrets).sign(claims)


def derived_key(secret: str, purpose: str) -> bytes:
    """A key for one purpose (HMAC-SHA256 of its name): who learns it learns neither the secret nor another key."""
    return hmac.digest(secret.encode(), f"vacancy {purpose}".encode(), "sha256")


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"vacancy key id" + key).hexdigest()[:12]


def _issue(keys: Sequence[bytes], of: tuple[uuid.UUID, uuid.UUID]) -> str:
    ids = of[0].bytes + of[1].bytes
    return base64.urlsafe_b64encode(ids + _signature(keys[0], ids)).rstrip(b"=").decode()


def _verify(keys: Sequence[bytes], token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    if not BOOKING_TOKEN_FORM.fullmatch(token):
        return None
    raw = base64.urlsafe_b64decode(token + "=")
    ids, signature = raw[:IDS_BYTES], raw[IDS_BYTES:]
    # All keys are tried whatever the first says: the time it takes tells nothing.
    matches = [hmac.compare_digest(_signature(key, ids), signature) for key in keys]
    if not any(matches):
        return None
    return uuid.UUID(bytes=ids[:16]), uuid.UUID(bytes=ids[16:])


def _signature(key: bytes, ids: bytes) -> bytes:
    return hmac.digest(key, ids, "sha256")[:SIGNATURE_BYTES]


def _role(name: str) -> Role:
    try:
        role = Role(name.upper())
    except ValueError:
        raise OperatorError(f"There is no role {name!r}") from None
    if role is Role.GUEST:
        raise OperatorError("A guest has no token: what a guest holds is opened by the booking's own token")
    return role


async def _organization_id(settings: Settings, slug: str) -> uuid.UUID:
    assert settings.database_url is not None, "the command line fills it in"
    database = await connect(settings.database_url, pool_size=1)
    try:
        async with database.reading() as session:
            wanted = (Directory.kind == DirectoryKind.ORGANIZATION, Directory.slug == slug)
            found = (await session.exec(select(Directory).where(*wanted))).one_or_none()
    finally:
        await database.close()
    if found is None:
        raise OperatorError(f"There is no organization {slug!r}")
    return found.organization_id
