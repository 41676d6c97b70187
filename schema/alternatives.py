"""When else: the bookable times nearest to a wish that can not be met."""

from typing import Annotated

import strawberry

from engine import alternatives as engine
from engine.availability import Wish
from engine.facts import ResourceFacts
from models.errors import InvalidInput
from schema.context import Info
from schema.current import of_one_version
from schema.slot import Slot

AlternativesFirst = Annotated[
    int | None, strawberry.argument(description="How many at most: 1 to 10, 3 if not given; else INVALID_INPUT.")
]


async def alternatives(info: Info, facts: ResourceFacts, wish: Wish, count: int) -> list[Slot]:
    """The nearest bookable times, so many at most."""
    context = info.context
    loaders, now = context.loaders, context.clock()
    loaders.budget.spend_elements(count)

    async def look(facts: ResourceFacts) -> list[Slot]:
        found = await engine.alternatives(
            facts, wish, first=count, load=loaders.timelines, counts=loaders.counts, now=now
        )
        return [Slot.of(answer, facts.zone) for answer in found]

    return await of_one_version(context, facts, look)


def alternatives_count(first: int | None) -> int:
    """How many alternatives are asked for; InvalidInput unless from 1 to 10."""
    count = 3 if first is None else first
    if not 1 <= count <= engine.ALTERNATIVES_MAX:
        raise InvalidInput(f"From 1 to {engine.ALTERNATIVES_MAX} alternatives can be asked for.", path=("first",))
    return count
