"""Asking for availability: a month of one resource, and over a hundred; through GraphQL, and of the engine alone."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import Final

from benchmarks.claims import load
from benchmarks.http import Client, Load, connect
from benchmarks.report import heading, table
from benchmarks.requests import global_id, graphql, graphql_data
from benchmarks.stage import RULES, Stage
from engine.availability import Wish, timeline
from engine.availability import availability as ask_availability
from engine.calendar import calendar
from engine.facts import load_facts
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import TimelineView, read_timelines
from models.resource import Resource
from tests.support.factories import key_of, make_resource

RESOURCES: Final = 100
BOOKINGS_OF_EACH: Final = 40  # in the month that is asked for: its steps stay within an operation's budget
ROUNDS: Final = 6
MONTH_DAYS: Final = 31
CALENDAR: Final = """
query Month($id: ID!, $from: Date!, $to: Date!) {
  node(id: $id) { ... on Resource { calendar(from: $from, to: $to) { date status vacancies bookable } } }
}
"""
TIMELINES: Final = """
query Months($ids: [ID!]!, $window: WindowInput!) {
  nodes(ids: $ids) { ... on Resource { timeline(window: $window) { version steps { startsAt endsAt vacancies } } } }
}
"""
AVAILABILITY: Final = """
query Which($input: AvailabilityInput!) {
  availability(input: $input) { resource { id } vacancies status bookable refusals { code } }
}
"""

Ask = Callable[[], Awaitable[object]]


async def availability(stage: Stage) -> None:
    """One client, one question after the other."""
    heading("Availability, one client")
    resources = [
        await make_resource(stage.database, beside=stage.hot, capacity=40, rules=RULES) for _ in range(RESOURCES)
    ]
    for each in resources:
        await load(stage.owner, each, BOOKINGS_OF_EACH, days=MONTH_DAYS)
    await stage.owner.execute("VACUUM ANALYZE timeline")
    month = _month()
    client = await connect(stage.vacancy.port, "/graphql")
    try:
        questions = _questions(stage, client, resources, month)
        loads = {name: (Load(), Load()) for name, *_ in questions}
        for _ in range(ROUNDS):
            for name, through_graphql, engine in questions:
                for ask, found in zip((through_graphql, engine), loads[name], strict=True):
                    await _timed(ask, found)
    finally:
        await client.close()
    rows = [
        [name, *_ms(through, 0.5, 0.9), *_ms(engine, 0.5), through.quantile_ms(0.5) / engine.quantile_ms(0.5)]
        for name, (through, engine) in loads.items()
    ]
    table(["", "GraphQL p50 ms", "p90 ms", "engine p50 ms", "ratio"], rows)


def _ms(load: Load, *shares: float) -> list[float]:
    return [load.quantile_ms(share) for share in shares]


def _month() -> Interval:
    first = datetime.combine(datetime.now(UTC).date(), clock(0), UTC) + timedelta(days=1)
    return Interval(first, first + timedelta(days=MONTH_DAYS))


def _questions(
    stage: Stage, client: Client, resources: Sequence[Resource], month: Interval
) -> list[tuple[str, Ask, Ask]]:
    """What is asked: its name, through GraphQL, and of the engine alone."""
    ids = [global_id(each) for each in resources]
    keys = [key_of(each) for each in resources]
    first, last = month.starts_at.date(), month.ends_at.date()
    wish = Interval(month.starts_at + timedelta(days=9, hours=10), month.starts_at + timedelta(days=9, hours=12))
    one = graphql(CALENDAR, {"id": ids[0], "from": first.isoformat(), "to": last.isoformat()})
    all_months = graphql(TIMELINES, {"ids": ids, "window": _window(month)})
    which = graphql(AVAILABILITY, {"input": {"resourceIds": ids, "window": _window(wish), "quantity": 2}})
    return [
        (
            "calendar of one resource, one month",
            partial(_ask, client, one),
            partial(_calendar, stage, keys[0], first, last),
        ),
        (
            f"timelines of {RESOURCES} resources, one month",
            partial(_ask, client, all_months),
            partial(_timelines, stage, keys, month),
        ),
        (
            f"which of {RESOURCES} resources, two hours",
            partial(_ask, client, which),
            partial(_which, stage, keys, Wish(window=wish, quantity=2)),
        ),
    ]


async def _timed(ask: Ask, found: Load) -> None:
    began = time.perf_counter()
    await ask()
    found.latencies.append(time.perf_counter() - began)


async def _ask(client: Client, body: bytes) -> None:
    outcome = graphql_data(*await client.ask(body))
    if outcome != "data":
        raise RuntimeError(outcome)


async def _calendar(stage: Stage, key: ResourceKey, first: date, last: date) -> None:
    facts = await load_facts(stage.database, [key])
    load_views = partial(read_timelines, stage.database)
    await calendar(facts[key], first, last, load=load_views, now=datetime.now(UTC))


async def _timelines(stage: Stage, keys: Sequence[ResourceKey], window: Interval) -> None:
    facts = await load_facts(stage.database, keys)
    views = {view.resource: view for view in await read_timelines(stage.database, [(key, window) for key in keys])}
    for key in keys:
        await timeline(facts[key], window, load=partial(_read, views))


async def _which(stage: Stage, keys: Sequence[ResourceKey], wish: Wish) -> None:
    assert wish.window is not None
    facts = await load_facts(stage.database, keys)
    questions = [(key, wish.window) for key in keys]
    views = {view.resource: view for view in await read_timelines(stage.database, questions)}
    for key in keys:
        await ask_availability(facts[key], wish, load=partial(_read, views), now=datetime.now(UTC))


async def _read(
    views: Mapping[ResourceKey, TimelineView], questions: Sequence[tuple[ResourceKey, Interval]]
) -> list[TimelineView]:
    """Timelines that were read together before, as the API's loader does."""
    return [views[key] for key, _ in questions]


def _window(interval: Interval) -> dict[str, str]:
    return {"startsAt": interval.starts_at.isoformat(), "endsAt": interval.ends_at.isoformat()}
