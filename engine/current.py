"""Answers of one version: where what decides has changed between the facts and the timelines, both are read again.

Facts are read, or found true, before the timelines that stand beside them. A timeline is told with the catalog version
of its very snapshot, so who has both knows whether the facts were still true then. If they were, the answer is as of
the timeline's version, exactly. If not, it is as of none, and nobody is told it.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from engine.facts import ResourceFacts
from models.errors import Busy
from models.keys import ResourceKey
from models.queries.timelines import TimelineView

READINGS_MAX: Final = 5
"""A reading takes two statements, some milliseconds, and is lost only to somebody who commits another rule, venue or
requirement in between. Who has lost five in a row meets a catalog that is written all the time."""

Answer = TypeVar("Answer")


class FactsMoved(Busy):
    """The facts are not those of the timeline's version. Nothing was done; the same question may be asked again."""

    def __init__(self) -> None:
        super().__init__("What decides over this is being changed. Ask again.")


def check_current(facts: ResourceFacts, view: TimelineView) -> None:
    """Raises FactsMoved unless the facts were true at the version that the view of their resource is of."""
    if facts.catalog_version != view.catalog_version:
        raise FactsMoved


async def while_current(
    facts: ResourceFacts,
    ask: Callable[[ResourceFacts], Awaitable[Answer]],
    reload: Callable[[ResourceKey], Awaitable[ResourceFacts]],
) -> Answer:
    """What `ask` answers by the facts; by those that `reload` reads, if they have moved while it looked.

    At most five times: then FactsMoved, which is BUSY, tells the caller to come back. `reload` raises NotFound for what
    may not be seen any more.
    """
    for _ in range(READINGS_MAX - 1):
        try:
            return await ask(facts)
        except FactsMoved:
            facts = await reload(facts.key)
    return await ask(facts)
