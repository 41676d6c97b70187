"""What one server process holds open while it serves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from engine.viewer import Viewer
from models.database import Database, connect
from models.kept_timelines import KeptTimelines
from models.ledger.failures import TOO_SLOW, TRY_AGAIN
from models.migrate import is_current
from schema.context import Context, for_operation
from server.auth import Authenticator
from server.errors import OperatorError
from server.health import RedisProbe
from server.metrics import Metrics, ServerMetrics
from server.provider import Provider, provider
from server.settings import Settings
from server.sockets import Sockets
from server.tokens import SignedBookingTokens
from subscriptions.feed import Feed
from subscriptions.shelf import RedisShelf

DATABASE_SECONDS_MAX: Final = 30.0
DATABASE_RETRY_SECONDS: Final = 0.5
CLOSE_SECONDS_MAX: Final = 1.0
NOT_MIGRATED: Final = "The database is not at the state that this version needs: run `vacancy migrate`"


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything that requests share."""

    settings: Settings
    database: Database
    feed: Feed
    tokens: SignedBookingTokens
    authenticator: Authenticator
    redis: RedisProbe
    metrics: ServerMetrics
    sockets: Sockets
    provider: Provider

    def context(self, viewer: Viewer) -> Context:
        """A Context for one operation of this viewer."""
        return for_operation(
            viewer=viewer,
            database=self.database,
            clock=utc_now,
            tokens=self.tokens,
            feed=self.feed,
            taxes=self.provider.taxes,
            payments=self.provider.payments,
        )


@asynccontextmanager
async def open_resources(settings: Settings, metrics: ServerMetrics, sockets: Sockets) -> AsyncIterator[Resources]:
    """Open all for the length of a `with`. Redis may be down: bookings do not need it.

    Raises OperatorError if the database does not answer within 30 seconds, or is not migrated, or if there is no
    account to collect money with.
    """
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(provider(settings.payments))
        timelines = await stack.enter_async_context(_kept_timelines(settings))
        database = await open_database(settings, metrics, timelines)
        stack.push_async_callback(close_database, database)
        authenticator = Authenticator(settings)
        stack.push_async_callback(authenticator.close)
        feed = Feed(database, settings.redis_url)
        stack.push_async_callback(feed.close)
        await feed.start()
        redis = RedisProbe(settings.redis_url)
        stack.push_async_callback(redis.close)
        metrics.watch_database(database)
        metrics.watchers.set_function(lambda: feed.watcher_count)
        metrics.watches.set_function(lambda: feed.watch_count)
        metrics.sockets.set_function(lambda: len(sockets))
        tokens = SignedBookingTokens(settings.secrets)
        yield Resources(settings, database, feed, tokens, authenticator, redis, metrics, sockets, account)


async def open_database(
    settings: Settings, metrics: Metrics | None = None, timelines: KeptTimelines | None = None
) -> Database:
    """The database, once it answers; waits up to 30 seconds for it. Raises OperatorError as `open_resources`.

    `timelines`: where those that are read are kept.
    """
    database = await _answering(settings, metrics, timelines)
    if not await is_current(database):
        await database.close()
        raise OperatorError(NOT_MIGRATED)
    return database


@asynccontextmanager
async def _kept_timelines(settings: Settings) -> AsyncIterator[KeptTimelines | None]:
    """Where timelines that are read are kept, if they are to be; on the shelf in Redis too, if there is one."""
    if not settings.keep_timelines:
        yield None
    elif settings.redis_url is None:
        yield KeptTimelines()
    else:
        shelf = RedisShelf(settings.redis_url)
        try:
            yield KeptTimelines(shelf)
        finally:
            await shelf.close()


async def _answering(settings: Settings, metrics: Metrics | None, timelines: KeptTimelines | None) -> Database:
    assert settings.database_url is not None, "the command line fills it in"
    deadline = time.monotonic() + DATABASE_SECONDS_MAX
    while True:
        try:
            return await connect(
                settings.database_url,
                pool_size=settings.database_pool_size,
                observer=metrics,
                timelines=timelines,
            )
        except asyncpg.InvalidParameterValueError as error:  # the application's role does not exist
            raise OperatorError(NOT_MIGRATED) from error
        except (*TRY_AGAIN, *TOO_SLOW) as error:
            if time.monotonic() > deadline:
                raise OperatorError(f"The database does not answer: {error}") from error
        await asyncio.sleep(DATABASE_RETRY_SECONDS)


async def close_database(database: Database) -> None:
    """Close the database after what is in flight, for at most a second; the rest is cut off, and rolled back."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS_MAX):
            await database.close()
    except TimeoutError:
        database.ledger.terminate()


def utc_now() -> datetime:
    """The instant now, by this machine's clock."""
    return datetime.now(UTC)
