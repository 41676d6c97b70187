"""A day of a calendar is the best of its slots, though few of them are looked at."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from engine.availability import SlotAnswer, slots
from engine.calendar import DayAnswer, calendar
from engine.facts import ResourceFacts, facts_anew
from engine.reading import Reading, TimelineLoader
from engine.rules.base import RuleRequest
from engine.vacancies import Vacancies
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView
from tests.support.factories import at, key_of, make_resource, make_venue

FIRST, LAST = date(2030, 6, 1), date(2030, 6, 8)
AROUND = Interval(at("2030-05-30 00:00"), at("2030-06-10 00:00"))
HOUR = timedelta(hours=1)
RULES: dict[str, dict[str, Any]] = {
    "OPENING_HOURS": {"weekly": [{"weekday": n, "opens": "09:00", "closes": "18:00"} for n in range(1, 7)]},
    "START_GRID": {"minutes": 30},
    "DURATION": {"minMinutes": 90, "maxMinutes": 90},
    "BLACKOUT": {"from": "2030-06-04T11:00", "until": "2030-06-04T15:00"},
    "NOTICE": {"minMinutes": 120},
    "BUFFERS": {"beforeMinutes": 20, "afterMinutes": 40},
}


def view_of(facts: ResourceFacts, window: Interval, taken: random.Random, *, empty: bool = False) -> TimelineView:
    """Of some hours as much may be taken as of any other; some are closed."""
    starts, steps = window.starts_at, []
    while starts < window.ends_at:
        ends = min(starts + HOUR * taken.randrange(1, 6), window.ends_at)
        shut = not empty and taken.random() < 0.1
        steps.append(Step(starts, ends, 4, 0 if empty else taken.randrange(5), None, shut))
        starts = ends
    return TimelineView(facts.key, facts.version, facts.catalog_version, window, tuple(steps))


def loader(view: TimelineView) -> TimelineLoader:
    """Answers out of the view."""

    async def load(questions: Sequence[tuple[ResourceKey, Interval]]) -> list[TimelineView]:
        return [view.of(window, view.over(window)) for _, window in questions]

    return load


@pytest.mark.parametrize("seed", range(6))
async def test_a_day_is_the_best_of_its_slots(database: Database, seed: int) -> None:
    hall = await make_resource(database, venue=await make_venue(database, time_zone="UTC"), capacity=4, rules=RULES)
    facts = await facts_anew(database, key_of(hall))
    now, read = at("2030-06-02 12:40"), loader(view_of(facts, AROUND, random.Random(seed)))
    for quantity in (1, 3):
        ask = partial(slots, facts, quantity=quantity, load=read, now=now)
        for day in await calendar(facts, FIRST, LAST, quantity=quantity, load=read, now=now):
            midnight = at(f"{day.date} 00:00")
            assert _told(day) == _best(await ask(Interval(midnight, midnight + 24 * HOUR)), now)


async def test_on_an_empty_day_one_slot_is_looked_at(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[RuleRequest] = []
    left = Reading.left

    def counted(self: Reading, request: RuleRequest) -> Vacancies:
        looked.append(request)
        return left(self, request)

    monkeypatch.setattr(Reading, "left", counted)
    venue = await make_venue(database, time_zone="UTC")
    hall = await make_resource(database, venue=venue, capacity=4, rules={"START_GRID": {"minutes": 15}})
    facts = await facts_anew(database, key_of(hall))
    read = loader(view_of(facts, AROUND, random.Random(1), empty=True))
    await calendar(facts, FIRST, LAST, load=read, now=at("2030-05-30 12:00"))
    assert len(looked) < 3 * (LAST - FIRST).days


def _best(found: list[SlotAnswer], now: datetime) -> object:
    coming = [slot for slot in found if slot.interval.starts_at >= now] or found
    if not coming:
        return 0, 0, "CLOSED", ["CLOSED"]
    return _told(min(coming, key=lambda slot: (not slot.bookable, -slot.vacancies, slot.interval)))


def _told(answer: SlotAnswer | DayAnswer) -> object:
    return answer.capacity, answer.vacancies, answer.status, [refusal.code for refusal in answer.refusals]
