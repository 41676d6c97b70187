"""`vacancy serve`: the application under uvicorn, one process on one port."""

import asyncio
import signal
from typing import Final

import uvicorn

from server.app import create_app
from server.limits import BODY_BYTES_MAX
from server.logs import configure_logging
from server.resources import open_database
from server.settings import Settings

GRACEFUL_SECONDS_MAX: Final = 6
PING_SECONDS: Final = 20.0


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then close sockets (WebSockets with 1012), finish what runs, and return.

    Stopping takes at most eight seconds. Raises OperatorError if the database does not answer within 30 seconds, or
    is not migrated.
    """
    configure_logging()
    asyncio.run(_check(settings))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=BODY_BYTES_MAX,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACEFUL_SECONDS_MAX,
        )
    )
    # uvicorn handles these while it runs, and raises them again when it has stopped: then there is nothing to do.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda _signal, _frame: None)
    server.run()


async def _check(settings: Settings) -> None:
    """Wait for the database, and see that it is migrated, while an error can still be told in one line."""
    database = await open_database(settings)
    await database.close()
