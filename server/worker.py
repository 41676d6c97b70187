"""`vacancy worker`: what goes on by itself. Several may run side by side; each loop is safe to run twice."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from engine.provided_taxes import NO_TAX_PROVIDER
from models.database import Database
from server.collector import collect
from server.dispute_finder import find_disputes
from server.exposition import exposed, look_behind
from server.folding import fold_past
from server.janitor import tidy
from server.logs import configure_logging
from server.metrics import WorkerMetrics
from server.offerer import offer
from server.provider import Provider, check_account, provider
from server.resources import close_database, open_database
from server.settings import Settings
from server.surveyor import survey
from server.sweeper import sweep
from server.tax_teller import tell
from subscriptions.ending import end
from subscriptions.relay import relay

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def main(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM, then stop within two seconds.

    Raises OperatorError if the database does not answer within 30 seconds at the start, or is not migrated, or if
    there is no account to collect money with; later failures are outlasted.
    """
    configure_logging()
    check_account(settings.payments)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in STOP_SIGNALS:
        loop.add_signal_handler(each, stopped.set)
    with _counted(settings) as metrics:
        database = await _opened(settings, metrics, stopped)
        if database is not None:
            await work(database, settings, stopped, metrics)


async def work(
    database: Database, settings: Settings, stopped: asyncio.Event, metrics: WorkerMetrics | None = None
) -> None:
    """Run all loops until `stopped` is set, then close the database. A loop that ends by itself is a defect."""
    async with provider(settings.payments) as account:
        await _work(database, settings, account, stopped, metrics)


async def _work(
    database: Database,
    settings: Settings,
    account: Provider,
    stopped: asyncio.Event,
    metrics: WorkerMetrics | None,
) -> None:
    keep = timedelta(days=settings.timeline_days)
    loops = [
        relay(database, settings.redis_url),
        sweep(database),
        offer(database, account.taxes),
        tidy(database),
        survey(database),
        fold_past(database, keep),
    ]
    if account.payments is not None:
        gateway = account.payments.gateway
        loops += [collect(database, gateway), find_disputes(database, gateway)]
    if account.taxes is not NO_TAX_PROVIDER:
        loops.append(tell(database, account.taxes))
    if metrics is not None:
        metrics.watch_database(database)
        loops.append(look_behind(database, metrics))
    tasks = [asyncio.create_task(each) for each in loops]
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end((*tasks, stopping))
        await close_database(database)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


async def _opened(settings: Settings, metrics: WorkerMetrics | None, stopped: asyncio.Event) -> Database | None:
    """The database, or None if we are told to stop before it answers."""
    opening = asyncio.create_task(open_database(settings, metrics))
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        return None
    stopping.cancel()
    return await opening


@contextmanager
def _counted(settings: Settings) -> Iterator[WorkerMetrics | None]:
    """Counts, and answers /metrics, where a port is set for it."""
    if settings.metrics_port is None:
        yield None
        return
    metrics = WorkerMetrics()
    with exposed(metrics, settings.host, settings.metrics_port):
        yield metrics
