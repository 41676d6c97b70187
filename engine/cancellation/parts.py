"""The terms of an item of which a part is cancelled: those of the rest, and what is kept of the part."""

from dataclasses import replace
from datetime import datetime

from engine.cancellation.refunds import kept
from engine.cancellation.terms import ItemTerms, Keeps, Priced
from engine.money import allocate


def rest_of(item: ItemTerms, priced: Priced, share: tuple[int, int]) -> ItemTerms:
    """The terms as they were agreed on, for the rest, which is `share[0]` of `share[1]` units and costs `priced`.

    Instants, percentages and numbers of nights stay; a fee is of all units, and the rest has its share of it.
    """
    left, of = share
    if not 0 <= left <= of or of < 1:
        raise ValueError("the rest is a part of the whole")
    steps = tuple(
        replace(step, value=allocate(step.value, [left, of - left])[0]) if step.keeps is Keeps.FEE else step
        for step in item.steps
    )
    return ItemTerms(item.starts_at, priced, steps)


def kept_of_part(item: ItemTerms, rest: ItemTerms, at: datetime) -> int:
    """What the venue keeps of a part that is cancelled at this instant, when `rest` is left of the item.

    It is what it keeps of the whole and does not keep of the rest: so who cancels part after part loses, at one
    instant, exactly what who cancels all at once does. Levies come back while nobody has come, as they do of the whole.
    """
    return kept(item, at) - kept(rest, at)
