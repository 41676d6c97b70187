"""Many clients at one place: who got it, who was refused, and what should not have happened.

The clients are of several processes' worth of connections, with real commits. The rounds of a race are of one resource
at different hours, so that they meet in nothing else.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.database import Database, connect
from models.errors import BookingError, Busy
from models.interval import Interval
from models.observer import Observer
from tests.support.factories import between

CLIENTS = 50
ROUNDS = 200
CONTROL_ROUNDS = 200
"""At most: a control ends with the first round in which the race is seen, which is one of the first ten or so."""
PROCESSES = 16
CONNECTIONS_PER_PROCESS = 1
CONTROL_CLIENTS = PROCESSES
"""One per process, so that none is admitted together with another: what is switched off is between processes."""
SPREAD_SECONDS = 0.015
TRIES_MAX = 20
LOWER = "lower"
"""The name of clients who take the place out of service."""
OVERSOLD = "SELECT count(*) FROM timeline WHERE taken > capacity"
"""At how many change points more is taken than there is."""

Ask = Callable[[Database], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a round ended, by the name of what each client asked for."""

    won: tuple[str, ...]
    refused: tuple[BookingError, ...]
    defects: tuple[BaseException, ...]


class Deadlocks:
    """Counts the calls that were given up as the victim of a deadlock; PostgreSQL's own count comes seconds later."""

    def __init__(self) -> None:
        self.count = 0

    def called(self, transaction: str, seconds: float, error: BaseException | None) -> None:
        """A call has ended."""
        self.count += isinstance(error, asyncpg.DeadlockDetectedError)

    def admitted(self, outcome: str) -> None:
        """Not counted."""

    def ended(self, holds: int) -> None:
        """Not counted."""

    def published(self, seconds: list[float]) -> None:
        """Not counted."""

    def timelines_read(self, source: str, count: int) -> None:
        """Not counted."""

    def looked(self, refused: bool) -> None:
        """Not counted."""


def patiently(ask: Ask) -> Ask:
    """The same call with the same key again while the machine has other things to do: it has one effect."""

    async def again(database: Database) -> object:
        for _ in range(TRIES_MAX):
            try:
                return await ask(database)
            except (Busy, PoolTimeout):
                continue
        raise AssertionError("it was too busy every time")

    return again


@asynccontextmanager
async def processes(database_url: str, observer: Observer | None = None) -> AsyncIterator[list[Database]]:
    """Several sets of connections to one database, as several processes have."""
    opened = [
        await connect(database_url, pool_size=CONNECTIONS_PER_PROCESS, observer=observer) for _ in range(PROCESSES)
    ]
    try:
        yield opened
    finally:
        for database in opened:
            await database.close()


async def race(databases: Sequence[Database], clients: Sequence[tuple[str, Ask]]) -> Outcome:
    """Let all clients ask within some milliseconds, in random order, spread over the processes.

    Not in the very same one: within one process a hold takes a turn of the event loop more than other calls before it
    is sent, and would lose every duel with them.
    """

    async def soon(ask: Ask, database: Database) -> object:
        await asyncio.sleep(random.uniform(0, SPREAD_SECONDS))
        return await ask(database)

    shuffled = random.sample(clients, len(clients))
    answers = await asyncio.gather(
        *(soon(ask, databases[position % len(databases)]) for position, (_, ask) in enumerate(shuffled)),
        return_exceptions=True,
    )
    named = [(name, answer) for (name, _), answer in zip(shuffled, answers, strict=True)]
    return Outcome(
        won=tuple(name for name, answer in named if not isinstance(answer, BaseException)),
        refused=tuple(answer for _, answer in named if isinstance(answer, BookingError)),
        defects=tuple(
            answer for _, answer in named if isinstance(answer, BaseException) and not isinstance(answer, BookingError)
        ),
    )


async def rounds_until(
    seen: Callable[[Sequence[Outcome]], bool], play: Callable[[int], Awaitable[Outcome]], *, at_least: int = 1
) -> list[Outcome]:
    """The rounds of a race: at least so many, and until that was `seen` which in each of them is luck; at most
    CONTROL_ROUNDS.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < at_least or (len(outcomes) < CONTROL_ROUNDS and not seen(outcomes)):
        outcomes.append(await play(len(outcomes)))
    return outcomes


def sides_of(outcomes: Sequence[Outcome]) -> set[str]:
    """Who has ever won."""
    return {name for outcome in outcomes for name in outcome.won}


def assert_one_winner(outcome: Outcome) -> None:
    """Somebody gets the last place, nobody else does, and everybody else is told so in the words of the business."""
    assert outcome.defects == (), "who is not a winner is refused in the words of the business"
    winners = winners_of(outcome)
    assert len(winners) == 1, f"{len(winners)} got the last place: {winners}"


def winners_of(outcome: Outcome) -> list[str]:
    """Who got the place. To lower what has been lowered changes nothing: all who ask for it succeed, as one."""
    return [name for name in outcome.won if name != LOWER] + [LOWER] * (LOWER in outcome.won)


def hour(number: int) -> Interval:
    """The n-th hour of the race's calendar."""
    first = between("2030-01-01 00:00", "2030-01-01 01:00")
    shift = timedelta(hours=number)
    return Interval(first.starts_at + shift, first.ends_at + shift)


async def switch_locks_off(owner: "asyncpg.Connection") -> None:
    """The guard under test, gone: admissions check what is free without waiting for one another.

    Checking and claiming are some microseconds apart; a pause between the two makes the race happen in every round.
    """
    await owner.execute("""
        CREATE OR REPLACE FUNCTION ledger_lock_resources(p_organization_id uuid, p_resource_ids uuid[])
        RETURNS integer LANGUAGE sql AS 'SELECT cardinality(p_resource_ids)';
        CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_sleep(0.02);
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_pause BEFORE INSERT OR UPDATE ON booking FOR EACH ROW EXECUTE FUNCTION pause();
        CREATE TRIGGER a_pause BEFORE INSERT ON adjustment FOR EACH ROW EXECUTE FUNCTION pause();
    """)


async def switch_order_off(owner: "asyncpg.Connection") -> None:
    """Another guard, gone: resources are locked in whatever order, each a moment after the one before.

    Who is in a deadlock is told so soon.
    """
    await owner.execute("""
        CREATE OR REPLACE FUNCTION ledger_lock_resources(p_organization_id uuid, p_resource_ids uuid[])
        RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            v_id uuid;
        BEGIN
            FOR v_id IN SELECT id FROM unnest(p_resource_ids) id GROUP BY id ORDER BY random() LOOP
                PERFORM FROM resource r WHERE r.organization_id = p_organization_id AND r.id = v_id FOR NO KEY UPDATE;
                PERFORM pg_sleep(0.002);
            END LOOP;
            RETURN cardinality(p_resource_ids);
        END $$;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''20ms''', current_database()); END $$;
    """)


async def switch_checks_off(owner: "asyncpg.Connection") -> None:
    """The last line, gone too: the timeline may say that more is taken than there is."""
    await owner.execute("ALTER TABLE timeline DROP CONSTRAINT timeline_taken_check")


async def let_holds_lapse(owner: "asyncpg.Connection") -> None:
    """The tempting way to end a hold: past its time it does not count any more, and nobody writes that down."""
    await owner.execute("""
        CREATE OR REPLACE FUNCTION ledger_expire_over(
            p_organization_id uuid, p_resource_ids uuid[], p_locked_ids uuid[], p_from timestamptz, p_to timestamptz
        ) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            DELETE FROM claim c USING booking b
             WHERE b.organization_id = c.organization_id AND b.id = c.booking_id
               AND c.organization_id = p_organization_id AND c.resource_id = ANY (p_resource_ids)
               AND b.status = 'ON_HOLD' AND b.hold_expires_at <= clock_timestamp();
            RETURN true;
        END $$;
        ALTER TABLE booking DISABLE TRIGGER booking_is_whole;
        ALTER TABLE claim DISABLE TRIGGER claim_of_whole_booking;
    """)
