"""What chance chooses for the machine; where that depends on what has happened so far, of the machine that plays."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from models.ledger.requests import BookingAction
from tests.models.ledger.model.asks import SLOTS, Item

LENGTH_MAX = 5
DATES_MAX = 4

Window = tuple[int | None, int | None]

NAMES = st.runner().flatmap(lambda machine: st.sampled_from(machine.habits.names))
STARTS = st.integers(0, SLOTS - 1)
LENGTHS = st.integers(1, LENGTH_MAX)
ANY = tuple(BookingAction)
ON_ALL = st.sampled_from([BookingAction.CONFIRM, BookingAction.RELEASE])
APPROVALS = st.runner().flatmap(lambda machine: st.sampled_from(machine.habits.approvals))
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
SEVERAL = st.lists(ITEMS, min_size=1, max_size=2) | st.builds(
    lambda one, other: [one, replace(other, start=one.start, end=one.end)], ITEMS, ITEMS
)
"""The items of a hold; two are more often of one time than chance would have it."""
WINDOWS = st.one_of(
    st.builds(lambda start, length: (start, min(start + length, SLOTS)), STARTS, LENGTHS),
    st.tuples(STARTS | st.none(), st.none()),
)
# Half of the time one that is live: most of what was ever booked has ended.
BOOKINGS = st.runner().flatmap(
    lambda machine: st.sampled_from(machine.oracle.live() or machine.all()) | st.sampled_from(machine.all())
)
CHANGES = BOOKINGS.flatmap(
    lambda booking: st.runner().flatmap(
        lambda machine: st.tuples(
            st.just(booking),
            st.sampled_from(machine.habits.apt.get(machine.oracle.booking(booking)[0], ANY)) | st.sampled_from(ANY),
        )
    )
)
"""A booking and what is done to it; half of the time what its status allows."""


def _moved(machine: Any, booking: int) -> st.SearchStrategy[list[Item]]:
    """What a booking is of, a little earlier or later, bigger or smaller: so that its own places are in the way."""
    items: tuple[Item, ...] = machine.oracle.parties[booking].items
    return st.builds(
        lambda by, more: [
            replace(
                item,
                start=max(0, min(item.start + by, SLOTS - 1)),
                end=max(1, min(item.end + by, SLOTS)),
                quantity=max(1, item.quantity + more),
            )
            for item in items
        ],
        st.integers(-2, 2),
        st.integers(-1, 1),
    )


def _parts(machine: Any, booking: int) -> st.SearchStrategy[tuple[int, int, int] | None]:
    """A part of an item, of which something is left; None: there is no such part, or members had to be chosen."""
    party = machine.oracle.parties[booking]
    most = [item.quantity - (len(party.items) == 1) for item in party.items]
    parts = [(position, n) for position, up_to in zip(party.positions, most, strict=True) for n in range(1, up_to + 1)]
    if not parts or any(machine.oracle.things[item.resource].chooses for item in party.items):
        return st.none()
    return st.sampled_from([(booking, position, n) for position, n in parts])


REBOOKINGS = BOOKINGS.flatmap(
    lambda booking: st.runner().flatmap(
        lambda machine: st.tuples(st.just(booking), _moved(machine, booking) | _moved(machine, booking) | SEVERAL)
    )
)
PARTS = BOOKINGS.flatmap(lambda booking: st.runner().flatmap(lambda machine: _parts(machine, booking)))
ASKED = st.runner().flatmap(lambda machine: st.sampled_from(machine.made))
DATES = st.builds(
    lambda first, every, count: tuple(
        replace(first, start=first.start + n * every, end=first.end + n * every)
        for n in range(count)
        if first.end + n * every <= SLOTS
    ),
    ITEMS,
    st.integers(1, 4),
    st.integers(2, DATES_MAX),
)
"""Of a series: the same again and again, also while the one before is still there."""
# Half of the time one that waits.
ENTRIES = st.runner().flatmap(
    lambda machine: (
        st.sampled_from(machine.oracle.waiting.open() or list(machine.oracle.waiting.entries))
        | st.sampled_from(list(machine.oracle.waiting.entries))
    )
)
MOMENTS = st.runner().flatmap(lambda machine: st.sampled_from(machine.oracle.moments()))
