"""Rules that count, as somebody who books meets them: all items together, buffers, groups of activities, approval."""

import secrets
from datetime import date, time, timedelta
from functools import partial
from typing import Any, ClassVar

import asyncpg
import pytest

from engine.availability import Wish, availability, timeline
from engine.counts import Counts
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.rules import registry
from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.errors import BookingError, Refused
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType, Resource, Sharing
from tests.support.factories import (
    adjust_of,
    at,
    between,
    change_of,
    key_of,
    let_run_out,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.ledger import StepRow, status_of, taken_of, timeline_of

NOW = at("2030-05-31 12:00")


def wish(start: str = "10:00", end: str = "11:00", **more: Any) -> Wish:
    return Wish(window=between(start, end), **more)


def nights(first: int, last: int) -> Wish:
    return Wish(stay=(date(2030, 6, first), date(2030, 6, last)))


async def book(database: Database, *wishes: tuple[Resource, Wish], viewer: Viewer = GUEST) -> BookingRecord:
    items = tuple(ItemRequest(key_of(resource), each) for resource, each in wishes)
    return await hold(database, viewer, HoldRequest(secrets.token_hex(16), b"hash", items, NO_CONTACT, {}), now=NOW)


async def refused(database: Database, *wishes: tuple[Resource, Wish], viewer: Viewer = GUEST) -> list[str]:
    """The codes; what one item alone is refused with, availability tells too."""
    with pytest.raises(BookingError) as caught:
        await book(database, *wishes, viewer=viewer)
    errors = caught.value.errors if isinstance(caught.value, Refused) else (caught.value,)
    if len(wishes) == 1:
        assert await told(database, *wishes[0], viewer=viewer) == [error.code for error in errors]
    return [error.code for error in errors]


async def told(database: Database, resource: Resource, asked: Wish, viewer: Viewer = GUEST) -> list[str]:
    facts = (await load_facts(database, [key_of(resource)]))[key_of(resource)]
    load = partial(read_timelines, database)
    answer = await availability(facts, asked, load=load, counts=Counts(database, viewer), now=NOW)
    return [refusal.code for refusal in answer.refusals]


def customer(resource: Resource) -> Viewer:
    return Viewer(Role.CUSTOMER, resource.organization_id, "ada")


async def make(database: Database, rules: dict[str, dict[str, Any]], **more: Any) -> Resource:
    venue = await make_venue(database, time_zone="UTC", check_in_time=time(15), check_out_time=time(11))
    return await make_resource(database, venue=venue, rules=rules, **{"capacity": 10} | more)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"CUSTOMER_LIMIT": {"max": 1}}, "CUSTOMER_LIMIT"),
        ({"NO_OVERLAP": {}}, "CUSTOMER_OVERLAP"),
        ({"PACING": {"minutes": 60, "max": 1}}, "PACING_LIMIT"),
        ({"CAPACITY_SHARE": {"percent": 10}}, "PARTY_TOO_LARGE"),
    ],
)
async def test_items_of_one_request_count_together(
    database: Database, rules: dict[str, dict[str, Any]], code: str
) -> None:
    hall = await make(database, rules)
    twice = [(hall, wish()), (hall, wish("10:30", "11:30"))]
    assert await refused(database, *twice, viewer=customer(hall)) == [code, code]
    await book(database, twice[0], viewer=customer(hall))


async def test_every_reason_is_told_at_once(database: Database) -> None:
    hall = await make(database, {"CUSTOMER_LIMIT": {"max": 1}, "NO_OVERLAP": {}}, capacity=1)
    await book(database, (hall, wish()), viewer=customer(hall))
    codes = await refused(database, (hall, wish()), viewer=customer(hall))
    assert codes == ["CUSTOMER_LIMIT", "CUSTOMER_OVERLAP", "SOLD_OUT"]
    assert await refused(database, (hall, wish())) == ["SOLD_OUT"], "a guest has no other bookings that are known"


async def test_a_hold_that_is_over_does_not_count_and_is_over_for_good(
    database: Database, owner: asyncpg.Connection
) -> None:
    hall = await make(database, {"CUSTOMER_LIMIT": {"max": 1}})
    over = await book(database, (hall, wish("20:00", "21:00")), viewer=customer(hall))
    await let_run_out(owner, over)
    assert await told(database, hall, wish(), customer(hall)) == []
    await book(database, (hall, wish()), viewer=customer(hall))
    assert await status_of(owner, over.booking.id) == "EXPIRED"


@pytest.mark.parametrize(
    ("first", "second", "asked", "codes"),
    [
        ((1, 3), None, (4, 6), ["GAP_LEFT"]),
        ((1, 3), None, (3, 5), []),
        ((1, 3), None, (5, 7), []),
        ((10, 12), None, (7, 9), ["GAP_LEFT"]),
        ((10, 12), (5, 7), (7, 10), []),
        ((10, 12), (5, 7), (8, 9), ["GAP_LEFT"]),
        ((10, 12), (6, 7), (7, 8), []),
        ((10, 12), (7, 8), (8, 9), ["GAP_LEFT"]),
    ],
)
async def test_no_orphan_nights(
    database: Database,
    first: tuple[int, int],
    second: tuple[int, int] | None,
    asked: tuple[int, int],
    codes: list[str],
) -> None:
    room = await make(database, {"GAP": {"nights": 2}}, capacity=1, availability_type=AvailabilityType.NIGHTLY)
    for booked in (first, second):
        if booked is not None:
            await book(database, (room, nights(*booked)))
    if codes:
        assert await refused(database, (room, nights(*asked))) == codes
    else:
        await book(database, (room, nights(*asked)))


async def test_a_room_of_which_another_is_left_leaves_no_orphans(database: Database) -> None:
    rooms = await make(database, {"GAP": {"nights": 2}}, capacity=2, availability_type=AvailabilityType.NIGHTLY)
    await book(database, (rooms, nights(1, 3)), (rooms, nights(1, 3)))
    await book(database, (rooms, nights(4, 6)))
    assert await refused(database, (rooms, nights(4, 6))) == ["GAP_LEFT"]


async def test_a_closed_night_bounds_a_gap(database: Database) -> None:
    room = await make(database, {"GAP": {"nights": 2}}, capacity=1, availability_type=AvailabilityType.NIGHTLY)
    await calls.adjust(database, adjust_of(room, "2030-06-10 12:00", "2030-06-12 12:00", closed=True))
    assert await refused(database, (room, nights(7, 9))) == ["GAP_LEFT"]
    await book(database, (room, nights(8, 10)))


async def test_buffers_take_capacity_and_not_the_guests_time(database: Database, owner: asyncpg.Connection) -> None:
    pool = await make(database, {"BUFFERS": {"beforeMinutes": 30, "afterMinutes": 60}}, capacity=1)
    guide = await make_resource(database, beside=pool, capacity=1)
    await make_requirement(database, pool, guide, per_booking=1)
    record = await book(database, (pool, wish("10:00", "11:00")))
    assert (record.items[0].starts_at, record.items[0].ends_at) == (at("10:00"), at("11:00"))
    for resource in (pool, guide):
        assert await taken_of(owner, resource) == [("dawn", 0), ("09:30", 1), ("12:00", 0)]
    assert await refused(database, (pool, wish("12:00", "13:00"))) == ["SOLD_OUT"]
    await book(database, (pool, wish("12:30", "13:00")))
    assert await refused(database, (guide, wish("09:30", "10:00"))) == ["SOLD_OUT"]
    facts = (await load_facts(database, [key_of(pool)]))[key_of(pool)]
    shown = await timeline(facts, between("09:00", "12:00"), load=partial(read_timelines, database))
    assert [(step.starts_at, step.vacancies) for step in shown.steps] == [(at("09:00"), 1), (at("09:30"), 0)]


async def test_it_may_be_closed_during_buffers(database: Database, owner: asyncpg.Connection) -> None:
    pool = await make(database, {"BUFFERS": {"beforeMinutes": 60, "afterMinutes": 60}}, capacity=1)
    await calls.adjust(database, adjust_of(pool, "00:00", "10:00", closed=True))
    await calls.adjust(database, adjust_of(pool, "11:00", "23:00", closed=True))
    assert await refused(database, (pool, wish("09:30", "10:30"))) == ["CLOSED"]
    assert await told(database, pool, wish("10:00", "11:00")) == []
    await book(database, (pool, wish("10:00", "11:00")))
    assert StepRow("09:00", 1, 1, None, True) in await timeline_of(owner, pool)
    assert await refused(database, (pool, wish("10:00", "11:00"))) == ["SOLD_OUT"]


class Groups(Rule):
    """Swimming of all kinds may share."""

    type: ClassVar[str] = "TEST_GROUPS"
    summary: ClassVar[str] = "For this test."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    def sharing_key(self, activity: str | None) -> str | None:
        return "swimming" if activity in ("laps", "lessons") else None


async def test_parties_of_a_group_of_activities_share(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "RULES", {**registry.RULES, Groups.type: Groups})
    pool = await make(database, {Groups.type: {}}, sharing=Sharing.SAME_ACTIVITY)
    first = await book(database, (pool, wish(activity="laps")))
    assert await told(database, pool, wish(activity="lessons")) == []
    await book(database, (pool, wish(activity="lessons")))
    assert await refused(database, (pool, wish(activity="polo"))) == ["ACTIVITY_CONFLICT"]
    assert first.items[0].activity == "laps", "what was said stays"
    assert StepRow("10:00", 10, 2, "swimming", False) in await timeline_of(owner, pool)


async def test_the_longest_time_for_approval_counts(database: Database) -> None:
    hall = await make(database, {"APPROVAL_REQUIRED": {"withinHours": 2}})
    room = await make_resource(database, beside=hall, rules={"APPROVAL_REQUIRED": {"withinHours": 5}})
    desk = await make_resource(database, beside=hall)
    held = await book(database, (hall, wish()), (room, wish()), (desk, wish()))
    pending = await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))
    assert pending.booking.status == "PENDING"
    assert pending.booking.hold_expires_at is not None
    left = pending.booking.hold_expires_at - pending.now
    assert timedelta(hours=4, minutes=59) < left <= timedelta(hours=5)
