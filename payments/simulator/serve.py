"""The simulator as a server: one process on a loopback port."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Final

import uvicorn
import uvloop
from starlette.requests import Request

from payments.simulator.account import Account
from payments.simulator.app import create_app
from payments.simulator.settings import SimulatorSettings

STARTED_POLL_SECONDS: Final = 0.001
DRAIN_SECONDS_MAX: Final = 2
KEEP_ALIVE_SECONDS: Final = 75
"""How long a connection on which nothing is asked stays open: longer than clients keep one (httpx: 5 s), so that none
asks on one that is just being closed, and hears nothing."""

BACKLOG: Final = 2_048


class PortTaken(RuntimeError):
    """The simulator cannot listen where it was told to."""


class SimulatorServer(uvicorn.Server):
    """uvicorn, and a way to end one connection. `signals`: whether SIGINT and SIGTERM stop it."""

    def __init__(self, account: Account, *, signals: bool) -> None:
        self._signals = signals
        super().__init__(
            uvicorn.Config(
                create_app(account, self.drop),
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=DRAIN_SECONDS_MAX,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                backlog=BACKLOG,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While it serves, be told of signals; or leave them to whoever runs the loop."""
        with super().capture_signals() if self._signals else nullcontext():
            yield

    def drop(self, request: Request) -> None:
        """End the connection that `request` came by, with whatever was to follow on it."""
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == request.scope["client"]:
                connection.transport.abort()


def serve(settings: SimulatorSettings, *, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `say` is told where, once there is somebody to answer. Raises PortTaken."""
    # A line for each webhook would drown what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    listening = _listening(settings)
    # uvicorn handles these while it runs, and raises them again when it has stopped: then there is nothing to do.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda _signal, _frame: None)

    async def run() -> None:
        server = SimulatorServer(Account(settings), signals=True)
        listening.listen(BACKLOG)
        say(f"The payment simulator listens on {_address(settings, listening)}")
        await server.serve([listening])

    with listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


@asynccontextmanager
async def serving(settings: SimulatorSettings) -> AsyncIterator[str]:
    """Serve in this event loop for the length of a `with`; gives the address. Raises PortTaken."""
    with _listening(settings) as listening:
        server = SimulatorServer(Account(settings), signals=False)
        task = asyncio.create_task(server.serve([listening]))
        try:
            while not server.started:
                await asyncio.sleep(STARTED_POLL_SECONDS)
                if task.done():
                    break
            yield _address(settings, listening)
        finally:
            server.should_exit = True
            await task


def _address(settings: SimulatorSettings, listening: socket.socket) -> str:
    return f"http://{settings.host}:{listening.getsockname()[1]}"


def _listening(settings: SimulatorSettings) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"Port {settings.port} on {settings.host} cannot be used ({error.strerror})") from error
    listening.setblocking(False)
    return listening
