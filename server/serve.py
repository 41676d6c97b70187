"""`vacancy serve`: the application under uvicorn, one process on one port."""

import asyncio
import gc
import signal
import socket
import time
from typing import Final

import uvicorn

from server.app import create_app
from server.limits import BODY_BYTES_MAX
from server.logs import configure_logging
from server.provider import check_account
from server.resources import open_database
from server.settings import Settings
from server.sockets import Sockets

DRAIN_SECONDS_MAX: Final = 8
SOCKETS_SECONDS_MAX: Final = 4.0
"""Of the eight, how long a WebSocket may take to answer what it was asked: longer than the wait for a lock."""

PING_SECONDS: Final = 20.0

KEEP_ALIVE_SECONDS: Final = 75
"""How long a connection on which nothing is asked is kept: longer than clients and proxies keep theirs (nginx 60, most
clients 5), so that it is they who close it, and nobody asks on one that is just being closed."""

OBJECTS_PER_SEARCH: Final = 5_000
"""So many more than there were make the next search for garbage, not Python's 700: an answer about a month makes more
at once. Each hundredth search is of all that is kept, 25 ms with the facts of 200 resources: before 3 times in 500
calendars of a month, now not once (2 cores, Debian 12, 2026-11-22)."""


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then take no more connections, answer what was asked, and return.

    WebSockets are closed with 1012, and with when to come back. Stopping takes less than ten seconds. Raises
    OperatorError if the database does not answer within 30 seconds, or is not migrated.
    """
    configure_logging(requests=settings.log_requests)
    asyncio.run(_check(settings))
    sockets = Sockets()
    server = DrainingServer(
        uvicorn.Config(
            create_app(settings, sockets),
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
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS_MAX,
        ),
        sockets,
    )
    # uvicorn handles these while it runs, and raises them again when it has stopped: then there is nothing to do.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda _signal, _frame: None)
    keep_what_there_is()
    server.run()


class DrainingServer(uvicorn.Server):
    """uvicorn's, which itself would close a WebSocket in the middle of an answer, and without a reason."""

    def __init__(self, config: uvicorn.Config, sockets: Sockets) -> None:
        super().__init__(config)
        self._sockets = sockets

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, drain the WebSockets, then let uvicorn end the rest in the time that is left."""
        began = time.monotonic()
        for listener in self.servers:
            listener.close()
        await self._sockets.drain(SOCKETS_SECONDS_MAX)
        spent_seconds = time.monotonic() - began
        self.config.timeout_graceful_shutdown = int(DRAIN_SECONDS_MAX - spent_seconds)
        await super().shutdown(sockets)


def keep_what_there_is() -> None:
    """Leave modules and the schema out of every search for garbage from now on, and search seldom.

    They are 167,000 objects that stay for good. To look through all of them took 128 ms, in the middle of whatever
    request made the last object (2 cores, Debian 12, 2026-11-22).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_SEARCH)


async def _check(settings: Settings) -> None:
    """See that money can be collected, and the database is there and migrated, while it can be told in one line."""
    check_account(settings.payments)
    database = await open_database(settings)
    await database.close()
