"""Connections: how the code reaches PostgreSQL, and with which limits.

Two ways, for two kinds of work. `Database.ledger` is a small first-in-first-out pool of bare asyncpg connections in
autocommit: one call is one transaction and one round trip (`models.ledger.calls`). `Database.reading` and
`Database.writing` give SQLAlchemy sessions for everything else: a reading session is of another type, so that it can
not be handed to a writer.

Both kinds work as the role `vacancy_app`, which owns nothing (docs/adr/0003), and sees private rows of the one
organization that its unit of work is for (docs/adr/0010). A session is told which when it begins; a function of the
ledger sets it from its parameter. It ends with the transaction, so no connection carries it into the next.
"""

import asyncio
import json
import re
import time
import uuid
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Hashable,
    Iterator,
    MutableMapping,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NewType, TypeVar

import asyncpg
from cachetools import LRUCache
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from models.grouping import Groups
from models.observer import Observer, Unobserved

if TYPE_CHECKING:
    from models.kept_timelines import KeptTimelines

ReadSession = NewType("ReadSession", AsyncSession)
"""A session that only reads: rolled back when it ends."""

WriteSession = NewType("WriteSession", AsyncSession)
"""A session whose transaction is committed when its block ends without an exception."""

Result = TypeVar("Result")

Everywhere = Literal["*"]
EVERYWHERE: Final[Everywhere] = "*"
"""All organizations; for the catalog only."""

LOCK_TIMEOUT_MS = 3_000
STATEMENT_TIMEOUT_MS = 8_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000
CONNECT_TIMEOUT_SECONDS = 5
POOL_WAIT_SECONDS = 5
CALL_SECONDS_MAX = 12.0

CATALOG_MAX = 10_000
"""Resources whose facts a process keeps; the one that was not needed for longest goes first."""

_CALL = re.compile(r"SELECT (?:.* FROM )?((?:ledger|worker)_\w+)\(")
"""A call of a function of ours: its name is the name of the transaction."""

_SCOPE = text(
    "SELECT set_config('vacancy.organization_id', :organization_id, true),"
    " set_config('vacancy.catalogs', :catalogs, true)"
)
"""What the policies of ledger/sql/80_isolation.sql compare with, until the end of the transaction."""


class LedgerConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection whose return to the pool costs no round trip: the ledger's calls leave nothing behind to reset."""

    def get_reset_query(self) -> str:
        return ""


@dataclass(frozen=True)
class Database:
    """One process's connections to one database, and what it keeps: of the catalog (`engine.facts`) and of timelines.

    Admissions go together in `groups`; what several want to know of the catalog is read together in `catalog_reads`.
    Without `timelines` nothing of them is kept: each reading is from the database.
    """

    ledger: "asyncpg.Pool[asyncpg.Record]"
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    wait_seconds_max: float = CALL_SECONDS_MAX
    in_flight: set["asyncio.Task[Any]"] = field(default_factory=set)
    observer: Observer = field(default_factory=Unobserved)
    groups: Groups[Any, Any] = field(default_factory=partial(Groups, taking_turns=True))
    catalog: MutableMapping[Hashable, Any] = field(default_factory=lambda: LRUCache(CATALOG_MAX))
    catalog_reads: Groups[Any, Any] = field(default_factory=Groups)
    timelines: "KeptTimelines | None" = None

    @asynccontextmanager
    async def reading(
        self,
        organization_id: uuid.UUID | None = None,
        *,
        catalogs: Collection[uuid.UUID] | Everywhere = (),
        one_snapshot: bool = False,
    ) -> AsyncIterator[ReadSession]:
        """A session for reading: every statement sees what was committed when it began.

        With `one_snapshot` all of them see what was committed when the first began.

        It sees all rows of `organization_id`, what `catalogs` have not published, and what anybody may see.
        """
        async with self.sessions() as session:
            if one_snapshot:
                _ = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            if organization_id is not None or catalogs:
                await _enter(session, organization_id, catalogs)
            yield ReadSession(session)

    @asynccontextmanager
    async def writing(self, organization_id: uuid.UUID) -> AsyncIterator[WriteSession]:
        """One transaction, READ COMMITTED, committed here and nowhere else. It writes rows of this organization."""
        with self._timed("writing"):
            async with self.sessions.begin() as session:
                await _enter(session, organization_id)
                yield WriteSession(session)

    async def finish(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry a unit of work to its end even if the caller is cancelled meanwhile (a client that went away).

        A commit whose answer nobody waits for is still a commit: it must not be cut off between the two.
        """
        task = asyncio.create_task(work)
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)
        return await asyncio.shield(task)

    @property
    def waiting(self) -> int:
        """How many calls of the ledger wait for a connection. asyncpg does not tell: this looks into its queue."""
        return sum(not getter.done() for getter in self.ledger._queue._getters)

    @contextmanager
    def _timed(self, transaction: str) -> Iterator[None]:
        began, failure = time.monotonic(), None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            self.observer.called(transaction, time.monotonic() - began, failure)

    async def close(self) -> None:
        """Close all connections, after the units of work that are in flight, and those that wait for their turn."""
        await self.groups.finish()
        await self.catalog_reads.finish()
        if self.in_flight:
            await asyncio.wait(self.in_flight)
        await self.ledger.close()
        await self.engine.dispose()


async def connect(
    database_url: str,
    *,
    pool_size: int = 8,
    observer: Observer | None = None,
    timelines: "KeptTimelines | None" = None,
) -> Database:
    """Open the pools. Each has at most `pool_size` connections; waiting for one is bounded too (`POOL_WAIT_SECONDS`).

    Few connections beat many: every waiter of a row lock is woken to look again when it is released, so that many
    claimants of one hot row slow each other down (docs/adr/0004).
    """
    dsn = _dsn(database_url)
    observer = observer or Unobserved()
    ledger = await asyncpg.create_pool(
        dsn,
        init=_timing(observer),
        min_size=1,
        max_size=pool_size,
        timeout=CONNECT_TIMEOUT_SECONDS,
        connection_class=LedgerConnection,
        # The statements in the ledger's functions are always the same: planning one anew costs more than running it.
        # Each finds its rows by an index; a plan made while a table was small must not go on reading all of it.
        server_settings=_server_settings() | {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"},
    )
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_SECONDS, server_settings=_server_settings()),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        json_serializer=json.dumps,
        hide_parameters=True,  # what SQLAlchemy says of an error may be logged; contacts may not
    )
    sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
    return Database(ledger, engine, sessions, observer=observer, timelines=timelines)


def owner_engine(owner_url: str) -> AsyncEngine:
    """An engine for migrations: the login role of the URL itself, long statements allowed."""
    dsn = _dsn(owner_url)
    return create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), pool_size=1)


async def _enter(
    session: AsyncSession, organization_id: uuid.UUID | None, catalogs: Collection[uuid.UUID] | Everywhere = ()
) -> None:
    """The first statement of a unit of work: whom it is for."""
    await session.scalar(
        _SCOPE,
        {
            "organization_id": "" if organization_id is None else str(organization_id),
            "catalogs": catalogs if isinstance(catalogs, str) else ",".join(map(str, catalogs)),
        },
    )


def _timing(observer: Observer) -> Callable[["asyncpg.Connection"], Awaitable[None]] | None:
    """What makes a connection tell the observer of each call of a function; nothing where nobody counts."""
    if isinstance(observer, Unobserved):
        return None

    def tell(query: Any) -> None:
        called = _CALL.match(query.query)
        observer.called(called[1] if called else "other", query.elapsed, query.exception)

    async def init(connection: "asyncpg.Connection") -> None:
        connection.add_query_logger(tell)

    return init


def _server_settings() -> dict[str, str]:
    return {
        "role": "vacancy_app",
        "application_name": "vacancy",
        "timezone": "UTC",
        "jit": "off",
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        "default_transaction_isolation": "read committed",
    }


def _dsn(url: str) -> str:
    """The URL for the driver itself, which understands what libpq does (sslmode, several hosts, sockets).

    SQLAlchemy is handed connections instead of the URL: its own reading of one knows less.
    """
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"
