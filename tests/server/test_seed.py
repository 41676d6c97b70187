"""The example data: as plans, which are pure, and as put into a database."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import asyncpg
import pytest

from engine.availability import timeline
from engine.calendar import DayAnswer, calendar
from engine.facts import ResourceFacts, load_facts
from engine.reading import TimelineLoader
from engine.rules.base import RuleFacts, RuleRequest
from engine.rules.registry import evaluate
from engine.vacancies import AvailabilityStatus
from models.booking import BookingStatus
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, ChangeBooking
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType, Sharing
from server.examples import EXAMPLES, atlas, lagoon, mirante
from server.examples.kinds import Example, ExampleBooking, Outcome
from server.examples.placing import adjust_all, book_all
from server.seed import adjustments_around, bookings_around, seed, seed_example
from tests.support.audits import assert_audit_clean
from tests.support.factories import command_of, make_organization

TODAY = date(2026, 11, 22)
A_YEAR = [date(2027, 1, 1) + timedelta(days=n) for n in range(365)]

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.slug)


@every_example
def test_a_plan_depends_on_the_calendar_alone(example: Example) -> None:
    assert bookings_around(example, TODAY) == bookings_around(example, TODAY)
    later = {booking.name: booking for booking in bookings_around(example, TODAY + timedelta(days=9))}
    both = [booking for booking in bookings_around(example, TODAY) if booking.name in later]
    assert len(both) > len(later) / 2
    assert all(later[booking.name] == booking for booking in both)


def test_ids_and_references_are_told_apart_and_in_the_order_of_time() -> None:
    bookings = [booking for example in EXAMPLES for booking in _planned(example, A_YEAR)]
    assert (
        len(bookings) == len({booking.id for booking in bookings}) == len({booking.reference for booking in bookings})
    )
    assert {(booking.id.version, booking.id.variant) for booking in bookings} == {(7, "specified in RFC 4122")}
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", b.reference) for b in bookings)
    in_view = bookings_around(mirante.EXAMPLE, TODAY)
    now_ms = int(datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp() * 1000)
    assert all(booking.id.int >> 80 < now_ms for booking in in_view), "what people book is listed after these"


@every_example
def test_all_bookings_of_a_year_fit_together(example: Example) -> None:
    taken: dict[str, list[tuple[Interval, int, ExampleBooking]]] = defaultdict(list)
    resources = {resource.slug: resource for resource in example.resources}
    for booking in _planned(example, A_YEAR):
        taken[booking.resource].append((booking.interval, booking.quantity, booking))
        for need in resources[booking.resource].needs:
            quantity = need.per_unit * booking.quantity + need.per_booking
            taken[need.slug].append((booking.interval, quantity, booking))
    assert set(taken) >= {resource.slug for resource in example.resources}
    for slug, claims in taken.items():
        for at in {interval.starts_at for interval, _, _ in claims}:
            there = [claim for claim in claims if claim[0].starts_at <= at < claim[0].ends_at]
            assert sum(quantity for _, quantity, _ in there) <= resources[slug].capacity, (slug, at)
            if resources[slug].sharing == Sharing.EXCLUSIVE:
                assert len(there) == 1, (slug, at)
            if resources[slug].sharing == Sharing.SAME_ACTIVITY:
                assert len({booking.activity for _, _, booking in there}) == 1, (slug, at)


@every_example
def test_every_booking_obeys_the_rules_and_no_closure_is_in_its_way(example: Example) -> None:
    resources = {resource.slug: resource for resource in example.resources}
    closures = [adjustment for day in A_YEAR for adjustment in example.adjustments(day) if adjustment.closed]
    for booking in _planned(example, A_YEAR):
        resource = resources[booking.resource]
        stay = None
        if resource.availability_type is AvailabilityType.NIGHTLY:
            interval = booking.interval
            stay = (interval.starts_at.date(), interval.ends_at.date())
        request = RuleRequest(booking.interval, stay, booking.quantity, booking.activity)
        facts = RuleFacts(example.zone, booking.interval.starts_at - timedelta(days=1), str(resource.availability_type))
        assert evaluate(resource.rules, request, facts) == [], booking.name
        assert not any(
            closure.resource == booking.resource and closure.interval.overlaps(booking.interval) for closure in closures
        )


@pytest.mark.parametrize("today", A_YEAR[::11], ids=str)
def test_on_any_day_of_the_year_there_is_something_to_see(today: date) -> None:
    bookings = [booking for example in EXAMPLES for booking in bookings_around(example, today)]
    assert 400 <= len(bookings) <= 900
    outcomes = Counter(booking.outcome for booking in bookings)
    assert outcomes[Outcome.CONFIRMED] > 10 * outcomes[Outcome.CANCELLED] > 0
    assert {b.resource for b in bookings} >= {"desk-hall", "pool-lanes", "yoga-class", "whole-floor", "whole-house"}
    assert any(adjustment.closed for adjustment in adjustments_around(atlas.EXAMPLE, today))
    assert any(adjustment.capacity for adjustment in adjustments_around(lagoon.EXAMPLE, today))
    assert all((b.contact.email or "").endswith("@example.com") for b in bookings)


async def test_a_second_run_changes_nothing(database: Database, database_url: str, owner: "asyncpg.Connection") -> None:
    said: list[str] = []
    await seed(database_url, say=said.append)
    assert len(said) == len(EXAMPLES)
    first = await _contents(owner)
    await seed(database_url, say=said.append)
    assert all("is up to date" in line for line in said[len(EXAMPLES) :])
    assert await _contents(owner) == first
    await assert_audit_clean(database_url)

    now = datetime.now(UTC)
    for example in EXAMPLES:
        planned = {
            (booking.id, booking.reference, booking.outcome.value)
            for booking in bookings_around(example, example.today(now))
        }
        rows = await owner.fetch("SELECT id, reference, status FROM booking WHERE organization_id = $1", example.id)
        assert {tuple(row) for row in rows} == planned, "every booking that was planned has found its place"
    await _assert_busy_and_free(database, now)


async def test_a_run_on_a_later_day_adds_what_has_come_into_view(
    database: Database, database_url: str, owner: "asyncpg.Connection"
) -> None:
    example = mirante.EXAMPLE
    await seed_example(database, example, today=TODAY)
    first = await _contents(owner)
    said = await seed_example(database, example, today=TODAY + timedelta(days=9))
    second = await _contents(owner)
    assert set(first["booking"]) < set(second["booking"])
    in_view = Interval(*(datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=n) for n in (-6, 36)))
    added = set(second["booking_item"]) - set(first["booking_item"])
    assert said == f"5 resources, {len(added)} bookings added"
    starts = await owner.fetch("SELECT starts_at FROM booking_item ORDER BY starts_at DESC LIMIT $1", len(added))
    assert min(row["starts_at"] for row in starts) > in_view.ends_at - timedelta(days=1)
    for table in ("organization", "venue", "directory", "booking_rule", "resource_requirement"):
        assert first[table] == second[table], table
    await assert_audit_clean(database_url)


async def test_what_people_did_stays(database: Database, database_url: str, owner: "asyncpg.Connection") -> None:
    example = lagoon.EXAMPLE
    await seed_example(database, example, today=TODAY)
    mine = next(b for b in bookings_around(example, TODAY) if b.outcome is Outcome.CONFIRMED)
    cancelled = await _change(database, example, mine, BookingAction.CANCEL)
    await owner.execute("UPDATE resource SET name = 'Our tour' WHERE id = $1", example.resource_id("lagoon-tour"))
    await owner.execute(
        "UPDATE booking_rule SET is_removed = true WHERE resource_id = $1", example.resource_id("guides")
    )

    await seed_example(database, example, today=TODAY + timedelta(days=1))
    found = await calls.read_booking(database, example.id, mine.id)
    assert found is not None
    assert (found.booking.status, found.booking.version) == (BookingStatus.CANCELLED, cancelled.booking.version)
    assert await owner.fetchval("SELECT name FROM resource WHERE id = $1", example.resource_id("lagoon-tour")) == (
        "Our tour"
    )
    assert not await owner.fetchval(
        "SELECT count(*) FROM booking_rule WHERE resource_id = $1 AND NOT is_removed", example.resource_id("guides")
    )
    await assert_audit_clean(database_url)


async def test_where_people_have_booked_an_example_stays_out(database: Database, database_url: str) -> None:
    example = lagoon.EXAMPLE
    await seed_example(database, example, today=TODAY)
    new = set(bookings_around(example, TODAY + timedelta(days=7))) - set(bookings_around(example, TODAY))
    assert new
    for interval in {booking.interval for booking in new}:
        everything = replace(
            next(iter(new)),
            name=f"people/{interval}",
            interval=interval,
            quantity=lagoon.TOUR_PLACES,
            outcome=Outcome.CONFIRMED,
        )
        assert await book_all(database, example, [everything]) == 1
    assert await seed_example(database, example, today=TODAY + timedelta(days=7)) == "3 resources, 0 bookings added"
    await assert_audit_clean(database_url)


async def test_an_interrupted_run_is_finished_by_the_next(database: Database, database_url: str) -> None:
    example = lagoon.EXAMPLE
    await seed_example(database, example, today=TODAY - timedelta(days=60))  # the catalog is there
    bookings = bookings_around(example, TODAY)
    half_done = [replace(booking, outcome=Outcome.ON_HOLD) for booking in bookings[: len(bookings) // 2]]
    assert await book_all(database, example, half_done) == len(half_done)
    added = len(bookings) - len(half_done)
    assert await seed_example(database, example, today=TODAY) == f"3 resources, {added} bookings added"
    found = [await calls.read_booking(database, example.id, booking.id) for booking in bookings]
    assert [record.booking.status for record in found if record] == [booking.outcome.value for booking in bookings]
    await assert_audit_clean(database_url)


async def test_two_runs_at_once_are_as_one(database: Database, database_url: str, owner: "asyncpg.Connection") -> None:
    example = lagoon.EXAMPLE
    await asyncio.gather(*(seed_example(database, example, today=TODAY) for _ in range(2)))
    rows = await owner.fetch("SELECT id, status FROM booking")
    assert {tuple(row) for row in rows} == {(b.id, b.outcome.value) for b in bookings_around(example, TODAY)}
    assert await owner.fetchval("SELECT count(*) FROM adjustment") == len(adjustments_around(example, TODAY))
    await assert_audit_clean(database_url)


async def test_staff_have_the_last_word_on_closures(database: Database, owner: "asyncpg.Connection") -> None:
    example = atlas.EXAMPLE
    first, *rest = adjustments_around(example, TODAY)
    await seed_example(database, replace(example, bookings=lambda day: ()), today=TODAY)
    count = await owner.fetchval("SELECT count(*) FROM adjustment")
    assert count == 1 + len(rest)
    opened = replace(first, closed=False, reason="We have changed our minds.")
    assert opened.interval == first.interval
    await adjust_all(database, example, [opened])
    assert await owner.fetchval("SELECT count(*) FROM adjustment") == count, "made once over this time, and no more"


async def test_an_organization_whose_name_is_taken_is_left_out(
    database: Database, database_url: str, owner: "asyncpg.Connection"
) -> None:
    await make_organization(database, slug=lagoon.EXAMPLE.slug)
    assert await seed_example(database, lagoon.EXAMPLE, today=TODAY) == "left out: This slug is taken."
    assert await owner.fetchval("SELECT count(*) FROM resource") == 0
    await assert_audit_clean(database_url)


def _planned(example: Example, days: Iterable[date]) -> list[ExampleBooking]:
    return [booking for day in days for booking in example.bookings(day)]


async def _contents(owner: "asyncpg.Connection") -> dict[str, list[str]]:
    """Every row of every table, as text."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return {
        table: [row[0] for row in await owner.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")] for (table,) in tables
    }


async def _assert_busy_and_free(database: Database, now: datetime) -> None:
    """In view: Saturdays' classes and a night of each room sold out, a closed day, and much that is free."""
    load: TimelineLoader = partial(read_timelines, database)

    async def days_of(example: Example, slug: str) -> list[DayAnswer]:
        facts = await _facts(database, example, slug)
        today = example.today(now)
        return await calendar(facts, today, today + timedelta(days=36), load=load, now=now)

    yoga = await days_of(atlas.EXAMPLE, "yoga-class")
    saturdays = [day for day in yoga if day.date.isoweekday() == 6 and day.date > atlas.EXAMPLE.today(now)]
    assert {day.status for day in saturdays} == {AvailabilityStatus.SOLD_OUT}
    assert any(day.bookable for day in yoga)
    pool = await days_of(atlas.EXAMPLE, "pool-lanes")
    assert any(day.status is AvailabilityStatus.CLOSED and day.date.isoweekday() == 7 for day in pool)
    for slug in (*mirante.ROOMS, "whole-house"):
        nights = await days_of(mirante.EXAMPLE, slug)
        assert {AvailabilityStatus.SOLD_OUT} < {night.status for night in nights}, slug
    tours = await days_of(lagoon.EXAMPLE, "lagoon-tour")
    assert any(tour.bookable for tour in tours)
    await _assert_a_busy_evening(database, now, load)


async def _assert_a_busy_evening(database: Database, now: datetime, load: TimelineLoader) -> None:
    facts = await _facts(database, atlas.EXAMPLE, "desk-hall")
    window = Interval(now, now + timedelta(days=14))
    steps = (await timeline(facts, window, load=load)).steps
    assert {AvailabilityStatus.SOLD_OUT, AvailabilityStatus.LIMITED, AvailabilityStatus.AVAILABLE} <= {
        step.status for step in steps
    }


async def _facts(database: Database, example: Example, slug: str) -> ResourceFacts:
    key = ResourceKey(example.id, example.resource_id(slug))
    return (await load_facts(database, [key]))[key]


async def _change(
    database: Database, example: Example, booking: ExampleBooking, action: BookingAction
) -> BookingRecord:
    command = command_of(example.id, actor="guest:1")
    return await calls.change_booking(database, ChangeBooking(command, booking.id, action, until_start=False))
