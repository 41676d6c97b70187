"""Who is asking: the bearer token of a request, verified, as a Viewer.

The same value, `Bearer TOKEN`, is given in the header `Authorization` of an HTTP request and under the key
`authorization` in the payload of a WebSocket's connection_init. Nothing given: a guest. Something given that does not
count is refused, never taken for a guest's.

Claims: `sub`, `exp`, `iat`; `role`, one of the contract's but GUEST; `org`, the organization's UUID, which every role
but an OPERATOR needs; `name`, `email` and `phone` if there are any. An identity provider may say `vacancy_role` and
`vacancy_org` in place of `role` and `org`. Its tokens are RS256 or ES256 of the published keys, ours are HS256: the
algorithm decides whose key is tried, so that a public key is never taken for a secret.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt

from engine.viewer import GUEST, Role, Viewer
from models.errors import Unauthenticated
from models.ledger.requests import Contact
from server import oidc
from server.oidc import ProviderKeys
from server.settings import Settings
from server.tokens import ALGORITHM, CLOCK_SKEW_SECONDS, AccountTokens

SCHEME: Final = "bearer"
TOKEN_LENGTH_MAX: Final = 8_192
SUBJECT_LENGTH_MAX: Final = 255
CONTACT_LENGTH_MAX: Final = 320


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A viewer, and until when the token counts that said so; None for a guest."""

    viewer: Viewer
    expires_at: datetime | None


class Authenticator:
    """Verifies the tokens of this instance and, where there is one, of its identity provider."""

    def __init__(self, settings: Settings) -> None:
        self._own = AccountTokens(settings.secrets)
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._provider = None if settings.oidc_jwks_url is None else ProviderKeys(settings.oidc_jwks_url)

    async def sign_in(self, authorization: str | None) -> SignedIn:
        """The viewer behind an Authorization value; a guest if there is none.

        Raises Unauthenticated for anything that does not count, Busy if the identity provider does not answer.
        """
        if authorization is None:
            return SignedIn(GUEST, None)
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != SCHEME or not token.strip():
            raise Unauthenticated("The Authorization must be: Bearer TOKEN.")
        try:
            claims = await self._verified(token.strip())
            expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The token has expired: sign in again.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError):
            raise Unauthenticated("The token does not count here: sign in again.") from None
        return SignedIn(_viewer(claims), expires_at)

    async def close(self) -> None:
        """Close what is open to the identity provider."""
        if self._provider is not None:
            await self._provider.close()

    async def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_LENGTH_MAX:
            raise jwt.InvalidTokenError("too long")
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == ALGORITHM:
            return self._own.verify(token, key_id)
        if self._provider is None or algorithm not in oidc.ALGORITHMS or not key_id:
            raise jwt.InvalidTokenError("signed in a way that is not accepted")
        key = await self._provider.key(key_id)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self._issuer,
            audience=self._audience,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": ["exp", "iat", "iss", "sub", "aud"]},
        )
        return claims


def _viewer(claims: Mapping[str, Any]) -> Viewer:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_LENGTH_MAX:
        raise Unauthenticated("The token names nobody.")
    try:
        role = Role(claims.get("vacancy_role", claims.get("role")))
    except ValueError:
        role = Role.GUEST
    if role is Role.GUEST:
        raise Unauthenticated("The token names no role.")
    contact = Contact(*(_text(claims.get(name)) for name in ("name", "email", "phone")))
    return Viewer(role, _organization(claims.get("vacancy_org", claims.get("org")), role), subject, contact)


def _organization(claim: object, role: Role) -> uuid.UUID | None:
    if claim is None and role is Role.OPERATOR:
        return None
    try:
        return uuid.UUID(claim if isinstance(claim, str) else "")
    except ValueError:
        raise Unauthenticated("The token names no organization.") from None


def _text(claim: object) -> str | None:
    return claim if isinstance(claim, str) and 0 < len(claim) <= CONTACT_LENGTH_MAX else None
