"""capacityChanged: the vacancies of resources, now and with every change."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

import strawberry

from engine.facts import ResourceFacts
from engine.ports import Change, Watch
from engine.timeline import effective_timeline
from models.errors import InvalidInput, NotFound
from models.interval import Interval
from models.keys import ResourceKey
from schema.context import Context
from schema.global_id import resource_key
from schema.inputs import ExpectedVersionInput
from schema.resource import Resource
from schema.scalars import Long
from schema.timeline import TimelineStep
from schema.visibility import may_see_venue

RESOURCES_MAX: Final = 100
WINDOW_DEFAULT: Final = timedelta(days=31)

FACTS_AGE_MAX: Final = timedelta(seconds=30)
"""How long a subscription goes on with what it knows of a venue and of requirements, once something is pushed."""

Facts = Mapping[ResourceKey, ResourceFacts]


@strawberry.type(description="What can be had of a resource in a part of the watched window, as of one version.")
class CapacityChange:
    """One push."""

    resource: Resource = strawberry.field(description="Whose it is, as of that version.")
    version: Long = strawberry.field(description="The resource's version: pass it in `after` when subscribing again.")
    starts_at: datetime = strawberry.field(description="First instant of what may have changed.")
    ends_at: datetime = strawberry.field(description="First instant after it.")
    steps: list[TimelineStep] = strawberry.field(
        description=("They replace whatever the client holds for [startsAt, endsAt); sorted, without gap or overlap.")
    )
    snapshot: bool = strawberry.field(
        description="True: this is the whole window, and whatever the client holds of this resource is to be dropped."
    )


async def capacity_changes(
    context: Context, keys: Sequence[ResourceKey], window: Interval, after: Mapping[ResourceKey, int]
) -> AsyncGenerator[CapacityChange, None]:
    """The changes, for as long as the viewer may see all of these resources.

    Raises NotFound for one that may not be seen (any more), and as `engine.ports.LiveFeed.resources`.
    """
    facts, loaded_at = await _visible_facts(context, keys), context.clock()
    while True:
        watches = [Watch(key, window, facts[key].needed[1:], after.get(key)) for key in keys]
        async with aclosing(context.feed.resources(watches)) as changes:
            async for change in changes:
                context.loaders.renew()
                if context.clock() - loaded_at > FACTS_AGE_MAX:
                    before, facts, loaded_at = facts, await _visible_facts(context, keys), context.clock()
                    if _needs(facts) != _needs(before):
                        break  # other timelines decide now: watch those, and begin with what is so now
                yield _shown(context, facts, change)
        after = {}


def watched_keys(resource_ids: Sequence[str]) -> list[ResourceKey]:
    """The resources to watch, each once.

    Raises InvalidInput unless 1 to 100 are named, NotFound for what is no resource's id.
    """
    if not 1 <= len(resource_ids) <= RESOURCES_MAX:
        raise InvalidInput(f"Name 1 to {RESOURCES_MAX} resources.", path=("resourceIds",))
    keys = [resource_key(text, ("resourceIds", str(position))) for position, text in enumerate(resource_ids)]
    return list(dict.fromkeys(keys))


def seen_versions(after: Sequence[ExpectedVersionInput] | None, keys: Sequence[ResourceKey]) -> dict[ResourceKey, int]:
    """What the client has seen. InvalidInput for a resource that it does not watch."""
    seen: dict[ResourceKey, int] = {}
    for position, expected in enumerate(after or ()):
        key = resource_key(expected.resource_id, ("after", str(position), "resourceId"))
        if key not in keys:
            raise InvalidInput("This resource is not in resourceIds.", path=("after", str(position), "resourceId"))
        seen[key] = expected.version
    return seen


async def _visible_facts(context: Context, keys: Sequence[ResourceKey]) -> Facts:
    found = await context.loaders.facts.load_many(list(keys))
    visible = {
        key: facts
        for key, facts in zip(keys, found, strict=True)
        if facts is not None and may_see_venue(context.viewer, facts.venue)
    }
    for position, key in enumerate(keys):
        if key not in visible:
            raise NotFound("There is no such resource.", path=("resourceIds", str(position)))
    return visible


def _needs(facts: Facts) -> list[tuple[ResourceKey, ...]]:
    return [each.needed for each in facts.values()]


def _shown(context: Context, facts: Facts, change: Change) -> CapacityChange:
    key = ResourceKey(change.resource.organization_id, change.resource.id)
    timeline = effective_timeline(facts[key], change.views, change.window)
    context.loaders.budget.spend_elements(len(timeline.steps))
    return CapacityChange(
        resource=Resource.of(change.resource),
        version=Long(timeline.version),
        starts_at=change.window.starts_at,
        ends_at=change.window.ends_at,
        steps=TimelineStep.all_of(timeline.steps),
        snapshot=change.snapshot,
    )
