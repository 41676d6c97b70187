"""All orders in which webhooks may come: between what a guest does, late, twice, or not at all."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

TOLD_MAX = 5
"""Webhooks of one order."""


class Events(NamedTuple):
    """Types of events, those of `after` by how many acts have to be done before they happen.

    `ours` follow from what we do at the provider, once we were told of anything after the last act.
    """

    after: Mapping[str, int]
    ours: Sequence[str] = ()


def orders(acts: int, events: Events, *, copies: int, least: int) -> Iterator[tuple[int | str, ...]]:
    """Every order of all acts, by their number from 0, and of `least` to TOLD_MAX webhooks, each up to `copies` times.

    A webhook comes after its event, and as late as you like.
    """
    begun = _begun(acts, events, copies, (), False)
    return (order for order in begun if sum(isinstance(step, str) for step in order) >= least)


def _begun(
    acts: int, events: Events, copies: int, begun: tuple[int | str, ...], is_driven: bool
) -> Iterator[tuple[int | str, ...]]:
    told = Counter(step for step in begun if isinstance(step, str))
    done = len(begun) - told.total()
    if done == acts:
        yield begun
    else:
        yield from _begun(acts, events, copies, (*begun, done), False)
    if told.total() == TOLD_MAX:
        return
    there = [event for event, after in events.after.items() if after <= done]
    for event in [*there, *(events.ours if is_driven else ())]:
        if told[event] < copies:
            drives = is_driven or (done == acts and told[event] == 0)
            yield from _begun(acts, events, copies, (*begun, event), drives)
