"""Availability with every kind of rule on: statements, and how long it takes read anew, out of what is kept, and beside
the bare SQL; where the time goes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import Final

from benchmarks.availability import AVAILABILITY
from benchmarks.http import Client, Load, connect
from benchmarks.report import heading, table
from benchmarks.requests import global_id, graphql, graphql_data
from benchmarks.ruled import ACTIVITY, CUSTOMER, GUESTS, MONTH_DAYS, RESOURCES, ZONE, Ruled, ruled
from benchmarks.samples import say_where_the_time_goes
from benchmarks.stage import SECRET, Stage
from engine.availability import Wish
from engine.availability import availability as ask_availability
from engine.calendar import calendar
from engine.facts import ResourceFacts
from engine.reading import CountsLoader, TimelineLoader
from models import civil
from models.database import Database
from models.interval import Interval
from models.kept_timelines import KeptTimelines
from models.keys import ResourceKey
from models.queries.timelines import TimelineView
from models.resource import Resource
from schema.loaders import Loaders
from server.serve import keep_what_there_is
from server.tokens import AccountTokens
from tests.support.factories import key_of
from tests.support.statements import recorded_statements

WARM_UP: Final = 1
ROUNDS: Final = 40
ROUNDS_OF_MANY: Final = 16
ROUNDS_OF_ALL: Final = 1
SAMPLED_SECONDS: Final = 1.5

CALENDAR: Final = """
query Month($id: ID!, $from: Date!, $to: Date!, $activity: String, $guests: [GuestCountInput!]) {
  node(id: $id) { ... on Resource {
    calendar(from: $from, to: $to, activity: $activity, guests: $guests) {
      date nights vacancies status bookable refusals { code } } } }
}
"""
STEPS: Final = "SELECT * FROM ledger_steps($1, $2, $3, $4, $5)"

_GUESTS: Final = [
    {"type": each.type, "count": each.count, "ages": None if each.ages is None else list(each.ages)} for each in GUESTS
]

Ask = Callable[[], Awaitable[object]]
Asked = Callable[[ResourceFacts, TimelineLoader, CountsLoader], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each of these: of the engine, with the loaders of an operation, and mostly through GraphQL."""

    name: str
    resources: Sequence[Resource]
    ask: Asked
    body: bytes | None
    rounds: int = ROUNDS


async def rules(stage: Stage) -> None:
    """One client, a customer with bookings, one question after the other."""
    heading(f"Every kind of rule on, {MONTH_DAYS} days, one client who is a customer")
    world = await ruled(stage.database, stage.owner)
    keep_what_there_is()  # as a server does when it has started
    questions = _questions(world)
    rows = [await _measured(stage, world, question) for question in questions]
    ways = ["GraphQL p50 ms", "p99", "read anew p50 ms", "p99", "statements", "kept p50 ms", "p99", "statements"]
    table(["", *ways, "bare SQL p50 ms", "p99"], rows)
    for question in (questions[0], questions[4]):
        ask = partial(_of_engine, stage.database, world, question)
        await say_where_the_time_goes(question.name, ask, SAMPLED_SECONDS)


def _questions(world: Ruled) -> list[Question]:
    starts_at = civil.instant(world.first + timedelta(days=9), clock(10), ZONE)
    window = Wish(Interval(starts_at, starts_at + timedelta(hours=2)), quantity=2, activity=ACTIVITY, guests=GUESTS)
    nights = Wish(stay=world.stay, activity=ACTIVITY, guests=GUESTS)
    month = partial(_calendar, world)
    return [
        Question("calendar of a hall, by the hour", world.halls[:1], month, _calendar_body(world, world.halls[0])),
        Question("calendar of a room, by the night", world.rooms[:1], month, _calendar_body(world, world.rooms[0])),
        Question("calendar of a class, by sessions", [world.yoga], month, _calendar_body(world, world.yoga)),
        Question(
            f"which of {RESOURCES} halls, two hours",
            world.halls,
            partial(_availability, window),
            _availability_body(world.halls, window),
            ROUNDS_OF_MANY,
        ),
        Question(
            f"which of {RESOURCES} rooms, {MONTH_DAYS} nights",
            world.rooms,
            partial(_availability, nights),
            _availability_body(world.rooms, nights),
            ROUNDS_OF_MANY,
        ),
        Question(f"calendars of {RESOURCES} rooms", world.rooms, month, None, ROUNDS_OF_ALL),
        Question(f"calendars of {RESOURCES} halls", world.halls, month, None, ROUNDS_OF_ALL),
    ]


async def _measured(stage: Stage, world: Ruled, question: Question) -> list[object]:
    """A row: in turn through GraphQL, where timelines are kept, of the engine, and the bare SQL that reads them."""
    read: list[tuple[ResourceKey, Interval]] = []
    await _of_engine(stage.database, world, question, read)  # from now on its facts are kept
    engines = {"anew": stage.database, "kept": replace(stage.database, timelines=KeptTimelines())}
    asks: dict[str, Ask] = {name: partial(_of_engine, each, world, question) for name, each in engines.items()}
    asks["sql"] = partial(_bare, stage, tuple(read))
    async with AsyncExitStack() as stack:
        if question.body is not None:
            # A fresh one: the server has closed any that asked nothing for seconds.
            client = await connect(stage.vacancy.port, "/graphql", token=_token(world))
            stack.push_async_callback(client.close)
            asks["graphql"] = partial(_through_graphql, client, question.body)
        loads = await _asked_in_turn(asks, question.rounds)
    figures: list[object] = []
    for name in ("graphql", "anew", "kept", "sql"):
        load = loads.get(name)
        figures += ["", ""] if load is None else [load.quantile_ms(0.5), load.quantile_ms(0.99)]
        if name in engines:
            figures.append(await _statements(stage.database, asks[name]))
    return [question.name, *figures]


async def _statements(database: Database, ask: Ask) -> int:
    with recorded_statements(database) as statements:
        await ask()
    return len(statements)


async def _asked_in_turn(asks: Mapping[str, Ask], rounds: int) -> dict[str, Load]:
    """How long each took; what else the machine does meets all alike."""
    loads = {name: Load() for name in asks}
    for number in range(WARM_UP + rounds):
        for name, ask in asks.items():
            began = time.perf_counter()
            await ask()
            if number >= WARM_UP:
                loads[name].latencies.append(time.perf_counter() - began)
    return loads


async def _of_engine(
    database: Database, world: Ruled, question: Question, read: list[tuple[ResourceKey, Interval]] | None = None
) -> None:
    """As the resolvers ask it, with the loaders of an operation. `read` gets the timelines that were asked for."""
    loaders = Loaders(database, world.customer)

    async def load(questions: Sequence[tuple[ResourceKey, Interval]]) -> Sequence[TimelineView]:
        if read is not None:
            read.extend(questions)
        return await loaders.timelines(questions)

    found = await loaders.facts.load_many([key_of(each) for each in question.resources])
    await asyncio.gather(*(question.ask(facts, load, loaders.counts) for facts in found if facts is not None))


async def _bare(stage: Stage, read: Sequence[tuple[ResourceKey, Interval]]) -> None:
    await stage.database.ledger.fetch(
        STEPS,
        [key.organization_id for key, _ in read],
        [key.id for key, _ in read],
        [window.starts_at for _, window in read],
        [window.ends_at for _, window in read],
        [],
    )


async def _through_graphql(client: Client, body: bytes) -> None:
    outcome = graphql_data(*await client.ask(body))
    if outcome != "data":
        raise RuntimeError(outcome)


async def _calendar(world: Ruled, facts: ResourceFacts, load: TimelineLoader, counts: CountsLoader) -> None:
    await calendar(
        facts,
        world.first,
        world.last,
        activity=ACTIVITY,
        guests=GUESTS,
        load=load,
        counts=counts,
        now=datetime.now(UTC),
    )


async def _availability(wish: Wish, facts: ResourceFacts, load: TimelineLoader, counts: CountsLoader) -> None:
    answer = await ask_availability(facts, wish, load=load, counts=counts, now=datetime.now(UTC))
    if not answer.bookable:
        raise RuntimeError(f"what is measured is an answer in full, and not {answer.refusals}")


def _calendar_body(world: Ruled, resource: Resource) -> bytes:
    days = {"from": world.first.isoformat(), "to": world.last.isoformat()}
    return graphql(CALENDAR, {"id": global_id(resource), **days, "activity": ACTIVITY, "guests": _GUESTS})


def _availability_body(resources: Sequence[Resource], wish: Wish) -> bytes:
    asked: dict[str, object] = {
        "resourceIds": [global_id(each) for each in resources],
        "quantity": wish.quantity,
        "activity": ACTIVITY,
        "guests": _GUESTS,
    }
    if wish.window is not None:
        asked["window"] = {"startsAt": wish.window.starts_at.isoformat(), "endsAt": wish.window.ends_at.isoformat()}
    if wish.stay is not None:
        asked["stay"] = {"arrival": wish.stay[0].isoformat(), "departure": wish.stay[1].isoformat()}
    return graphql(AVAILABILITY, {"input": asked})


def _token(world: Ruled) -> str:
    now = datetime.now(UTC)
    organization_id = str(world.customer.organization_id)
    claims = {"sub": CUSTOMER, "role": world.customer.role, "org": organization_id, "iat": now}
    return AccountTokens([SECRET]).sign({**claims, "exp": now + timedelta(hours=1)})
