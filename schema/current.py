"""Answers of one version, with the loaders of an operation."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.current import while_current
from engine.facts import ResourceFacts
from models.errors import NotFound
from models.keys import ResourceKey
from schema.context import Context
from schema.visibility import may_see_venue

Answer = TypeVar("Answer")


async def of_one_version(
    context: Context, facts: ResourceFacts, ask: Callable[[ResourceFacts], Awaitable[Answer]]
) -> Answer:
    """What `ask` answers by the facts, or by newer ones if they move while it looks: `engine.current.while_current`.

    Raises NotFound if it turns out then that the viewer may not see the resource any more.
    """

    async def reload(key: ResourceKey) -> ResourceFacts:
        found = await context.loaders.facts_anew(key)
        if found is None or not may_see_venue(context.viewer, found.venue):
            raise NotFound("There is no such resource.")
        return found

    return await while_current(facts, ask, reload)
