"""Whatever happens in whatever order, the ledger answers as an oracle that counts, hour by hour, would."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from models.database import Database
from models.errors import BookingError
from models.interval import Interval
from models.ledger import calls
from models.ledger.requests import Adjust, BookingAction, BookingRecord, HoldItem
from models.resource import Resource, Sharing
from tests.support.factories import (
    at,
    change_of,
    command_of,
    hold_of,
    let_run_out,
    make_requirement,
    make_resource,
)
from tests.support.ledger import version_of
from tests.support.oracle import HOURS, Oracle, Party, Thing

STEPS_MIN = 6
STEPS_MAX = 20
DAWN = at("2030-06-01 00:00")
NAMES = st.sampled_from(["hall", "pool", "tour"])
START = st.integers(0, HOURS - 1)
LENGTH = st.integers(1, 4)
NUMBER = st.integers(0, 30)


@dataclass(frozen=True)
class Hold:
    resource: str
    start: int
    hours: int
    quantity: int
    activity: str | None


@dataclass(frozen=True)
class Change:
    """What is done to one of the bookings that there are, if there are any."""

    number: int
    action: BookingAction


@dataclass(frozen=True)
class RunOut:
    number: int


@dataclass(frozen=True)
class Sweep:
    pass


@dataclass(frozen=True)
class Set:
    """Capacity, or closed, for some hours or from then on."""

    resource: str
    start: int
    hours: int | None
    capacity: int | None
    closed: bool | None


HOLDS = st.builds(Hold, NAMES, START, LENGTH, st.integers(1, 3), st.sampled_from(["yoga", "chess", None]))
STEPS = st.lists(
    HOLDS
    | HOLDS
    | st.builds(Change, NUMBER, st.sampled_from([BookingAction.CONFIRM, BookingAction.RELEASE, BookingAction.CANCEL]))
    | st.builds(RunOut, NUMBER)
    | st.builds(Sweep)
    | st.builds(Set, NAMES, START, LENGTH | st.none(), st.integers(0, 5), st.none())
    | st.builds(Set, NAMES, START, LENGTH | st.none(), st.none(), st.booleans()),
    min_size=STEPS_MIN,
    max_size=STEPS_MAX,
)


def _hour(number: int) -> datetime:
    return DAWN + timedelta(hours=number)


@dataclass
class Play:
    """A venue in the ledger and the same in the oracle, side by side."""

    database: Database
    owner: asyncpg.Connection
    resources: dict[str, Resource]
    oracle: Oracle
    records: list[BookingRecord]

    async def step(self, step: object) -> None:
        """Do it to both, and compare what they say."""
        match step:
            case Hold():
                end = min(step.start + step.hours, HOURS)
                expected = self.oracle.hold(step.resource, step.start, end, step.quantity, step.activity)
                answer = await self._hold(step, end)
            case Change() if self.records:
                expected, answer = await self._change(step)
            case RunOut() if self.records:
                party, record = self._one(step.number)
                self.oracle.run_out(party)
                await let_run_out(self.owner, record)
                return
            case Sweep():
                self.oracle.sweep()
                organization_id = self.resources["hall"].organization_id
                await self.database.ledger.fetchval("SELECT worker_expire_over($1, 100, true)", organization_id)
                return
            case Set():
                expected, answer = await self._set(step)
            case _:
                return
        event(f"{type(step).__name__}: {answer}")
        assert answer == expected, step

    async def compare(self) -> None:
        """Everything that is stored, against everything that was counted."""
        for name, resource in self.resources.items():
            thing = self.oracle.things[name]
            assert await version_of(self.owner, resource) == thing.version, name
            stored = await self.owner.fetch(
                "SELECT t.capacity, t.taken, t.closed, t.sharing_key FROM unnest($2::timestamptz[]) hour"
                " CROSS JOIN LATERAL (SELECT * FROM timeline WHERE resource_id = $1 AND at <= hour"
                " ORDER BY at DESC LIMIT 1) t ORDER BY hour",
                resource.id,
                [_hour(hour) for hour in range(HOURS)],
            )
            for hour, row in enumerate(stored):
                counted = (thing.capacity[hour], self.oracle.taken(name, hour), thing.closed[hour])
                assert tuple(row)[:3] == counted, (name, hour)
                assert _anonymous(row["sharing_key"]) == _anonymous(self.oracle.key(name, hour)), (name, hour)
        statuses = await self.owner.fetch(
            "SELECT status FROM booking WHERE id = ANY ($1) ORDER BY array_position($1, id)",
            [record.booking.id for record in self.records],
        )
        assert [row["status"] for row in statuses] == [party.status for party in self.oracle.parties]

    def _one(self, number: int) -> tuple[Party, BookingRecord]:
        position = number % len(self.records)
        return self.oracle.parties[position], self.records[position]

    async def _hold(self, step: Hold, end: int) -> str:
        resource = self.resources[step.resource]
        request = hold_of(resource)
        item = HoldItem(resource.id, Interval(_hour(step.start), _hour(end)), step.quantity, step.activity)
        request = type(request)(request.command, request.booking_id, request.reference, (item,))
        try:
            self.records.append(await calls.hold(self.database, request))
        except BookingError as refusal:
            return refusal.code
        return "DONE"

    async def _change(self, step: Change) -> tuple[str, str]:
        party, record = self._one(step.number)
        ask = {
            BookingAction.CONFIRM: self.oracle.confirm,
            BookingAction.RELEASE: self.oracle.release,
            BookingAction.CANCEL: self.oracle.cancel,
        }
        expected = ask[step.action](party)
        try:
            await calls.change_booking(self.database, change_of(record, step.action))
        except BookingError as refusal:
            return expected, refusal.code
        return expected, "DONE"

    async def _set(self, step: Set) -> tuple[str, str]:
        resource = self.resources[step.resource]
        end = None if step.hours is None else min(step.start + step.hours, HOURS)
        if step.capacity is not None:
            expected = self.oracle.set_capacity(step.resource, step.start, end, step.capacity)
        else:
            expected = self.oracle.set_closed(step.resource, step.start, end, bool(step.closed))
        request = Adjust(
            command_of(resource.organization_id),
            resource.id,
            _hour(step.start),
            None if end is None else _hour(end),
            step.capacity,
            step.closed,
        )
        try:
            await calls.adjust(self.database, request)
        except BookingError as refusal:
            return expected, refusal.code
        return expected, "DONE"


def _anonymous(key: str | None) -> str | None:
    """A party's own key names its booking, which the oracle calls otherwise."""
    return "#" if key is not None and key.startswith("#") else key


async def _start(database: Database, owner: asyncpg.Connection) -> Play:
    hall = await make_resource(database, capacity=4)
    pool = await make_resource(database, beside=hall, capacity=4, sharing=Sharing.SAME_ACTIVITY)
    tour = await make_resource(database, beside=hall, capacity=3, sharing=Sharing.EXCLUSIVE)
    await make_requirement(database, tour, hall, per_unit=1)
    await make_requirement(database, tour, pool, per_booking=1)
    oracle = Oracle(
        {
            "hall": Thing([4] * HOURS, "SHARED"),
            "pool": Thing([4] * HOURS, "SAME_ACTIVITY"),
            "tour": Thing([3] * HOURS, "EXCLUSIVE", {"hall": (1, 0), "pool": (0, 1)}),
        }
    )
    return Play(database, owner, {"hall": hall, "pool": pool, "tour": tour}, oracle, [])


@pytest.mark.timeout(60 + settings().max_examples)
@given(steps=STEPS)
async def test_the_ledger_answers_as_the_oracle(
    database: Database, owner: asyncpg.Connection, steps: list[object]
) -> None:
    play = await _start(database, owner)
    for step in steps:
        await play.step(step)
        await play.compare()
