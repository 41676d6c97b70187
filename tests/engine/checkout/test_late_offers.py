"""Money that comes when an offer of a waitlist has run out: who has what they waited for waits no more."""

from datetime import timedelta

import asyncpg
import pytest

from engine.availability import Wish
from engine.offers import offer_free
from engine.viewer import GUEST
from engine.waitlist import JoinRequest, LeaveRequest, join, leave
from models.database import Database
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import Contact
from models.queries.waitlist import read_entry
from models.queries.work import expire_over
from models.resource import Resource
from models.waitlist import WaitlistEntry
from tests.support.checkouts import NOW, Till, now
from tests.support.factories import entry_key_of, key_of, let_run_out
from tests.support.ledger import status_of
from tests.support.prices import FRIDAY, make_guesthouse, make_room
from tests.support.rules import put as put_rule
from tests.support.staff import fresh_key


@pytest.fixture
async def rooms(database: Database) -> Resource:
    """Two of one kind: one may be offered while the other is paid."""
    return await make_room(database, await make_guesthouse(database), capacity=2)


async def wait_for(till: Till, room: Resource) -> WaitlistEntry:
    """Wait for one room on Friday night."""
    key, wish = fresh_key(), Wish(stay=(FRIDAY, FRIDAY + timedelta(days=1)))
    request = JoinRequest(key, key.encode(), key_of(room), wish, None, Contact(email="ada@example.com"))
    return await join(till.database, GUEST, request, now=NOW)


async def entry_now(till: Till, entry: WaitlistEntry) -> WaitlistEntry:
    found = await read_entry(till.database, entry_key_of(entry))
    assert found is not None
    return found


async def look(till: Till, room: Resource) -> int:
    """Look through the list; how many offers were made."""
    return await offer_free(till.database, key_of(room), now=now)


async def offered(till: Till, room: Resource, entry: WaitlistEntry) -> BookingRecord:
    """Make the entry its next offer."""
    assert await look(till, room) == 1
    booking_id = (await entry_now(till, entry)).booking_id
    assert booking_id is not None
    record = await calls.read_booking(till.database, entry.organization_id, booking_id)
    assert record is not None
    return record


async def run_out(till: Till, owner: asyncpg.Connection, record: BookingRecord) -> None:
    """Let the offer run out, and be seen to have."""
    await let_run_out(owner, record)
    assert await expire_over(till.database, record.booking.organization_id, limit=10, patient=True) == 1


async def paid_late(till: Till, owner: asyncpg.Connection, room: Resource, entry: WaitlistEntry) -> BookingRecord:
    """An offer that was paid in the moment in which it ran out, and nobody has looked yet."""
    record = await offered(till, room, entry)
    await till.begin(record)
    await till.pay(record)
    await run_out(till, owner, record)
    return record


@pytest.mark.parametrize("approves", [False, True], ids=["confirmed", "submitted"])
async def test_who_has_paid_waits_no_more(
    till: Till, rooms: Resource, owner: asyncpg.Connection, approves: bool
) -> None:
    if approves:
        await put_rule(till.database, key_of(rooms), type="APPROVAL_REQUIRED", parameters={"withinHours": 24})
    entry = await wait_for(till, rooms)
    record = await paid_late(till, owner, rooms, entry)
    assert (await entry_now(till, entry)).status == "WAITING"
    assert (await till.complete(record)).error is None
    assert await status_of(owner, record.booking.id) == ("PENDING" if approves else "CONFIRMED")
    found = await entry_now(till, entry)
    assert (found.status, found.booking_id, found.last_actor) == ("ACCEPTED", record.booking.id, "payments")
    assert found.contact_email is None
    assert await look(till, rooms) == 0, "there is room, and nobody is offered it"


async def test_nobody_else_on_the_list_is_taken_off_it(till: Till, rooms: Resource, owner: asyncpg.Connection) -> None:
    entry = await wait_for(till, rooms)
    record = await paid_late(till, owner, rooms, entry)
    other = await wait_for(till, rooms)
    assert (await till.complete(record)).error is None
    assert [(await entry_now(till, each)).status for each in (entry, other)] == ["ACCEPTED", "WAITING"]


async def test_another_offer_stays_as_long_as_it_lasts_and_is_the_last(
    till: Till, rooms: Resource, owner: asyncpg.Connection
) -> None:
    """What is held for somebody is theirs until its time is over, whatever else they have paid."""
    entry = await wait_for(till, rooms)
    record = await paid_late(till, owner, rooms, entry)
    other = await offered(till, rooms, entry)
    assert (await till.complete(record)).error is None
    assert await status_of(owner, record.booking.id) == "CONFIRMED"
    assert await status_of(owner, other.booking.id) == "ON_HOLD"
    found = await entry_now(till, entry)
    assert (found.status, found.booking_id) == ("OFFERED", other.booking.id)
    await run_out(till, owner, other)
    assert (await entry_now(till, entry)).status == "EXPIRED"
    assert await look(till, rooms) == 0


async def test_what_has_ended_stays_as_it_is(till: Till, rooms: Resource, owner: asyncpg.Connection) -> None:
    """One has left; the other has let both offers run out: each was told that this is final."""
    left = await wait_for(till, rooms)
    first = await paid_late(till, owner, rooms, left)
    await leave(till.database, GUEST, LeaveRequest(fresh_key(), b"", entry_key_of(left), entry_key_of(left)))
    expired = await wait_for(till, rooms)
    await run_out(till, owner, await offered(till, rooms, expired))
    second = await paid_late(till, owner, rooms, expired)
    for record, entry, status in ((first, left, "LEFT"), (second, expired, "EXPIRED")):
        assert (await till.complete(record)).error is None
        assert await status_of(owner, record.booking.id) == "CONFIRMED"
        found = await entry_now(till, entry)
        assert (found.status, found.booking_id) == (status, None)
