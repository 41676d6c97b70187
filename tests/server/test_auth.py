"""Sign-in against our own secrets, and against a real identity provider on this machine."""

import asyncio
import base64
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from engine.viewer import GUEST, Role
from models.errors import Busy, Unauthenticated
from server.auth import Authenticator
from server.oidc import ProviderKeys
from server.settings import Settings
from server.tokens import AccountTokens, derived_key

SECRET = "a secret of more than thirty-two characters"
ORGANIZATION = uuid.UUID("01934d8e-0000-7000-8000-000000000001")
ISSUER, AUDIENCE = "https://login.example.com", "vacancy-api"


def claims(**changes: Any) -> dict[str, Any]:
    """What a token says; None takes a claim away."""
    now = datetime.now(UTC)
    usual = {"sub": "ada", "role": "STAFF", "org": str(ORGANIZATION), "iat": now, "exp": now + timedelta(hours=1)}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def own_token(**changes: Any) -> str:
    return AccountTokens([SECRET]).sign(claims(**changes))


@dataclass
class Provider:
    """Publishes a key set over HTTP, and counts how often it is asked."""

    keys: list[Any] = field(default_factory=list)
    body: bytes | None = None
    port: int = 0
    asked: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = self.body or json.dumps({"keys": self.keys}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def running(provider: Provider) -> AsyncIterator[Provider]:
    server = await asyncio.start_server(provider.answer, "127.0.0.1", provider.port)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def authenticator(tmp_path: Path, provider: Provider | None = None) -> AsyncIterator[Authenticator]:
    settings = Settings(
        state_dir=tmp_path,
        secrets=(SECRET,),
        oidc_jwks_url=provider.url if provider else None,
        oidc_issuer=ISSUER if provider else None,
        oidc_audience=AUDIENCE if provider else None,
    )
    found = Authenticator(settings)
    try:
        yield found
    finally:
        await found.close()


async def refused(found: Authenticator, authorization: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await found.sign_in(authorization)
    assert authorization.partition(" ")[2] not in error.value.message or not authorization.partition(" ")[2]
    return error.value.message


def handmade(header: dict[str, Any], key: bytes) -> str:
    """A token that no library would make."""
    said = {**claims(), "iss": "vacancy", "iat": int(time.time()), "exp": int(time.time()) + 600}
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, said))
    signature = hmac.digest(key, signed, "sha256") if key else b""
    return f"{signed.decode()}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_nothing_shown_is_a_guest(tmp_path: Path) -> None:
    async with authenticator(tmp_path) as found:
        signed_in = await found.sign_in(None)
    assert (signed_in.viewer, signed_in.expires_at) == (GUEST, None)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GUEST])
async def test_a_token_of_ours_says_who_it_is(tmp_path: Path, role: Role) -> None:
    async with authenticator(tmp_path) as found:
        signed_in = await found.sign_in(f"bearer  {own_token(role=role, name='Ada', email='ada@example.com')}")
    viewer = signed_in.viewer
    assert (viewer.role, viewer.organization_id, viewer.subject) == (role, ORGANIZATION, "ada")
    assert (viewer.contact.name, viewer.contact.email, viewer.contact.phone) == ("Ada", "ada@example.com", None)


async def test_an_operator_needs_no_organization_and_everybody_else_does(tmp_path: Path) -> None:
    async with authenticator(tmp_path) as found:
        operator = await found.sign_in(f"Bearer {own_token(role='OPERATOR', org=None)}")
        assert operator.viewer.organization_id is None
        for role in ("CUSTOMER", "PARTNER", "STAFF", "MANAGER"):
            await refused(found, f"Bearer {own_token(role=role, org=None)}")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": datetime.now(UTC) - timedelta(minutes=1)},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"role": None},
        {"role": "GUEST"},
        {"role": "KING"},
        {"role": ["STAFF"]},
        {"org": "atlas"},
        {"org": 7},
        {"exp": "tomorrow"},
        {"exp": 10**30},
    ],
)
async def test_a_token_that_does_not_say_all_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with authenticator(tmp_path) as found:
        await refused(found, f"Bearer {own_token(**changes)}")


async def test_a_token_that_we_did_not_sign_is_refused(tmp_path: Path) -> None:
    token = own_token()
    head, body, signature = token.split(".")
    key = derived_key(SECRET, "account token v1")
    header = jwt.get_unverified_header(token)
    async with authenticator(tmp_path) as found:
        for forged in (
            "Basic dXNlcjpwYXNz",
            "Bearer",
            "Bearer ",
            f"Bearer {head}.{body}.",
            f"Bearer {head}.{body}.{signature[:-4]}AAAA",
            f"Bearer {AccountTokens(['another secret of thirty-two characters']).sign(claims())}",
            f"Bearer {handmade({**header, 'alg': 'none'}, b'')}",
            f"Bearer {jwt.encode({**claims(), 'iss': 'vacancy'}, key, algorithm='HS256')}",
            f"Bearer {jwt.encode({**claims(), 'iss': 'else'}, key, algorithm='HS256', headers=header)}",
            f"Bearer {jwt.encode({**claims(), 'iss': 'vacancy'}, key + key, algorithm='HS512', headers=header)}",
            "Bearer " + "x" * 10_000,
            "Bearer \ud800.é.x",
        ):
            await refused(found, forged)


def rsa_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(key: RSAPrivateKey | EllipticCurvePrivateKey, key_id: str, **more: Any) -> dict[str, Any]:
    algorithm: Any = RSAAlgorithm if isinstance(key, RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig", **more}


def provider_token(key: Any, key_id: str | None, algorithm: str = "RS256", **changes: Any) -> str:
    said = claims(**{"iss": ISSUER, "aud": AUDIENCE, **changes})
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)


async def test_a_provider_signs_people_in_with_either_kind_of_key(tmp_path: Path) -> None:
    first, second = rsa_key(), ec.generate_private_key(ec.SECP256R1())
    encryption = published(rsa_key(), "enc", use="enc")
    async with (
        running(Provider([None, {"kty": "?"}, encryption, published(first, "a"), published(second, "b")])) as provider,
        authenticator(tmp_path, provider) as found,
    ):
        renamed: dict[str, Any] = {
            "role": None,
            "org": None,
            "vacancy_role": "MANAGER",
            "vacancy_org": str(ORGANIZATION),
        }
        one = await found.sign_in(f"Bearer {provider_token(first, 'a', **renamed)}")
        two = await found.sign_in(f"Bearer {provider_token(second, 'b', 'ES256')}")
        ours = await found.sign_in(f"Bearer {own_token()}")
        assert [each.viewer.role for each in (one, two, ours)] == [Role.MANAGER, Role.STAFF, Role.STAFF]
        assert provider.asked == 1


async def test_what_the_provider_did_not_sign_for_us_is_refused(tmp_path: Path) -> None:
    key, other = rsa_key(), rsa_key()
    async with (
        running(Provider([published(key, "a")])) as provider,
        authenticator(tmp_path, provider) as found,
    ):
        # The public key, which everybody knows, taken for a shared secret.
        public = json.dumps(published(key, "a")).encode()
        for token in (
            provider_token(other, "a"),
            provider_token(key, "unknown"),
            provider_token(key, None),
            provider_token(key, "a", aud="another"),
            provider_token(key, "a", aud=None),
            provider_token(key, "a", iss="https://evil.example.com"),
            provider_token(key, "a", iss="vacancy"),
            provider_token(key, "a", "RS512"),
            provider_token(key, "a", exp=datetime.now(UTC) - timedelta(minutes=1)),
            handmade({"alg": "HS256", "kid": "a"}, public),
        ):
            await refused(found, f"Bearer {token}")
    async with authenticator(tmp_path) as without_provider:
        await refused(without_provider, f"Bearer {provider_token(key, 'a')}")


async def test_unknown_keys_do_not_make_us_a_nuisance_to_the_provider(tmp_path: Path) -> None:
    key = rsa_key()
    async with (
        running(Provider([published(key, "a")])) as provider,
        authenticator(tmp_path, provider) as found,
    ):
        await asyncio.gather(*(found.sign_in(f"Bearer {provider_token(key, 'a')}") for _ in range(20)))
        for number in range(20):
            await refused(found, f"Bearer {provider_token(key, f'made-up-{number}')}")
        assert provider.asked == 1


async def test_a_new_key_is_fetched_and_the_old_ones_outlive_an_outage() -> None:
    first, second = published(rsa_key(), "a"), published(rsa_key(), "b")
    provider = Provider([first])
    async with running(provider):
        keys = ProviderKeys(provider.url, refetch_seconds_min=0.0)
        assert (await keys.key("a")).key_id == "a"
        provider.keys = [first, second]
        assert (await keys.key("b")).key_id == "b"
        for body in (b"<html>", b"[]", b"{}", b'{"keys": 7}', b"x" * 1_000_000, b"[" * 200_000):
            provider.body = body
            with pytest.raises(jwt.InvalidTokenError):
                await keys.key("c")
    with pytest.raises(jwt.InvalidTokenError):
        await keys.key("c")
    assert (await keys.key("a")).key_id == "a"
    await keys.close()


async def test_a_provider_that_never_answered_is_no_reason_to_sign_in_again(tmp_path: Path) -> None:
    async with running(Provider()) as gone:
        pass
    async with authenticator(tmp_path, gone) as found:
        with pytest.raises(Busy):
            await found.sign_in(f"Bearer {provider_token(rsa_key(), 'a')}")
