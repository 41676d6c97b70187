"""Offering what has become free: to whom, how much, how often, and what is left when a worker dies."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta

import asyncpg
import pytest

from engine import offers
from engine.availability import Wish
from engine.holds import hold as engine_hold
from engine.offers import offer_free
from engine.rules.base import GuestCount
from engine.viewer import GUEST, Role, Viewer
from engine.waitlist import LeaveRequest, join, leave
from models.database import Database, connect
from models.errors import InvalidState
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.queries.waitlist import read_entry
from models.resource import AvailabilityType, BookingRule, Resource
from models.waitlist import WaitlistEntry
from server.offerer import offer_once
from tests.support.audits import audited
from tests.support.cut import line_to
from tests.support.databases import POOL_SIZE
from tests.support.factories import (
    JOINED_AT,
    at,
    change_of,
    entry_key_of,
    item_of,
    join_of,
    key_of,
    let_run_out,
    make_booking,
    make_entry,
    make_hold,
    make_requirement,
    make_resource,
    make_venue,
    part_of,
    rebook_of,
)

__all__ = ["audited"]


async def look(database: Database, resource: Resource) -> int:
    return await offer_free(database, key_of(resource), now=lambda: JOINED_AT)


async def now_of(database: Database, entry: WaitlistEntry) -> WaitlistEntry:
    found = await read_entry(database, entry_key_of(entry))
    assert found is not None
    return found


async def statuses(database: Database, *entries: WaitlistEntry) -> list[str]:
    return [(await now_of(database, entry)).status for entry in entries]


async def contacts(database: Database, *entries: WaitlistEntry) -> set[str]:
    """All that is known of how to reach these parties."""
    found = [await now_of(database, entry) for entry in entries]
    return {known for each in found for known in (each.contact_name, each.contact_email, each.contact_phone) if known}


async def offered_to(database: Database, entry: WaitlistEntry) -> BookingRecord:
    """The booking of the offer."""
    booking_id = (await now_of(database, entry)).booking_id
    assert booking_id is not None
    record = await calls.read_booking(database, entry.organization_id, booking_id)
    assert record is not None
    return record


async def end(database: Database, record: BookingRecord, action: BookingAction = BookingAction.CANCEL) -> None:
    await calls.change_booking(database, change_of(record, action))


async def test_who_fits_is_offered_all_of_it_and_who_does_not_keeps_the_place(database: Database) -> None:
    resource = await make_resource(database, capacity=4)
    full = [await make_booking(database, resource, quantity=2) for _ in range(2)]
    four, two, two_more = [await make_entry(database, resource, quantity=quantity) for quantity in (4, 2, 2)]
    assert await look(database, resource) == 0

    await end(database, full[0])
    assert await look(database, resource) == 1
    assert await statuses(database, four, two, two_more) == ["WAITING", "OFFERED", "WAITING"]
    offer = await offered_to(database, two)
    assert [(item.quantity, offer.booking.status) for item in offer.items] == [(2, "ON_HOLD")]

    await end(database, full[1])
    await end(database, offer, BookingAction.RELEASE)
    assert await look(database, resource) == 1
    assert await statuses(database, four, two, two_more) == ["OFFERED", "LEFT", "WAITING"]
    assert [item.quantity for item in (await offered_to(database, four)).items] == [4], "a party is never split"


async def test_what_a_change_or_a_part_gives_back_is_offered(database: Database) -> None:
    resource = await make_resource(database, capacity=4)
    full = await make_booking(database, resource, quantity=4)
    waiting = [await make_entry(database, resource, quantity=2) for _ in range(2)]
    await calls.cancel_item(database, part_of(full, 2))
    assert await look(database, resource) == 1
    await calls.rebook(database, rebook_of(full, item_of(resource, "15:00", "16:00", quantity=4)))
    assert await look(database, resource) == 1
    assert await statuses(database, *waiting) == ["OFFERED", "OFFERED"]


async def test_an_offer_is_taken_as_it_is_and_then_changed(database: Database) -> None:
    resource = await make_resource(database, capacity=4)
    entry = await make_entry(database, resource, quantity=2)
    await look(database, resource)
    offer = await offered_to(database, entry)
    with pytest.raises(InvalidState):
        await calls.cancel_item(database, part_of(offer, 1))
    await end(database, offer, BookingAction.CONFIRM)
    assert (await calls.cancel_item(database, part_of(offer, 1))).items[0].quantity == 1
    assert await statuses(database, entry) == ["ACCEPTED"]


async def test_who_came_first_is_asked_first(database: Database) -> None:
    resource = await make_resource(database, capacity=3)
    full = await make_booking(database, resource, quantity=3)
    waiting = [await make_entry(database, resource) for _ in range(5)]
    await end(database, full)
    assert await look(database, resource) == 3
    assert await statuses(database, *waiting) == ["OFFERED"] * 3 + ["WAITING"] * 2


async def test_an_offer_is_a_hold_with_a_time_of_its_own(database: Database) -> None:
    resource = await make_resource(database, hold_seconds=60, hold_ceiling_seconds=1_200)
    entry = await make_entry(database, resource, email="ada@example.com")
    await look(database, resource)
    offer = await offered_to(database, entry)
    assert offer.booking.hold_expires_at is not None
    assert offer.booking.hold_expires_at - offer.booking.created_at == timedelta(seconds=1_200)
    assert (offer.booking.contact_email, offer.booking.last_actor) == ("ada@example.com", "waitlist")
    await end(database, offer, BookingAction.CONFIRM)
    entry = await now_of(database, entry)
    assert (entry.status, entry.booking_id, entry.version) == ("ACCEPTED", offer.booking.id, 3)


async def test_an_offer_that_runs_out_goes_to_the_next_and_comes_back_once(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database)
    first, second = [await make_entry(database, resource) for _ in range(2)]
    history = []
    for _ in range(4):
        assert await look(database, resource) == 1
        held = first if await statuses(database, first) == ["OFFERED"] else second
        history.append("first" if held is first else "second")
        await let_run_out(owner, await offered_to(database, held))
        await owner.execute("SELECT worker_expire_over($1, 10, true)", resource.organization_id)
    assert history == ["first", "second", "first", "second"]
    assert await look(database, resource) == 0
    assert await statuses(database, first, second) == ["EXPIRED", "EXPIRED"]
    assert await contacts(database, first, second) == set()


async def test_a_flexible_party_gets_the_nearest_time_that_is_free(database: Database) -> None:
    resource = await make_resource(database)
    await make_booking(database, resource, "09:00", "13:00")
    exact = await make_entry(database, resource, "10:00", "12:00")
    flexible = await make_entry(database, resource, "10:00", "12:00", flexible=("08:00", "18:00"))
    assert await look(database, resource) == 1
    assert await statuses(database, exact, flexible) == ["WAITING", "OFFERED"]
    [item] = (await offered_to(database, flexible)).items
    assert (item.starts_at, item.ends_at) == (at("13:00"), at("15:00"))


async def test_a_flexible_stay_gets_as_many_nights(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC", check_in_time=time(15), check_out_time=time(11))
    resource = await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    await make_booking(database, resource, "2030-06-03 15:00", "2030-06-05 11:00")
    days = (at("2030-06-03").date(), at("2030-06-05").date())
    request = replace(
        join_of(resource, flexible=("2030-06-03 00:00", "2030-06-08 00:00")), wish=Wish(stay=days, quantity=1)
    )
    entry = await join(database, GUEST, request, now=JOINED_AT)
    assert await look(database, resource) == 1
    [item] = (await offered_to(database, entry)).items
    assert (item.starts_at, item.ends_at) == (at("2030-06-05 15:00"), at("2030-06-07 11:00"))


async def test_a_rule_that_refuses_one_blocks_nobody(database: Database) -> None:
    """The first has waited since before the rule: it is passed over, and the next is asked."""
    resource = await make_resource(database)
    odd = await make_entry(database, resource, "10:10", "12:00")
    even = await make_entry(database, resource, "10:00", "12:00")
    async with database.writing(resource.organization_id) as session:
        session.add(
            BookingRule(
                organization_id=resource.organization_id,
                resource_id=resource.id,
                type="START_GRID",
                parameters={"minutes": 30},
            )
        )
    assert await look(database, resource) == 1
    assert await statuses(database, odd, even) == ["WAITING", "OFFERED"]


async def test_what_a_resource_requires_moves_its_list(database: Database) -> None:
    house, room = await make_resource(database), await make_resource(database)
    room = await make_resource(database, beside=house)
    await make_requirement(database, house, room, per_unit=1)
    booked = await make_booking(database, room)
    entry = await make_entry(database, house)
    assert await offer_once(database, now=lambda: JOINED_AT) == 0
    assert await database.ledger.fetch("SELECT * FROM worker_take_waitlists(10, 30, 600)") == [], "nothing has moved"
    await end(database, booked)
    assert await offer_once(database, now=lambda: JOINED_AT) == 1
    assert await statuses(database, entry) == ["OFFERED"]


async def test_who_leaves_gives_the_offer_back_and_the_next_is_asked(database: Database) -> None:
    resource = await make_resource(database)
    first, second = [await make_entry(database, resource) for _ in range(2)]
    await look(database, resource)
    key = entry_key_of(first)
    left = await leave(database, GUEST, LeaveRequest("k" * 16, b"hash", key, key))
    assert (left.status, left.booking_id) == ("LEFT", None)
    again = await leave(database, GUEST, LeaveRequest("k" * 16, b"hash", key, key))
    assert again.version == left.version
    assert await look(database, resource) == 1
    assert await statuses(database, first, second) == ["LEFT", "OFFERED"]
    assert await contacts(database, first) == set()


async def test_who_takes_the_offer_is_known_by_the_booking_alone(database: Database) -> None:
    resource = await make_resource(database)
    entry = await make_entry(database, resource, email="ada@example.com")
    assert await contacts(database, entry) == {"Guest", "ada@example.com"}
    await look(database, resource)
    assert await contacts(database, entry) == {"Guest", "ada@example.com"}
    offer = await offered_to(database, entry)
    await end(database, offer, BookingAction.CONFIRM)
    assert await statuses(database, entry) == ["ACCEPTED"]
    assert await contacts(database, entry) == set()
    assert (await offered_to(database, entry)).booking.contact_email == "ada@example.com"


async def test_a_customer_is_offered_a_booking_of_their_own(database: Database) -> None:
    resource = await make_resource(database)
    ada = Viewer(Role.CUSTOMER, resource.organization_id, "ada")
    entry = await join(database, ada, join_of(resource), now=JOINED_AT)
    await look(database, resource)
    assert (await offered_to(database, entry)).booking.customer_id == "customer:ada"


async def test_who_comes_is_told_with_the_offer(database: Database) -> None:
    resource = await make_resource(database, capacity=3)
    request = join_of(resource, quantity=3)
    party = (GuestCount("ADULT", 2, None), GuestCount("CHILD", 1, (7,)))
    entry = await join(database, GUEST, replace(request, wish=replace(request.wish, guests=party)), now=JOINED_AT)
    await look(database, resource)
    [item] = (await offered_to(database, entry)).items
    assert item.guests == [
        {"type": "ADULT", "count": 2, "ages": None},
        {"type": "CHILD", "count": 1, "ages": [7]},
    ]


async def test_time_that_has_come_ends_waiting(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    await make_booking(database, resource)
    entry = await make_entry(database, resource)
    await owner.execute("UPDATE waitlist_entry SET lapses_at = clock_timestamp(), last_actor = 'test'")
    await offer_once(database, now=lambda: JOINED_AT)
    assert await statuses(database, entry) == ["LAPSED"]
    assert await contacts(database, entry) == set()


class Killed(BaseException):
    """Nothing of the worker runs after this."""


async def test_a_worker_that_is_killed_after_the_hold_has_made_the_offer(
    database: Database, owner: asyncpg.Connection, workers: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes next finds the entry OFFERED, and the resource held once."""
    resource = await make_resource(database, capacity=2)
    entry = await make_entry(database, resource)
    held = engine_hold

    async def hold_and_die(*asked: object, **more: object) -> BookingRecord:
        await held(*asked, **more)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(offers, "hold", hold_and_die)
        with pytest.raises(Killed):
            await look(workers[0], resource)
    assert await statuses(database, entry) == ["OFFERED"]
    assert await look(workers[1], resource) == 0
    assert await owner.fetchval("SELECT count(*) FROM booking") == 1


async def test_a_worker_that_lost_the_answer_of_a_hold_gets_the_same_again(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    resource = await make_resource(database, capacity=2)
    entry = await make_entry(database, resource)
    async with line_to(database_url) as line:
        worker = await connect(line.url, pool_size=1)
        try:
            held = engine_hold

            async def lose_the_answer(*asked: object, **more: object) -> BookingRecord:
                line.lose_next_answer()
                return await held(*asked, **more)  # type: ignore[arg-type]

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(offers, "hold", lose_the_answer)
                assert await look(worker, resource) == 1
        finally:
            await worker.close()
    assert line.answers_lost == 1
    assert await statuses(database, entry) == ["OFFERED"]
    assert await owner.fetchval("SELECT count(*) FROM booking") == 1


async def test_a_worker_that_is_killed_before_the_hold_costs_a_lease(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database)
    entry = await make_entry(database, resource)
    assert len(await database.ledger.fetch("SELECT * FROM worker_take_waitlists(10, 30, 600)")) == 1
    assert await offer_once(database, now=lambda: JOINED_AT) == 0, "it is somebody's"
    await owner.execute("UPDATE waitlist SET leased_until = clock_timestamp()")
    assert await offer_once(database, now=lambda: JOINED_AT) == 1
    assert await statuses(database, entry) == ["OFFERED"]


async def test_who_leaves_while_the_offer_is_made_holds_nothing(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = await make_resource(database)
    entry = await make_entry(database, resource)
    key = entry_key_of(entry)
    held = engine_hold

    async def leave_first(*asked: object, **more: object) -> BookingRecord:
        await leave(database, GUEST, LeaveRequest("k" * 16, b"hash", key, key))
        return await held(*asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(offers, "hold", leave_first)
    assert await look(database, resource) == 0
    assert await statuses(database, entry) == ["LEFT"]
    assert await owner.fetchval("SELECT status FROM booking") == "CANCELLED"


async def test_between_capacity_and_offer_anybody_may_book(database: Database) -> None:
    resource = await make_resource(database)
    booked = await make_booking(database, resource)
    entry = await make_entry(database, resource)
    await end(database, booked)
    await make_hold(database, resource)
    assert await look(database, resource) == 0
    assert await statuses(database, entry) == ["WAITING"]


@pytest.fixture
async def workers(database_url: str) -> AsyncIterator[list[Database]]:
    """The connections of several worker processes."""
    opened = [await connect(database_url, pool_size=POOL_SIZE) for _ in range(2)]
    yield opened
    for each in opened:
        await each.close()


async def test_two_workers_at_once_make_one_offer(
    database: Database, owner: asyncpg.Connection, workers: list[Database]
) -> None:
    for _ in range(10):
        resource = await make_resource(database, capacity=2)
        entry = await make_entry(database, resource)
        made = await asyncio.gather(*(look(worker, resource) for worker in workers))
        assert await statuses(database, entry) == ["OFFERED"]
        assert sum(made) >= 1
        live = await owner.fetchval("SELECT count(*) FROM claim WHERE organization_id = $1", resource.organization_id)
        assert live == 1
