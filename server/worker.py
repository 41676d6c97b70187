"""`vacancy worker`: what goes on by itself. Several may run side by side; each loop is safe to run twice."""

import asyncio
import signal
from typing import Final

from models.database import Database
from server.janitor import tidy
from server.logs import configure_logging
from server.resources import close_database, open_database
from server.settings import Settings
from server.sweeper import sweep
from subscriptions.relay import relay

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def main(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM, then stop within two seconds.

    Raises OperatorError if the database does not answer within 30 seconds at the start, or is not migrated; later
    failures are outlasted.
    """
    configure_logging()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in STOP_SIGNALS:
        loop.add_signal_handler(each, stopped.set)
    opening = asyncio.create_task(open_database(settings))
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        return
    stopping.cancel()
    await work(await opening, settings.redis_url, stopped)


async def work(database: Database, redis_url: str | None, stopped: asyncio.Event) -> None:
    """Run all loops until `stopped` is set, then close the database. A loop that ends by itself is a defect."""
    loops = (relay(database, redis_url), sweep(database), tidy(database))
    tasks = [asyncio.create_task(each) for each in loops]
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, stopping):
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await close_database(database)
    for end in ends:
        if isinstance(end, Exception):
            raise end
