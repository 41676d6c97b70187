"""Series as the resolvers call them: what rules refuse is told by date, and reading agrees with booking."""

import random
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from engine.availability import Wish
from engine.facts import load_facts
from engine.occurrences import SeriesWish
from engine.series import DateOutcome, HeldSeries, SeriesMode, SeriesRefused, SeriesRequest, hold, preview
from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.errors import IdempotencyConflict, InvalidInput, NotFound
from models.interval import Interval
from models.ledger import calls
from models.ledger.requests import NO_CONTACT, Hold, HoldItem
from models.queries.timelines import read_timelines
from models.resource import BookingRule, Resource
from tests.support.factories import adjust_of, at, between, hold_of, key_of, make_requirement, make_resource, make_venue
from tests.support.statements import recorded_statements

NOW = at("2030-05-31 12:00")
WEEKLY = "FREQ=WEEKLY;COUNT=4"
SATURDAYS = {"weekly": [{"weekday": 6, "opens": "08:00", "closes": "20:00"}]}
MORNINGS = {"weekly": [{"weekday": number, "opens": "10:00", "closes": "13:00"} for number in range(1, 7)]}
NEVER_ON_SATURDAYS = {"weekly": [{"weekday": 7, "opens": "08:00", "closes": "20:00"}]}


def request_of(
    resource: Resource,
    wish: Wish | None = None,
    rule: str = WEEKLY,
    *,
    mode: SeriesMode = SeriesMode.ALL,
    key: str | None = None,
    request_hash: bytes = b"hash",
) -> SeriesRequest:
    series = SeriesWish(key_of(resource), wish or Wish(window=between("10:00", "11:00")), rule)
    return SeriesRequest(key or uuid.uuid4().hex, request_hash, series, NO_CONTACT, mode)


def codes(outcomes: Iterable[DateOutcome]) -> list[str]:
    return [",".join(refusal.code for refusal in one.refusals) for one in outcomes]


async def previewed(database: Database, request: SeriesRequest) -> list[DateOutcome]:
    facts = (await load_facts(database, [request.wish.resource]))[request.wish.resource]
    return await preview(facts, request.wish, load=partial(read_timelines, database), now=NOW)


async def refused(database: Database, request: SeriesRequest) -> tuple[DateOutcome, ...]:
    with pytest.raises(SeriesRefused) as refusal:
        await hold(database, GUEST, request, now=NOW)
    return refusal.value.outcomes


async def test_rules_refuse_by_date(database: Database) -> None:
    hall = await make_resource(database, capacity=2, rules={"OPENING_HOURS": SATURDAYS})
    request = request_of(hall, rule="FREQ=DAILY;COUNT=8", mode=SeriesMode.SKIP_CONFLICTS)
    expected = ["", *["OUTSIDE_OPENING_HOURS"] * 6, ""]
    assert codes(await previewed(database, request)) == expected
    assert codes(await refused(database, request_of(hall, rule="FREQ=DAILY;COUNT=8"))) == expected
    held = await hold(database, GUEST, request, now=NOW)
    assert codes(held.outcomes) == expected
    assert [one.booking is not None for one in held.outcomes] == [not code for code in expected]


async def test_the_first_reason_is_told_for_the_whole(database: Database) -> None:
    hall = await make_resource(database, rules={"OPENING_HOURS": SATURDAYS})
    with pytest.raises(SeriesRefused) as refusal:
        await hold(database, GUEST, request_of(hall, rule="FREQ=DAILY;COUNT=3"), now=NOW)
    assert refusal.value.code == "OUTSIDE_OPENING_HOURS"
    assert refusal.value.message.startswith("2 of 3 dates can not be booked; nothing was. On 2030-06-02: ")


async def test_one_answer_for_one_key_whatever_has_changed(database: Database) -> None:
    hall = await make_resource(database, capacity=1)
    await calls.hold(database, _on(hall, days=7))
    request = request_of(hall, mode=SeriesMode.SKIP_CONFLICTS)
    first = await hold(database, GUEST, request, now=NOW)
    assert codes(first.outcomes) == ["", "SOLD_OUT", "", ""]
    for later in (NOW, at("2030-06-01 10:30"), at("2031-06-01 10:30")):
        again = await hold(database, GUEST, request, now=later)
        assert (again.id, _ids(again), codes(again.outcomes)) == (first.id, _ids(first), codes(first.outcomes))
    other = request_of(hall, mode=SeriesMode.SKIP_CONFLICTS, key=request.key, request_hash=b"other")
    for later in (NOW, at("2031-06-01 10:30")):
        with pytest.raises(IdempotencyConflict):
            await hold(database, GUEST, other, now=later)


async def test_a_rule_that_is_set_meanwhile_decides(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set between the reading of the rules and the admission, which sees that and has it decided anew."""
    hall = await make_resource(database, capacity=9)
    read = load_facts
    loads = 0

    async def and_then_a_rule(*arguments: Any) -> Any:
        nonlocal loads
        loads += 1
        found = await read(*arguments)
        if loads == 1:
            async with database.writing(hall.organization_id) as session:
                session.add(
                    BookingRule(
                        organization_id=hall.organization_id,
                        resource_id=hall.id,
                        type="OPENING_HOURS",
                        parameters=NEVER_ON_SATURDAYS,
                        valid_from=date(2030, 6, 8),
                        valid_until=date(2030, 6, 9),
                    )
                )
        return found

    monkeypatch.setattr("engine.series.load_facts", and_then_a_rule)
    held = await hold(database, GUEST, request_of(hall, mode=SeriesMode.SKIP_CONFLICTS), now=NOW)
    assert codes(held.outcomes) == ["", "OUTSIDE_OPENING_HOURS", "", ""]
    assert loads == 2


async def test_who_may_not_see_it_finds_nothing(database: Database) -> None:
    hidden = await make_resource(database, venue=await make_venue(database, is_published=False))
    with pytest.raises(NotFound) as refusal:
        await hold(database, GUEST, request_of(hidden), now=NOW)
    assert refusal.value.path == ("input", "resourceId")
    staff = Viewer(Role.STAFF, hidden.organization_id, "ada")
    assert len((await hold(database, staff, request_of(hidden), now=NOW)).outcomes) == 4


async def test_what_is_wrong_with_the_whole_names_its_place(database: Database) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await hold(database, GUEST, request_of(await make_resource(database), rule="FREQ=WEEKLY"), now=NOW)
    assert refusal.value.path == ("input", "recurrence")
    with pytest.raises(InvalidInput, match="idempotency key"):
        await hold(database, GUEST, request_of(await make_resource(database), key="short"), now=NOW)


async def test_customers_own_the_bookings_of_their_series(database: Database) -> None:
    hall = await make_resource(database)
    ada = Viewer(Role.CUSTOMER, hall.organization_id, "ada")
    held = await hold(database, ada, request_of(hall), now=NOW)
    assert {one.booking and one.booking.booking.customer_id for one in held.outcomes} == {"customer:ada"}


async def test_what_rules_count_is_counted_date_by_date_and_told_alike_again(database: Database) -> None:
    hall = await make_resource(database, capacity=9, rules={"CUSTOMER_LIMIT": {"max": 2}})
    ada = Viewer(Role.CUSTOMER, hall.organization_id, "ada")
    with pytest.raises(SeriesRefused) as refusal:
        await hold(database, ada, request_of(hall), now=NOW)
    expected = ["", "", "CUSTOMER_LIMIT", "CUSTOMER_LIMIT"]
    assert codes(refusal.value.outcomes) == expected
    request = request_of(hall, mode=SeriesMode.SKIP_CONFLICTS)
    held = await hold(database, ada, request, now=NOW)
    assert codes(held.outcomes) == expected
    again = await hold(database, ada, request, now=at("2031-06-01 10:30"))
    assert [one.refusals for one in again.outcomes] == [one.refusals for one in held.outcomes]
    assert _ids(again) == _ids(held)


async def test_holding_takes_as_many_statements_for_few_dates_as_for_many(database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    counts = []
    for rule in ("FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=100"):
        request = request_of(hall, rule=rule)
        await load_facts(database, [key_of(hall)])
        with recorded_statements(database) as statements:
            await hold(database, GUEST, request, now=NOW)
        counts.append(len(statements))
    assert counts == [2, 2]


@pytest.mark.parametrize("seed", range(3))
async def test_what_the_preview_calls_bookable_is_booked_and_nothing_else(database: Database, seed: int) -> None:
    """Random series of one hour a day, which take nothing from one another, over what others have taken and closed."""
    chance = random.Random(seed)
    hall = await make_resource(database, capacity=4, rules={"OPENING_HOURS": MORNINGS})
    room = await make_resource(database, beside=hall, capacity=5)
    await make_requirement(database, hall, room, per_unit=1, per_booking=1)
    for _ in range(12):
        await calls.hold(database, _on(chance.choice([hall, room]), days=chance.randrange(20)))
    closed = between("2030-06-10 00:00", "2030-06-12 00:00")
    closing = adjust_of(room, closed.starts_at.isoformat(), closed.ends_at.isoformat(), closed=True)
    await calls.adjust(database, closing)
    seen = {"all": 0, "some": 0, "none": 0}
    for _ in range(40):
        start = at("10:00") + timedelta(days=chance.randrange(6), minutes=30 * chance.randrange(-4, 5))
        wish = Wish(window=Interval(start, start + timedelta(hours=1)), quantity=chance.choice([1, 1, 2, 4]))
        rule = f"FREQ=DAILY;INTERVAL={chance.choice([1, 2, 7])};COUNT={chance.randrange(1, 9)}"
        looked = await previewed(database, request_of(hall, wish, rule))
        free = [not one.refusals for one in looked]
        mode = chance.choice(list(SeriesMode))
        request = request_of(hall, wish, rule, mode=mode)
        if not any(free) or (mode is SeriesMode.ALL and not all(free)):
            # Of a date that rules refuse, a hold does not look at what is taken.
            assert _first_codes(await refused(database, request)) == _first_codes(looked)
            seen["none"] += 1
            continue
        held = await hold(database, GUEST, request, now=NOW)
        assert [one.booking is not None for one in held.outcomes] == free
        assert [one.interval for one in held.outcomes] == [one.interval for one in looked]
        seen["all" if all(free) else "some"] += 1
    assert all(seen.values()), seen


def _on(resource: Resource, days: int) -> Hold:
    shift = timedelta(days=days)
    there = Interval(at("10:00") + shift, at("11:00") + shift)
    return replace(hold_of(resource), items=(HoldItem(resource.id, there, 1),))


def _first_codes(outcomes: Iterable[DateOutcome]) -> list[str]:
    return [one.refusals[0].code if one.refusals else "" for one in outcomes]


def _ids(held: HeldSeries) -> list[object]:
    return [one.booking and one.booking.booking.id for one in held.outcomes]
