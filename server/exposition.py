"""A worker's own /metrics, on a port of its own, and the loop that looks how far behind the worker is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import start_http_server

from models.database import Database
from models.queries.payments import read_payments_for_staff
from models.queries.work import read_backlog
from server.errors import OperatorError
from server.loops import keep_on
from server.metrics import WorkerMetrics

LOOK_SECONDS: Final = 5.0


@contextmanager
def exposed(metrics: WorkerMetrics, host: str, port: int) -> Iterator[None]:
    """Answer /metrics for the length of a `with`, from a thread. Raises OperatorError if the port is taken."""
    try:
        server, thread = start_http_server(port, host, registry=metrics.registry)
    except OSError as error:
        raise OperatorError(
            f"Port {port} on {host} cannot be used ({error.strerror}): choose another with VACANCY_METRICS_PORT"
        ) from error
    try:
        yield
    finally:
        _stop(server, thread)


async def look_behind(database: Database, metrics: WorkerMetrics) -> None:
    """Look every five seconds until cancelled, through failures of the database."""

    async def step() -> float:
        metrics.look(await read_backlog(database))
        metrics.look_at_money(await read_payments_for_staff(database))
        return LOOK_SECONDS

    await keep_on("Looking how far behind the worker is", step)


def _stop(server: object, thread: threading.Thread) -> None:
    server.shutdown()  # type: ignore[attr-defined]
    server.server_close()  # type: ignore[attr-defined]
    thread.join()
