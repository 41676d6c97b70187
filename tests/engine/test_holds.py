"""Holding and changing, as the resolvers call them: who may, which rules refuse, what is told."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from engine.availability import Wish
from engine.bookings import find_booking
from engine.changes import ChangeRequest, change
from engine.holds import HoldRequest, ItemRequest, hold, new_reference
from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.errors import IdempotencyConflict, InvalidInput, NotCancellable, NotFound, Refused, RuleViolation
from models.keys import BookingKey, ResourceKey
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction, Contact
from models.resource import Resource
from tests.support.factories import at, between, booking_key_of, key_of, make_resource, make_venue
from tests.support.ledger import count_of

NOW = at("2030-05-31 12:00")
OPEN_AT_TEN: dict[str, dict[str, Any]] = {
    "OPENING_HOURS": {"weekly": [{"weekday": 6, "opens": "10:00", "closes": "17:00"}]},
    "START_GRID": {"minutes": 30},
}


def a_key() -> str:
    return uuid.uuid4().hex


def request_of(
    *wishes: tuple[Resource | ResourceKey, Wish], contact: Contact = NO_CONTACT, key: str | None = None
) -> HoldRequest:
    items = tuple(
        ItemRequest(resource if isinstance(resource, ResourceKey) else key_of(resource), wish)
        for resource, wish in wishes
    )
    return HoldRequest(key=key or a_key(), request_hash=b"hash", items=items, contact=contact, expected={})


def wish(start: str = "10:00", end: str = "11:00", quantity: int = 1) -> Wish:
    return Wish(window=between(start, end), quantity=quantity)


def change_of(
    record: BookingRecord, action: BookingAction, *, token: BookingKey | None = None, key: str | None = None
) -> ChangeRequest:
    return ChangeRequest(
        key=key or a_key(),
        request_hash=b"hash",
        booking=booking_key_of(record),
        opened_by_token=token,
        action=action,
    )


async def test_all_refusals_of_all_items_are_told_at_once(database: Database, owner: asyncpg.Connection) -> None:
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, rules=OPEN_AT_TEN)
    with pytest.raises(Refused) as refused:
        await hold(database, GUEST, request_of((hall, wish("09:10", "11:00")), (hall, wish("10:10", "11:00"))), now=NOW)
    told = [(error.code, error.path) for error in refused.value.errors]
    assert told == [
        ("OUTSIDE_OPENING_HOURS", ("input", "items", "0")),
        ("OFF_GRID", ("input", "items", "0")),
        ("OFF_GRID", ("input", "items", "1")),
    ]
    assert isinstance(refused.value.errors[0], RuleViolation)
    assert await count_of(owner, "booking") == 0


async def test_a_repetition_gets_the_first_answer_though_its_time_has_come(database: Database) -> None:
    hall = await make_resource(database)
    request = request_of((hall, wish()))
    held = await hold(database, GUEST, request, now=NOW)
    later = at("10:30")
    assert (await hold(database, GUEST, request, now=later)).booking.id == held.booking.id
    with pytest.raises(IdempotencyConflict):
        await hold(database, GUEST, replace(request, request_hash=b"another"), now=later)
    with pytest.raises(Refused):
        await hold(database, GUEST, replace(request, key=a_key()), now=later)


async def test_what_is_not_published_is_only_there_for_its_staff(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC", is_published=False)
    hall = await make_resource(database, venue=venue)
    strangers = [
        GUEST,
        Viewer(Role.MANAGER, uuid.uuid4(), "m"),
        Viewer(Role.CUSTOMER, hall.organization_id, "c"),
    ]
    for stranger in strangers:
        with pytest.raises(NotFound) as hidden:
            await hold(database, stranger, request_of((hall, wish())), now=NOW)
        with pytest.raises(NotFound) as unknown:
            await hold(database, stranger, request_of((ResourceKey(uuid.uuid4(), uuid.uuid4()), wish())), now=NOW)
        assert (hidden.value.message, hidden.value.path) == (unknown.value.message, unknown.value.path)
    staff = Viewer(Role.STAFF, hall.organization_id, "s")
    assert (await hold(database, staff, request_of((hall, wish())), now=NOW)).booking.status == "ON_HOLD"


async def test_one_booking_is_of_one_organization(database: Database) -> None:
    one, other = await make_resource(database), await make_resource(database)
    with pytest.raises(InvalidInput):
        await hold(database, GUEST, request_of((one, wish()), (other, wish())), now=NOW)


@pytest.mark.parametrize("count", [0, 21])
async def test_a_booking_has_one_to_twenty_items(database: Database, count: int) -> None:
    hall = await make_resource(database, capacity=100)
    with pytest.raises(InvalidInput):
        await hold(database, GUEST, request_of(*[(hall, wish())] * count), now=NOW)


async def test_a_customer_is_a_customer_only_at_home(database: Database) -> None:
    hall, elsewhere = await make_resource(database), await make_resource(database)
    customer = Viewer(Role.CUSTOMER, hall.organization_id, "anna")
    at_home = await hold(database, customer, request_of((hall, wish())), now=NOW)
    abroad = await hold(database, customer, request_of((elsewhere, wish())), now=NOW)
    assert (at_home.booking.customer_id, abroad.booking.customer_id) == ("customer:anna", None)
    assert await find_booking(database, customer, key=booking_key_of(at_home)) is not None
    assert await find_booking(database, customer, key=booking_key_of(abroad)) is None
    other = Viewer(Role.CUSTOMER, hall.organization_id, "berta")
    assert await find_booking(database, other, key=booking_key_of(at_home)) is None


async def test_a_token_opens_its_own_booking_and_no_other(database: Database) -> None:
    hall = await make_resource(database, capacity=2)
    mine = await hold(database, GUEST, request_of((hall, wish())), now=NOW)
    yours = await hold(database, GUEST, request_of((hall, wish())), now=NOW)
    token = booking_key_of(mine)
    assert await find_booking(database, GUEST, opened_by_token=token) is not None
    assert await find_booking(database, GUEST, reference=mine.booking.reference, opened_by_token=token) is not None
    assert await find_booking(database, GUEST, reference=mine.booking.reference) is None
    assert await find_booking(database, GUEST, reference=yours.booking.reference, opened_by_token=token) is None
    assert await find_booking(database, GUEST, key=booking_key_of(yours), opened_by_token=token) is None
    for opened_by in (None, token):
        with pytest.raises(NotFound):
            await change(database, GUEST, change_of(yours, BookingAction.CANCEL, token=opened_by))
    after = await find_booking(database, GUEST, opened_by_token=booking_key_of(yours))
    assert after is not None
    assert after.booking.version == 1


async def test_two_guests_may_use_one_key(database: Database) -> None:
    hall = await make_resource(database, capacity=2)
    key = a_key()
    for _ in range(2):
        held = await hold(database, GUEST, request_of((hall, wish())), now=NOW)
        token = booking_key_of(held)
        confirmed = await change(database, GUEST, change_of(held, BookingAction.CONFIRM, token=token, key=key))
        assert confirmed.booking.status == "CONFIRMED"


async def test_guests_cancel_until_it_begins_staff_at_any_time(database: Database) -> None:
    hall = await make_resource(database)
    now = (await database.ledger.fetchval("SELECT clock_timestamp()")) - timedelta(minutes=5)
    window = Wish(window=between(f"{now:%Y-%m-%d %H:%M}", f"{now + timedelta(hours=1):%Y-%m-%d %H:%M}"))
    held = await hold(database, GUEST, request_of((hall, window)), now=now - timedelta(hours=1))
    token = booking_key_of(held)
    await change(database, GUEST, change_of(held, BookingAction.CONFIRM, token=token))
    with pytest.raises(NotCancellable):
        await change(database, GUEST, change_of(held, BookingAction.CANCEL, token=token))
    staff = Viewer(Role.STAFF, hall.organization_id, "s")
    assert (await change(database, staff, change_of(held, BookingAction.CANCEL))).booking.status == "CANCELLED"


async def test_a_reference_is_found_however_it_is_typed(database: Database) -> None:
    hall = await make_resource(database)
    held = await hold(database, GUEST, request_of((hall, wish())), now=NOW)
    staff = Viewer(Role.STAFF, hall.organization_id, "s")
    for typed in (held.booking.reference, held.booking.reference.replace("-", "").lower()):
        found = await find_booking(database, staff, reference=typed)
        assert found is not None
        assert found.booking.id == held.booking.id
    assert await find_booking(database, staff, reference="nothing like it") is None


def test_a_reference_is_eighty_bits_that_can_be_read_out() -> None:
    found = {new_reference() for _ in range(1000)}
    assert len(found) == 1000
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", reference) for reference in found)
