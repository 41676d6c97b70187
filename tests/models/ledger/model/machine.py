"""The machine: asks the oracle and the ledger the same, step by step, and compares answers and all that is stored."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from models.ledger.requests import BookingAction
from tests.models.ledger.model.asks import SLOTS, Adjust, Ask, Change, Hold, Item
from tests.models.ledger.model.oracle import Oracle, Thing
from tests.models.ledger.model.world import Connections, connections

STEPS_PER_EXAMPLE = 30
LENGTH_MAX = 5
HELD_AT_FIRST_MAX = 3

Window = tuple[int | None, int | None]


class Disagreement(AssertionError):
    """The ledger says or stores something else than the oracle."""


@dataclass
class Tally:
    """How often each kind of request was compared, and each answer to it."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Rig:
    """A loop for machines, which are not asynchronous, and the connections that live in it."""

    runner: asyncio.Runner
    connections: Connections
    tally: Tally = field(default_factory=Tally)


def things() -> dict[str, Thing]:
    """Every way of sharing, requirements per unit and per booking; holds of three lengths, one that is not extended."""
    return {
        "hall": Thing("SHARED", base=4, hold=2, ceiling=6),
        "pool": Thing("SAME_ACTIVITY", base=4, hold=1, ceiling=4),
        "room": Thing("EXCLUSIVE", base=2, hold=3, ceiling=3),
        "tour": Thing("EXCLUSIVE", base=3, hold=2, ceiling=5, requires={"hall": (1, 0), "pool": (0, 1)}),
        "camp": Thing("SHARED", base=3, hold=3, ceiling=6, requires={"hall": (1, 1), "room": (0, 1)}),
    }


NAMES = st.sampled_from(list(things()))
STARTS = st.integers(0, SLOTS - 1)
LENGTHS = st.integers(1, LENGTH_MAX)
LAGS = st.sampled_from([None, None, None, None, 0, 0, 1])
"""How many versions old what the caller looked at is; None: it does not say."""

ITEMS = st.builds(
    lambda resource, start, length, quantity, activity: Item(
        resource, start, min(start + length, SLOTS), quantity, activity
    ),
    NAMES,
    STARTS,
    LENGTHS,
    st.integers(1, 3),
    st.sampled_from(["yoga", "chess", None]),
)
WINDOWS = st.one_of(
    st.builds(lambda start, length: (start, min(start + length, SLOTS)), STARTS, LENGTHS),
    st.tuples(STARTS | st.none(), st.none()),
)
# Half of the time one that is live: most of what was ever booked has ended.
BOOKINGS = st.runner().flatmap(
    lambda machine: st.sampled_from(machine.oracle.live() or machine.all()) | st.sampled_from(machine.all())
)
ASKED = st.runner().flatmap(lambda machine: st.sampled_from(machine.made))
MOMENTS = st.runner().flatmap(lambda machine: st.sampled_from(machine.oracle.moments()))


class LedgerMachine(RuleBasedStateMachine):
    """One organization's life, twice."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self.rig = rig
        self.oracle = Oracle(things())
        self.made: list[Ask] = []
        self.asked = 0
        self.world = rig.runner.run(rig.connections.make(self.oracle.things))

    @initialize(items=st.lists(ITEMS, min_size=1, max_size=HELD_AT_FIRST_MAX))
    def hold_at_first(self, items: list[Item]) -> None:
        for item in items:
            self._ask(Hold(self._key(), 0, (item,), None))

    @rule(items=st.lists(ITEMS, min_size=1, max_size=2), lag=LAGS)
    def hold(self, items: list[Item], lag: int | None) -> None:
        expected = None if lag is None else self.oracle.things[items[0].resource].version - lag
        self._ask(Hold(self._key(), 0, tuple(items), expected))

    @precondition(lambda self: self.oracle.parties)
    @rule(booking=BOOKINGS, action=st.sampled_from(BookingAction), lag=LAGS)
    def change(self, booking: int, action: BookingAction, lag: int | None) -> None:
        expected = None if lag is None else self.oracle.parties[booking].version - lag
        self._ask(Change(self._key(), booking, action, expected))

    @rule(resource=NAMES, window=WINDOWS, capacity=st.integers(0, 5), lag=LAGS)
    def set_capacity(self, resource: str, window: Window, capacity: int, lag: int | None) -> None:
        self._adjust(resource, window, capacity, None, lag)

    @rule(resource=NAMES, window=WINDOWS, closed=st.booleans(), lag=LAGS)
    def close_or_reopen(self, resource: str, window: Window, closed: bool, lag: int | None) -> None:
        self._adjust(resource, window, None, closed, lag)

    @rule(ask=ASKED | st.none())
    def repeat(self, ask: Ask | None) -> None:
        """Once more what was asked last, or at any time before."""
        self._ask(ask or self.made[-1])

    @rule(ask=ASKED, other=ASKED)
    def ask_under_the_key_of_another(self, ask: Ask, other: Ask) -> None:
        self._ask(replace(ask, key=other.key))

    @rule(slot=MOMENTS)
    def move_clock(self, slot: int) -> None:
        self.oracle.now = slot
        self.rig.runner.run(self.world.move_clock(slot))

    @precondition(lambda self: any(self.oracle.over()))
    @rule(patient=st.booleans())
    def expire(self, patient: bool) -> None:
        expected, ended = self.oracle.sweep(), self.rig.runner.run(self.world.sweep(patient=patient))
        self.rig.tally.answers["Sweep", "DONE"] += 1
        _same("holds that ended", expected, ended)

    @precondition(lambda self: self.oracle.now)
    @rule()
    def fold(self) -> None:
        """The ledger says to where; the oracle, whether that is right."""
        for resource, slot in self.rig.runner.run(self.world.fold()).items():
            _same(f"{resource} is rightly folded to {slot}", True, self.oracle.fold(resource, slot))
        self.rig.tally.answers["Fold", "DONE"] += 1

    @invariant()
    def what_is_stored_is_what_was_counted(self) -> None:
        self.rig.runner.run(self._compare())

    def all(self) -> list[int]:
        return list(self.oracle.parties)

    def _ask(self, ask: Ask) -> None:
        """Ask both. Each attempt of a hold brings an id of its own, as the application's do."""
        if isinstance(ask, Hold):
            self.asked += 1
            ask = replace(ask, booking=self.asked)
        self.made.append(ask)
        expected = self.oracle.answer(ask)
        self.rig.tally.answers[type(ask).__name__, expected[0]] += 1
        _same(str(ask), expected, self.rig.runner.run(self.world.answer(ask)))

    def _adjust(
        self, resource: str, window: Window, capacity: int | None, closed: bool | None, lag: int | None
    ) -> None:
        expected = None if lag is None else self.oracle.things[resource].version - lag
        self._ask(Adjust(self._key(), resource, *window, capacity, closed, expected))

    def _key(self) -> str:
        return f"key of the ask number {len(self.made)}"

    async def _compare(self) -> None:
        versions = {name: thing.version for name, thing in self.oracle.things.items()}
        _same("versions", versions, await self.world.stored_versions())
        bookings = {number: self.oracle.booking(number) for number in self.oracle.parties}
        _same("bookings", bookings, await self.world.stored_bookings())
        for name, stored in (await self.world.stored_steps()).items():
            there = stored[0]
            for slot in range(SLOTS):
                there = stored.get(slot, there)
                _same(f"{name} at {slot}", self.oracle.step(name, slot), there)


@contextmanager
def rig(database_url: str, owner_url: str) -> Iterator[Rig]:
    """Connect to a database that the model has for itself, and take over its clock."""
    # A factory of its own: without one the runner would change which loop is the thread's.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        opened = connections(database_url, owner_url)
        connected = runner.run(opened.__aenter__())
        try:
            yield Rig(runner, connected)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def run(rig: Rig, *, examples: int, share: int | None, **how: Any) -> None:
    """Run examples of the machine, `share` being where chance starts (None: anywhere); raises Disagreement."""

    def machine() -> LedgerMachine:
        return LedgerMachine(rig)

    run_state_machine_as_test(
        machine if share is None else seed(share)(machine),  # type: ignore[arg-type]  # any factory will do
        settings=settings(max_examples=examples, stateful_step_count=STEPS_PER_EXAMPLE, **how),
    )


def _same(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Disagreement(f"{what}: the oracle has {expected}, the ledger {found}")
