"""What a dry run says: who decides, what a guest would be told, which bookings would not fit. It writes nothing."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest

from engine import rule_preview
from engine.availability import Wish
from engine.booking_rules import plan
from engine.facts import load_facts
from engine.rule_changes import RuleChange, facts_after, key_of_rule
from engine.rule_preview import Preview, Question, breaks, preview
from models.database import Database
from models.errors import InvalidInput, NotFound
from models.keys import ResourceKey, VenueKey
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType, BookingRule, Resource
from tests.support.databases import rows_of
from tests.support.factories import (
    at,
    between,
    change_of,
    item_of,
    key_of,
    let_run_out,
    make_booking,
    make_hold,
    make_pending,
    make_resource,
    make_venue,
)
from tests.support.ledger import status_of
from tests.support.rules import HoursAhead, known, manager_of, planned, put, remove_request, take_away
from tests.support.statements import recorded_statements

NOW = at("2030-05-31 12:00")
GRID: dict[str, Any] = {"type": "START_GRID", "parameters": {"minutes": 60}}
MORNINGS = [{"weekday": day, "opens": "08:00", "closes": "12:00"} for day in range(1, 8)]


def venue_of(resource: Resource) -> VenueKey:
    return VenueKey(resource.organization_id, resource.venue_id)


async def of(database: Database, change: RuleChange, **asked: Any) -> Preview:
    return await preview(database, change, Question(**asked), load=partial(read_timelines, database), now=NOW)


def shown(rules: tuple[BookingRule, ...]) -> list[Any]:
    return [next(iter(rule.parameters.values())) for rule in rules]


async def test_a_dry_run_writes_nothing(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)
    await make_booking(database, resource, "10:10")
    rule = key_of_rule((await put(database, key_of(resource), type="START_GRID", parameters={"minutes": 5})).rule)
    before, version = await rows_of(owner), await owner.fetchval("SELECT sum(version) FROM booking_rule")
    for change in (
        await planned(database, venue_of(resource), **GRID),
        await planned(database, rule, parameters={"minutes": 60}, priority=7),
        await plan(database, manager_of(rule), remove_request(rule)),
    ):
        await of(database, change)
        await breaks(database, change, now=NOW)
    assert await rows_of(owner) == before
    assert await owner.fetchval("SELECT sum(version) FROM booking_rule") == version


async def test_it_says_who_decides_on_the_day_at_each_resource(database: Database) -> None:
    venue = await make_venue(database)
    own = await make_resource(database, venue=venue, slug="a-own", rules={"START_GRID": {"minutes": 5}})
    await make_resource(database, venue=venue, slug="b-venues")
    await make_resource(database, venue=venue, slug="c-tours", availability_type=AvailabilityType.START_TIME)
    august = {"valid_from": date(2030, 8, 1), "valid_until": date(2030, 9, 1)}
    change = await planned(database, venue_of(own), **GRID, **august)
    in_august = await of(database, change, day=date(2030, 8, 1))
    assert in_august.resource_count == 3
    assert [(shown(one.before), shown(one.after)) for one in in_august.decisions] == [([5], [5]), ([], [60]), ([], [])]
    before = await of(database, change)
    assert before.day == date(2030, 5, 31)
    assert [shown(one.after) for one in before.decisions] == [[5], [], []]


async def test_today_is_the_venue_s(database: Database) -> None:
    resource = await make_resource(database, venue=await make_venue(database, time_zone="Pacific/Auckland"))
    assert (await of(database, await planned(database, key_of(resource), **GRID))).day == date(2030, 6, 1)


async def test_it_tells_of_at_most_100_resources(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_preview, "RESOURCES_MAX", 2)
    venue = await make_venue(database)
    resources = [await make_resource(database, venue=venue, slug=f"room-{n}") for n in range(3)]
    found = await of(database, await planned(database, venue_of(resources[0]), **GRID))
    assert (found.resource_count, [one.facts.key for one in found.decisions]) == (3, [key_of(r) for r in resources[:2]])


async def test_a_venue_without_resources_has_a_preview(database: Database) -> None:
    venue = await make_venue(database)
    change = await planned(database, VenueKey(venue.organization_id, venue.id), **GRID)
    assert (await of(database, change)).decisions == ()
    assert (await breaks(database, change, now=NOW)).count == 0


async def test_a_sample_is_answered_before_and_after(database: Database) -> None:
    resource = await make_resource(database)
    await make_booking(database, resource)
    change = await planned(database, key_of(resource), **GRID)
    wish = Wish(window=between("10:10", "11:00"))
    sample = (await of(database, change, resource=key_of(resource), wish=wish)).sample
    assert sample is not None
    assert [refusal.code for refusal in sample.before] == ["SOLD_OUT"]
    assert [refusal.code for refusal in sample.after] == ["OFF_GRID", "SOLD_OUT"]


async def test_a_sample_is_of_a_resource_that_the_rule_is_of(database: Database) -> None:
    resource = await make_resource(database)
    change = await planned(database, key_of(resource), **GRID)
    neighbour, stranger = await make_resource(database, beside=resource), await make_resource(database)
    wish = Wish(window=between("10:00", "11:00"))
    for other in (key_of(neighbour), key_of(stranger), ResourceKey(resource.organization_id, stranger.id)):
        with pytest.raises(NotFound) as refusal:
            await of(database, change, resource=other, wish=wish)
        assert refusal.value.path == ("input", "sample", "resourceId")
    with pytest.raises(InvalidInput) as nonsense:
        await of(database, change, resource=key_of(resource), wish=Wish(stay=(date(2030, 6, 1), date(2030, 6, 2))))
    assert nonsense.value.path[:2] == ("input", "sample")


async def test_it_names_the_live_bookings_to_come_that_would_not_fit(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=20)
    late = await make_booking(database, resource, "14:10", "15:00")
    held, pending = await make_hold(database, resource, "11:10"), await make_pending(database, resource, "11:20")
    await make_booking(database, resource, "10:00")
    over = await make_hold(database, resource, "11:30")
    await let_run_out(owner, over)
    gone = await make_booking(database, resource, "11:40")
    await calls.change_booking(database, change_of(gone, BookingAction.CANCEL))
    await make_booking(database, resource, "09:10")
    now = at("10:00")
    change = await planned(database, key_of(resource), **GRID)
    found = await breaks(database, change, now=now)
    assert found.references == tuple(record.booking.reference for record in (held, pending, late))
    assert (found.count, found.is_complete) == (3, True)

    outcome = await put(database, key_of(resource), **GRID)
    assert await breaks(database, outcome.change, now=now) == found
    for record in (late, held, pending):
        assert await status_of(owner, record.booking.id) == record.booking.status, "what is booked stays"


async def test_a_booking_counts_once_and_the_look_is_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = await make_resource(database, capacity=20)
    twice = await make_booking(
        database,
        resource,
        "10:10",
        "10:20",
        also=(item_of(resource, "10:30", "10:40"), item_of(resource, "12:00", "12:10")),
    )
    records = [await make_booking(database, resource, f"13:{minute}", "14:00") for minute in (10, 20, 30)]
    change = await planned(database, key_of(resource), **GRID)
    monkeypatch.setattr(rule_preview, "REFERENCES_MAX", 2)
    found = await breaks(database, change, now=NOW)
    assert found == rule_preview.Breaks(4, (twice.booking.reference, records[0].booking.reference), is_complete=True)
    monkeypatch.setattr(rule_preview, "ITEMS_MAX", 4)
    assert (await breaks(database, change, now=NOW)).count == 2
    assert not (await breaks(database, change, now=NOW)).is_complete


async def test_only_where_and_when_the_rule_would_decide(database: Database) -> None:
    venue = await make_venue(database, time_zone="UTC")
    own = await make_resource(database, venue=venue, rules={"START_GRID": {"minutes": 5}})
    other = await make_resource(database, venue=venue, capacity=5)
    for resource in (own, other):
        await make_booking(database, resource, "10:10")
    later = await make_booking(database, other, "2030-07-01 10:10", "2030-07-01 11:00")
    change = await planned(database, venue_of(own), **GRID, valid_from=date(2030, 7, 1))
    assert (await breaks(database, change, now=NOW)).references == (later.booking.reference,)
    change = await planned(database, venue_of(own), **GRID)
    assert (await breaks(database, change, now=NOW)).count == 2


async def test_what_decides_instead_of_a_rule_that_goes_is_asked(database: Database) -> None:
    resource = await make_resource(database, rules={"OPENING_HOURS": {"weekly": MORNINGS}}, capacity=5)
    all_day = [{**hours, "closes": "20:00"} for hours in MORNINGS]
    rule = key_of_rule(
        (await put(database, key_of(resource), type="OPENING_HOURS", parameters={"weekly": all_day}, priority=1)).rule
    )
    evening = await make_booking(database, resource, "16:00", "17:00")
    await make_booking(database, resource, "09:00", "10:00")
    change = await plan(database, manager_of(rule), remove_request(rule))
    expected = (evening.booking.reference,)
    assert (await breaks(database, change, now=NOW)).references == expected
    assert (await breaks(database, await planned(database, rule, priority=-1), now=NOW)).references == expected
    assert (await breaks(database, (await take_away(database, rule)).change, now=NOW)).references == expected


async def test_a_booking_is_judged_as_of_when_it_was_made(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tomorrow's booking of last month has kept a notice of two days."""
    resource = await make_resource(database, capacity=5)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    times = [f"{tomorrow + timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(2)]
    of_old, of_now = [await make_booking(database, resource, *times) for _ in range(2)]
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE booking SET created_at = created_at - interval '30 days' WHERE id = $1", of_old.booking.id
        )
    with known(monkeypatch, HoursAhead):
        change = await planned(database, key_of(resource), type="HOURS_AHEAD", parameters={"hours": 48})
        found = await breaks(database, change, now=datetime.now(UTC))
    assert found.references == (of_now.booking.reference,)


async def test_nights_are_judged_as_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    venue = await make_venue(database, time_zone="UTC", check_in_time=time(15), check_out_time=time(11))
    room = await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    await make_booking(database, room, "2030-06-01 15:00", "2030-06-03 11:00")
    with known(monkeypatch, HoursAhead):
        change = await planned(database, key_of(room), type="HOURS_AHEAD", parameters={"hours": 1})
        asked: list[Any] = []
        monkeypatch.setattr(HoursAhead, "evaluate", lambda rule, request, facts: asked.append(request.stay))
        await breaks(database, change, now=NOW)
    assert asked == [(date(2030, 6, 1), date(2030, 6, 3))]


async def test_the_number_of_statements_does_not_grow(database: Database) -> None:
    counts = []
    for resources in (2, 6):
        venue = await make_venue(database)
        key = VenueKey(venue.organization_id, venue.id)
        for _ in range(resources):
            await make_booking(database, await make_resource(database, venue=venue), "10:10")
        with recorded_statements(database) as statements:
            change = await planned(database, key, **GRID)
            await of(database, change)
            assert (await breaks(database, change, now=NOW)).count == resources
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_a_preview_is_what_comes(database: Database) -> None:
    resource = await make_resource(database, rules={"START_GRID": {"minutes": 5}})
    key = key_of(resource)
    change = await planned(database, key, **GRID)
    expected = facts_after((await load_facts(database, [key]))[key], change)
    await put(database, key, **GRID)
    found = (await load_facts(database, [key]))[key]
    assert found.rules.on(date(2030, 6, 1)) == expected.rules.on(date(2030, 6, 1))
