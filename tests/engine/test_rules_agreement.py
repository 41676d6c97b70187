"""Whatever the rules are and whatever is booked: what `availability` says at a version, `hold` says at that version.

Thousands of random sets of rules of all kinds, states, viewers and requests. Reading tells every reason; booking tells
those of the pure rules at once, and else every one of the rules that count and of the capacity.
"""

import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from engine.availability import Wish, availability, interval_of, refusals_of
from engine.conditions import AskedItem, Known, for_ledger, refusal_of
from engine.counts import Counts
from engine.facts import ResourceFacts, load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.rules.base import Condition, Refusal, Rule
from engine.rules.capacity_share import CapacityShare
from engine.rules.customer_limit import CustomerLimit
from engine.rules.gap import Gap
from engine.rules.no_overlap import NoOverlap
from engine.rules.pacing import Pacing
from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.errors import BookingError, Refused
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction, HoldCondition
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType, BookingRule, Resource, Sharing
from models.venue import Venue
from tests.support.audits import assert_audit_clean
from tests.support.factories import (
    adjust_of,
    at,
    change_of,
    key_of,
    let_run_out,
    make_requirement,
    make_resource,
    make_venue,
)

NOW = at("2030-05-31 12:00")
DAY = at("00:00")
EXAMPLES = int(os.environ.get("VACANCY_TEST_EXAMPLES", "80"))
SHARES = 2
RULE_SETS = -(-EXAMPLES // SHARES)
ROUNDS_PER_SET = 25
SETS_TO_SEE_ALL = 40
NIGHTS = 16
NOTHING_REACHES = 1_000_000

Parameters = Mapping[str, Any]

BY_THE_HOUR: dict[str, list[Parameters]] = {
    "START_GRID": [{"minutes": 60}, {"minutes": 120}],
    "PACING": [
        {"minutes": 60, "max": 2},
        {"minutes": 240, "max": 4},
        {"minutes": 1440, "max": 9, "of": "GUESTS"},
    ],
    "BUFFERS": [{"beforeMinutes": 60}, {"afterMinutes": 90}, {"beforeMinutes": 30, "afterMinutes": 150}],
}
BY_THE_NIGHT: dict[str, list[Parameters]] = {
    "GAP": [{"nights": 2}, {"nights": 3}],
    "BUFFERS": [{"afterMinutes": 60}, {"afterMinutes": 1440}],
}
ANYWHERE: dict[str, list[Parameters]] = {
    "CUSTOMER_LIMIT": [
        {"max": 2, "scope": "RESOURCE"},
        {"max": 4, "scope": "VENUE"},
        {"max": 5, "scope": "ORGANIZATION"},
    ],
    "NO_OVERLAP": [{"scope": scope} for scope in ("RESOURCE", "VENUE", "ORGANIZATION")],
    "CAPACITY_SHARE": [{"percent": 40}, {"percent": 67}],
    "APPROVAL_REQUIRED": [{"withinHours": 2}],
}
COUNTING = {"CUSTOMER_LIMIT", "CUSTOMER_OVERLAP", "PACING_LIMIT", "PARTY_TOO_LARGE", "GAP_LEFT"}


@pytest.mark.timeout(120 + 2 * EXAMPLES)
@pytest.mark.parametrize("share", range(SHARES))
async def test_reading_and_booking_agree(
    database: Database, database_url: str, owner: asyncpg.Connection, share: int
) -> None:
    seen = await _Play(database, owner, random.Random(share)).run(RULE_SETS)
    await assert_audit_clean(database_url)
    if RULE_SETS >= SETS_TO_SEE_ALL:
        assert COUNTING | {"BOOKED", "SOLD_OUT", "CLOSED", "ACTIVITY_CONFLICT", "OFF_GRID"} <= set(seen), seen


@pytest.mark.parametrize("path", ["reading", "booking"])
@pytest.mark.parametrize("rule", [CapacityShare, CustomerLimit, Gap, NoOverlap, Pacing])
async def test_control_with_a_rule_skipped_in_one_path_they_disagree(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, path: str, rule: type[Rule]
) -> None:
    def refuse(condition: Condition, items: Sequence[AskedItem], known: Known) -> Refusal | None:
        return None if condition.kind in rule.measures else refusal_of(condition, items, known)

    def ask(condition: Condition, items: Sequence[AskedItem]) -> HoldCondition:
        asked = for_ledger(condition, items)
        return replace(asked, max=NOTHING_REACHES) if condition.kind in rule.measures else asked

    if path == "reading":
        monkeypatch.setattr("engine.reading.refusal_of", refuse)
    else:
        monkeypatch.setattr("engine.decisions.for_ledger", ask)
    with pytest.raises(AssertionError, match="round"):
        await _Play(database, owner, random.Random(7)).run(200)


class _Play:
    """One database, and what happens in it by chance."""

    def __init__(self, database: Database, owner: asyncpg.Connection, chance: random.Random) -> None:
        self.database = database
        self.owner = owner
        self.chance = chance
        self.live: list[BookingRecord] = []
        self.seen: Counter[str] = Counter()

    async def run(self, rule_sets: int) -> Counter[str]:
        for number in range(rule_sets):
            if number % 10 == 0:
                self.venue, self.resources = await _resources(self.database)
                self.live = []
            await self._set_rules()
            for round_ in range(ROUNDS_PER_SET):
                await self._change_something()
                await self._ask(f"round {number}.{round_}")
        return self.seen

    async def _ask(self, name: str) -> None:
        resource = self.chance.choice(self.resources)
        viewer = self._viewer()
        facts = (await load_facts(self.database, [key_of(resource)]))[key_of(resource)]
        wish = self._wish(facts)
        answer = await availability(
            facts, wish, load=partial(read_timelines, self.database), counts=Counts(self.database, viewer), now=NOW
        )
        told = [refusal.code for refusal in answer.refusals]
        pure = [refusal.code for refusal in refusals_of(facts, wish, interval_of(facts, wish), now=NOW)]
        request = HoldRequest(
            key=f"agreement-{self.chance.random()}-{name}",
            request_hash=b"hash",
            items=(ItemRequest(key_of(resource), wish),),
            contact=NO_CONTACT,
            expected={key_of(resource): answer.version},
        )
        answered = await self._held(viewer, request)
        rules = [(rule.type, rule.parameters) for rule in facts.stored_rules]
        assert answered == (pure or told), f"{name}: {viewer.actor} {wish} of {resource.slug} with {rules}: {told}"
        assert set(pure) <= set(told)
        self.seen.update(told or ["BOOKED"])

    async def _held(self, viewer: Viewer, request: HoldRequest) -> list[str]:
        try:
            record = await hold(self.database, viewer, request, now=NOW)
        except Refused as error:
            return [one.code for one in error.errors]
        except BookingError as error:
            return [error.code]
        self.live.append(record)
        return []

    async def _change_something(self) -> None:
        if self.live and self.chance.random() < 0.3:
            record = self.live.pop(self.chance.randrange(len(self.live)))
            what = self.chance.choice(["release", "run out", "confirm"])
            if what == "run out":
                await let_run_out(self.owner, record)
            else:
                action = BookingAction.RELEASE if what == "release" else BookingAction.CONFIRM
                await calls.change_booking(self.database, change_of(record, action))
        if self.chance.random() < 0.05:
            resource, start = self.chance.choice(self.resources), self.chance.randrange(20)
            closed = self.chance.random() < 0.5
            await calls.adjust(
                self.database, adjust_of(resource, f"{start:02}:00", f"{start + 3:02}:00", closed=closed)
            )

    async def _set_rules(self) -> None:
        """Other rules than before, of resources and of the venue, some of them for some days only."""
        async with self.database.writing(self.venue.organization_id) as session:
            for row in await session.exec(_rules_of(self.venue)):
                row.is_removed = True
        async with self.database.writing(self.venue.organization_id) as session:
            for resource in self.resources:
                is_night = resource.availability_type == AvailabilityType.NIGHTLY
                for type_, choices in ((BY_THE_NIGHT if is_night else BY_THE_HOUR) | ANYWHERE).items():
                    if self.chance.random() < 0.35:
                        session.add(self._rule(type_, choices, resource_id=resource.id))
            for type_, choices in ANYWHERE.items():
                if self.chance.random() < 0.2:
                    session.add(self._rule(type_, choices, venue_id=self.venue.id))

    def _rule(self, type_: str, choices: list[Parameters], **scope: Any) -> BookingRule:
        return BookingRule(
            organization_id=self.venue.organization_id,
            type=type_,
            parameters=dict(self.chance.choice(choices)),
            valid_from=date(2030, 6, 3) if self.chance.random() < 0.1 else None,
            **scope,
        )

    def _viewer(self) -> Viewer:
        organization_id = self.venue.organization_id
        name = self.chance.choice(["ada", "grace"])
        return self.chance.choice(
            [
                Viewer(Role.CUSTOMER, organization_id, name),
                Viewer(Role.CUSTOMER, organization_id, name),
                Viewer(Role.PARTNER, organization_id, name),
                GUEST,
            ]
        )

    def _wish(self, facts: ResourceFacts) -> Wish:
        quantity = self.chance.randrange(1, 4)
        if facts.resource.availability_type == AvailabilityType.NIGHTLY:
            arrival = date(2030, 5, 31) + timedelta(days=self.chance.randrange(NIGHTS))
            nights = self.chance.randrange(1, 5)
            return Wish(stay=(arrival, arrival + timedelta(days=nights)), quantity=self.chance.choice([1, 1, quantity]))
        start = DAY + timedelta(hours=self.chance.randrange(24))
        return Wish(
            window=Interval(start, start + timedelta(hours=self.chance.randrange(1, 6))),
            quantity=quantity,
            activity=self.chance.choice([None, "laps", "gym"]),
        )


def _rules_of(venue: Venue) -> SelectOfScalar[BookingRule]:
    return select(BookingRule).where(
        BookingRule.organization_id == venue.organization_id, col(BookingRule.is_removed).is_(False)
    )


async def _resources(database: Database) -> tuple[Venue, list[Resource]]:
    venue = await make_venue(database, time_zone="UTC", check_in_time=time(15), check_out_time=time(11))
    hall = await make_resource(database, venue=venue, capacity=6)
    room = await make_resource(database, venue=venue, capacity=3, sharing=Sharing.EXCLUSIVE)
    lanes = await make_resource(database, venue=venue, capacity=4, sharing=Sharing.SAME_ACTIVITY)
    floor = await make_resource(database, venue=venue, capacity=2)
    await make_requirement(database, floor, hall, per_unit=2, per_booking=1)
    await make_requirement(database, floor, room, per_booking=1)
    await make_requirement(database, floor, lanes, per_unit=1)
    single, double = [
        await make_resource(database, venue=venue, capacity=capacity, availability_type=AvailabilityType.NIGHTLY)
        for capacity in (1, 2)
    ]
    return venue, [hall, room, lanes, floor, single, single, double]
