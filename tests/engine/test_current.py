"""What is told is of one version: a rule that is set between facts and timelines is in it, or nobody is told."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import asyncpg
import pytest

from engine import facts as engine_facts
from engine import reading
from engine.alternatives import alternatives
from engine.availability import AvailabilityAnswer, Wish, availability, slots, timeline
from engine.calendar import calendar
from engine.current import READINGS_MAX, FactsMoved, while_current
from engine.facts import ResourceFacts, facts_anew
from engine.holds import HoldRequest, ItemRequest, hold
from engine.reading import TimelineLoader
from engine.viewer import GUEST
from models.database import Database
from models.errors import Busy, Refused
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger.requests import NO_CONTACT
from models.queries.timelines import TimelineView, read_timelines
from models.resource import BookingRule, Resource
from tests.support.factories import at, between, key_of, make_resource

NOW = at("2030-05-31 12:00")
WISH = Wish(window=between("10:00", "12:00"))


def and_then_a_rule(database: Database, hall: Resource, *, times: int = 1) -> tuple[TimelineLoader, list[int]]:
    """A loader before which, so many times, another day is closed; and a list that grows with each look."""
    looks: list[int] = []

    async def load(questions: Sequence[tuple[ResourceKey, Interval]]) -> Sequence[TimelineView]:
        looks.append(len(questions))
        if len(looks) <= times:
            await _close_a_day(database, hall, date(2030, 6, len(looks)))
        return await read_timelines(database, questions)

    return load, looks


async def _close_a_day(database: Database, hall: Resource, day: date) -> None:
    async with database.writing(hall.organization_id) as session:
        session.add(
            BookingRule(
                organization_id=hall.organization_id,
                resource_id=hall.id,
                type="STOP_SELL",
                parameters={"dates": [day.isoformat()]},
            )
        )


async def test_what_changes_between_the_two_is_told_under_the_version_that_has_it(database: Database) -> None:
    hall = await make_resource(database, capacity=2)
    facts = await facts_anew(database, key_of(hall))
    load, looks = and_then_a_rule(database, hall)

    answer = await while_current(
        facts, partial(availability, wish=WISH, load=load, now=NOW), partial(facts_anew, database)
    )

    assert (len(looks), answer.version) == (2, facts.version + 1)
    assert [refusal.code for refusal in answer.refusals] == ["CLOSED"]
    assert (await facts_anew(database, key_of(hall))).version == answer.version


async def test_control_unchecked_the_newer_version_is_told_with_the_rules_of_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told as bookable at that version is refused at that version."""
    monkeypatch.setattr(reading, "check_current", lambda facts, view: None)
    hall = await make_resource(database, capacity=2)
    facts = await facts_anew(database, key_of(hall))
    load, _ = and_then_a_rule(database, hall)

    answer = await availability(facts, WISH, load=load, now=NOW)

    assert (answer.version, answer.bookable) == (facts.version + 1, True)
    with pytest.raises(Refused, match="2030-06-01"):
        await _held_at(database, hall, answer)


@pytest.mark.parametrize(
    "ask",
    [
        partial(timeline, window=between("10:00", "12:00")),
        partial(slots, window=between("10:00", "12:00"), now=NOW),
        partial(calendar, first=date(2030, 6, 1), last=date(2030, 6, 2), now=NOW),
        partial(availability, wish=WISH, now=NOW),
        partial(alternatives, wish=WISH, now=NOW),
    ],
    ids=lambda ask: str(ask.func.__name__),
)
async def test_nobody_is_told_by_facts_that_moved(database: Database, ask: Callable[..., object]) -> None:
    hall = await make_resource(database, capacity=2)
    facts = await facts_anew(database, key_of(hall))
    load, looks = and_then_a_rule(database, hall, times=READINGS_MAX)

    async def look(facts: ResourceFacts) -> object:
        return await ask(facts, load=load)  # type: ignore[misc]

    with pytest.raises(FactsMoved) as busy:
        await while_current(facts, look, partial(facts_anew, database))

    assert len(looks) == READINGS_MAX
    assert isinstance(busy.value, Busy)
    assert busy.value.retryable


async def test_facts_are_of_one_snapshot(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is set after the resource was read, and before its rules are, is not among them."""
    hall = await make_resource(database)
    found = await _read_while_a_day_is_closed(database, hall, monkeypatch)
    assert (found.catalog_version, found.version, found.stored_rules) == (0, 0, ())
    assert len((await facts_anew(database, key_of(hall))).stored_rules) == 1


async def test_control_not_in_one_snapshot_they_have_what_their_version_has_not(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "reading", lambda self, one_snapshot=False, **more: _reading(self, **more))
    hall = await make_resource(database)
    found = await _read_while_a_day_is_closed(database, hall, monkeypatch)
    assert (found.catalog_version, len(found.stored_rules)) == (0, 1)


_reading = Database.reading
_set = engine_facts._set


async def _read_while_a_day_is_closed(
    database: Database, hall: Resource, monkeypatch: pytest.MonkeyPatch
) -> ResourceFacts:
    calls: list[object] = []

    async def and_then(session: object, model: object, *rest: object) -> object:
        calls.append(model)
        if len(calls) == 1:
            await _close_a_day(database, hall, date(2030, 6, 1))
        return await _set(session, model, *rest)  # type: ignore[arg-type]

    database.catalog.clear()
    monkeypatch.setattr(engine_facts, "_set", and_then)
    return await facts_anew(database, key_of(hall))


async def _held_at(database: Database, hall: Resource, answer: AvailabilityAnswer) -> None:
    item = ItemRequest(key_of(hall), WISH)
    expected = {key_of(hall): answer.version}
    await hold(database, GUEST, HoldRequest("current-" * 2, b"hash", (item,), NO_CONTACT, expected), now=NOW)
