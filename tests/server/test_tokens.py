import base64
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.viewer import Role
from models.database import Database
from models.keys import BookingKey, EntryKey, SeriesKey
from server.auth import Authenticator
from server.errors import OperatorError
from server.settings import Settings
from server.tokens import AccountTokens, SignedBookingTokens, derived_key, issue
from tests.support.factories import make_organization

OLD = "an old secret of more than thirty-two characters"
NEW = "a new secret of more than thirty-two characters"
KEY = BookingKey(uuid.UUID(int=1), uuid.UUID(int=2**127 + 5))


def claims() -> dict[str, object]:
    now = datetime.now(UTC)
    return {"sub": "ada", "role": "STAFF", "org": str(uuid.uuid4()), "iat": now, "exp": now + timedelta(hours=1)}


def key_id(token: str) -> str:
    found: str = jwt.get_unverified_header(token)["kid"]
    return found


def test_a_booking_token_opens_its_booking_and_is_always_the_same() -> None:
    tokens = SignedBookingTokens([NEW])
    token = tokens.issue(KEY)
    assert tokens.verify(token) == KEY
    assert token == SignedBookingTokens([NEW]).issue(KEY)
    assert len(token) == 75


def test_an_old_secret_still_opens_and_the_new_one_signs() -> None:
    old, both, new = SignedBookingTokens([OLD]), SignedBookingTokens([NEW, OLD]), SignedBookingTokens([NEW])
    assert both.verify(old.issue(KEY)) == KEY
    assert new.verify(both.issue(KEY)) == KEY
    assert new.verify(old.issue(KEY)) is None


@given(position=st.integers(0, 74), other=st.sampled_from("AZaz09-_"))
def test_a_booking_token_with_any_other_character_opens_no_other_booking(position: int, other: str) -> None:
    token = SignedBookingTokens([NEW]).issue(KEY)
    changed = token[:position] + other + token[position + 1 :]
    assert SignedBookingTokens([NEW]).verify(changed) in ({KEY} if _bytes(changed) == _bytes(token) else {None})


@given(st.text(max_size=200) | st.binary(min_size=56, max_size=56).map(lambda raw: _text(raw)))
def test_garbage_opens_nothing(garbage: str) -> None:
    assert SignedBookingTokens([NEW, OLD]).verify(garbage) is None


def test_a_token_of_one_kind_opens_nothing_of_another() -> None:
    """A booking, an entry and a series of the same id."""
    tokens = SignedBookingTokens([NEW])
    entry, series = EntryKey(*KEY), SeriesKey(*KEY)
    kinds = [
        (tokens.issue(KEY), tokens.verify),
        (tokens.issue_entry(entry), tokens.verify_entry),
        (tokens.issue_series(series), tokens.verify_series),
    ]
    assert [verify(token) for token, verify in kinds] == [KEY, entry, series]
    for token, own in kinds:
        assert {verify(token) for _, verify in kinds if verify != own} == {None}


def test_keys_of_two_purposes_differ() -> None:
    assert derived_key(NEW, "account token v1") != derived_key(NEW, "booking token v1")


def test_an_account_token_counts_for_every_secret_and_is_signed_by_the_first() -> None:
    old, both, new = AccountTokens([OLD]), AccountTokens([NEW, OLD]), AccountTokens([NEW])
    before, after = old.sign(claims()), both.sign(claims())
    assert both.verify(before, key_id(before))["sub"] == "ada"
    assert new.verify(after, key_id(after))["sub"] == "ada"
    with pytest.raises(jwt.InvalidTokenError):
        new.verify(before, key_id(before))
    with pytest.raises(jwt.InvalidTokenError):
        new.verify(before, key_id(after))


async def test_the_command_issues_a_token_for_an_organization(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    organization = await make_organization(database)
    settings = Settings(state_dir=tmp_path, database_url=database_url, secrets=(NEW,))
    token = await issue(settings, role="staff", organization=organization.slug, subject=None, hours=1.0)

    signed_in = await Authenticator(settings).sign_in(f"Bearer {token}")

    assert (signed_in.viewer.role, signed_in.viewer.organization_id) == (Role.STAFF, organization.id)
    assert signed_in.viewer.subject == "staff"
    assert signed_in.expires_at is not None
    assert timedelta(minutes=59) < signed_in.expires_at - datetime.now(UTC) <= timedelta(hours=1)


async def test_the_command_says_what_it_can_not_do(database_url: str, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, database_url=database_url, secrets=(NEW,))
    for role, organization, told in [
        ("staff", None, "--organization"),
        ("staff", "nobody", "no organization 'nobody'"),
        ("guest", None, "a guest"),
        ("king", None, "no role 'king'"),
    ]:
        with pytest.raises(OperatorError, match=f"(?i){told}"):
            await issue(settings, role=role, organization=organization, subject=None, hours=1.0)
    assert await issue(settings, role="operator", organization=None, subject="root", hours=1.0)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=")
