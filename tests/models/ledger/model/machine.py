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
from tests.models.ledger.model.asks import Adjust, Ask, Change, ChangeAll, Hold, Item, Part, Rebook, Series
from tests.models.ledger.model.focus import Focus
from tests.models.ledger.model.making import Connections, connections
from tests.models.ledger.model.oracle import Oracle
from tests.models.ledger.model.strategies import (
    APPROVALS,
    ASKED,
    BOOKINGS,
    CHANGES,
    DATES,
    DATES_MAX,
    ENTRIES,
    ITEMS,
    LAGS,
    MOMENTS,
    NAMES,
    ON_ALL,
    PARTS,
    REBOOKINGS,
    SEVERAL,
    WINDOWS,
    Window,
)
from tests.models.ledger.model.things import FOREVER, OFFERS_MAX, things

STEPS_PER_EXAMPLE = 30
HELD_AT_FIRST_MAX = 3


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


class LedgerMachine(RuleBasedStateMachine):
    """One organization's life, twice."""

    habits = Focus.EVERYTHING.value

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self.rig = rig
        self.oracle = Oracle(things())
        self.made: list[Ask] = []
        self.asked = 0
        self.world = rig.runner.run(rig.connections.make(self.oracle.things))

    @initialize(items=st.lists(ITEMS, min_size=1, max_size=HELD_AT_FIRST_MAX), approval=APPROVALS)
    def hold_at_first(self, items: list[Item], approval: int | None) -> None:
        for item in items:
            self._ask(Hold(self._key(), 0, (item,), None, approval))

    @rule(items=SEVERAL, lag=LAGS, approval=APPROVALS)
    def hold(self, items: list[Item], lag: int | None, approval: int | None) -> None:
        expected = None if lag is None else self.oracle.things[items[0].resource].version - lag
        self._ask(Hold(self._key(), 0, tuple(items), expected, approval))

    @rule(dates=DATES, all_or_none=st.booleans(), is_refused=st.sampled_from([False, False, True]))
    def hold_series(self, dates: tuple[Item, ...], all_or_none: bool, is_refused: bool) -> None:
        self._ask(Series(self._key(), (), dates, all_or_none, is_refused))

    @precondition(lambda self: self.oracle.parties)
    @rule(change=CHANGES, lag=LAGS)
    def change(self, change: tuple[int, BookingAction], lag: int | None) -> None:
        booking, action = change
        expected = None if lag is None else self.oracle.parties[booking].version - lag
        self._ask(Change(self._key(), booking, action, expected))

    @precondition(lambda self: self.oracle.parties)
    @rule(bookings=st.lists(BOOKINGS, min_size=1, max_size=DATES_MAX, unique=True), action=ON_ALL)
    def change_all(self, bookings: list[int], action: BookingAction) -> None:
        self._ask(ChangeAll(self._key(), tuple(bookings), action))

    @precondition(lambda self: self.oracle.parties)
    @rule(rebooking=REBOOKINGS, lag=LAGS)
    def rebook(self, rebooking: tuple[int, list[Item]], lag: int | None) -> None:
        booking, items = rebooking
        expected = None if lag is None else self.oracle.parties[booking].version - lag
        self._ask(Rebook(self._key(), booking, tuple(items), expected))

    @precondition(lambda self: self.oracle.parties)
    @rule(part=PARTS)
    def cancel_part(self, part: tuple[int, int, int] | None) -> None:
        if part is not None:
            self._ask(Part(self._key(), *part))

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

    @rule(item=ITEMS, name=st.sampled_from(["ada", "bob"]))
    def join(self, item: Item, name: str) -> None:
        number = self._number()
        expected = self.oracle.waiting.join(number, item, name)
        _same("joined", expected, self.rig.runner.run(self.world.join(number, item, name)))
        self.rig.tally.answers["Join", expected] += 1

    @precondition(lambda self: self.oracle.waiting.entries)
    @rule(entry=ENTRIES, lag=st.sampled_from([0, 0, 0, 1]))
    def offer(self, entry: int, lag: int) -> None:
        """What is waited for, held as an offer, as far as there is room; now and then by a worker that comes late."""
        found = self.oracle.waiting.entries[entry]
        offer = entry, max(1, min(found.offers + 1 - lag, OFFERS_MAX))
        self._ask(Hold(self._key(), 0, (found.item,), offer=offer))

    @precondition(lambda self: self.oracle.waiting.entries)
    @rule(entry=ENTRIES)
    def leave(self, entry: int) -> None:
        expected = self.oracle.leave(entry)
        _same("left", expected, self.rig.runner.run(self.world.leave(entry)))
        self.rig.tally.answers["Leave", expected] += 1

    @precondition(lambda self: any(self.oracle.over()))
    @rule(patient=st.booleans())
    def expire(self, patient: bool) -> None:
        expected, ended = self.oracle.sweep(), self.rig.runner.run(self.world.sweep(patient=patient))
        self.rig.tally.answers["Sweep", "DONE"] += 1
        _same("holds that ended", expected, ended)
        self.oracle.waiting.lapse(self.oracle.now)
        self.rig.runner.run(self.world.lapse())

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
        """Ask both. Each attempt of a hold brings ids of its own, as the application's do."""
        match ask:
            case Hold():
                ask = replace(ask, booking=self._number())
            case Series():
                ask = replace(ask, bookings=tuple(self._number() for _ in ask.dates))
        self.made.append(ask)
        expected = self.oracle.answer(ask)
        self.rig.tally.answers[type(ask).__name__, expected[0]] += 1
        _same(str(ask), expected, self.rig.runner.run(self.world.answer(ask)))

    def _adjust(
        self, resource: str, window: Window, capacity: int | None, closed: bool | None, lag: int | None
    ) -> None:
        expected = None if lag is None else self.oracle.things[resource].version - lag
        self._ask(Adjust(self._key(), resource, *window, capacity, closed, expected))

    def _number(self) -> int:
        self.asked += 1
        return self.asked

    def _key(self) -> str:
        return f"key of the ask number {len(self.made)}"

    async def _compare(self) -> None:
        versions = {name: thing.version for name, thing in self.oracle.things.items()}
        stored = await self.world.stored()
        _same("versions", versions, stored.versions)
        bookings = {number: self.oracle.booking(number) for number in self.oracle.parties}
        _same("bookings", bookings, stored.bookings)
        _same("entries", self.oracle.waiting.states(), stored.entries)
        for name, points in stored.steps.items():
            there = points[0]
            for slot in range(FOREVER + 1):
                there = points.get(slot, there)
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


def run(rig: Rig, *, examples: int, share: int | None, focus: Focus = Focus.EVERYTHING, **how: Any) -> None:
    """Run examples of the machine, `share` being where chance starts (None: anywhere); raises Disagreement."""
    # A rule that is no function in a class is none of its rules.
    others = dict.fromkeys(set(Focus.EVERYTHING.value.rules).difference(focus.value.rules))
    focused = type("FocusedMachine", (LedgerMachine,), {**others, "habits": focus.value})

    def machine() -> LedgerMachine:
        made: LedgerMachine = focused(rig)
        return made

    run_state_machine_as_test(
        machine if share is None else seed(share)(machine),  # type: ignore[arg-type]  # any factory will do
        settings=settings(max_examples=examples, stateful_step_count=STEPS_PER_EXAMPLE, **how),
    )


def _same(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Disagreement(f"{what}: the oracle has {expected}, the ledger {found}")
