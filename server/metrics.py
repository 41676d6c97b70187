"""What is counted and timed, for Prometheus: one registry per process. Labels take few values, none of them a person's.

`Metrics` is what any process has, `ServerMetrics` and `WorkerMetrics` add what only a server or a worker knows.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response

from models.database import Database
from models.ledger.failures import driver_error
from models.queries.payments import PaymentsForStaff
from models.queries.work import Backlog
from schema.error_codes import ErrorCode

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

ADMISSIONS: Final = frozenset({"HELD", "REPLAYED", "DEFECT", *ErrorCode})
TRANSACTIONS_MAX: Final = 100
"""Names of transactions that are told apart; there are some twenty."""


class Metrics:
    """Of any process: its transactions and admissions. Implements `models.observer.Observer`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._transactions = self._histogram(
            "vacancy_transaction_seconds",
            "Transactions, with the way there and back and the waiting for locks, by the function that is called.",
            "transaction",
        )
        self._failures = self._counter(
            "vacancy_transaction_failures",
            "Transactions that PostgreSQL or the connection to it ended.",
            "transaction",
            "reason",
        )
        self._admissions = self._counter(
            "vacancy_admissions", "Holds that were asked for: held, replayed, or the code of the refusal.", "outcome"
        )
        self._ended = self._counter("vacancy_holds_ended", "Holds that the sweeper has ended.")
        self._relayed = Histogram(
            "vacancy_relay_lag_seconds",
            "From the commit of a change to the publication of its hint.",
            buckets=LAG_SECONDS,
            registry=self.registry,
        )
        self._timelines = self._counter(
            "vacancy_timelines_read",
            "Timelines that were read, by where they were found; where they are kept.",
            "source",
        )
        self._looks = self._counter(
            "vacancy_sold_out_looks",
            "Holds that looked sold out by what is kept: refused, or left to the ledger.",
            "outcome",
        )
        self._names: set[str] = set()

    def called(self, transaction: str, seconds: float, error: BaseException | None) -> None:
        """See `models.observer.Observer`."""
        name = self._known(transaction)
        self._transactions.labels(name).observe(seconds)
        if error is not None:
            self._failures.labels(name, reason_of(error)).inc()

    def admitted(self, outcome: str) -> None:
        """See `models.observer.Observer`."""
        self._admissions.labels(outcome.lower() if outcome in ADMISSIONS else "other").inc()

    def ended(self, holds: int) -> None:
        """See `models.observer.Observer`."""
        self._ended.inc(holds)

    def published(self, seconds: Sequence[float]) -> None:
        """See `models.observer.Observer`."""
        for each in seconds:
            self._relayed.observe(each)

    def timelines_read(self, source: str, count: int) -> None:
        """See `models.observer.Observer`."""
        if count:
            self._timelines.labels(source).inc(count)

    def looked(self, refused: bool) -> None:
        """See `models.observer.Observer`."""
        self._looks.labels("refused" if refused else "asked the ledger").inc()

    def watch_database(self, database: Database) -> None:
        """Tell of its pools, as they are whenever somebody asks."""
        pools = self._gauge("vacancy_pool_connections", "Database connections of this process.", "pool", "state")
        ledger, sessions = database.ledger, database.engine.pool
        pools.labels("ledger", "open").set_function(ledger.get_size)
        pools.labels("ledger", "in_use").set_function(lambda: ledger.get_size() - ledger.get_idle_size())
        pools.labels("sessions", "in_use").set_function(lambda: sessions.checkedout())  # type: ignore[attr-defined]
        self._gauge("vacancy_pool_waiting", "Calls of the ledger that wait for a connection.").set_function(
            lambda: database.waiting
        )
        self._gauge("vacancy_work_in_flight", "Units of work that have begun and not ended.").set_function(
            lambda: len(database.in_flight)
        )

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)

    def _known(self, transaction: str) -> str:
        if transaction in self._names or len(self._names) < TRANSACTIONS_MAX:
            self._names.add(transaction)
            return transaction
        return "other"

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, *labels: str) -> Histogram:
        return Histogram(name, told, labels, buckets=SECONDS, registry=self.registry)


class ServerMetrics(Metrics):
    """Of a server: its requests and operations, and who watches."""

    def __init__(self) -> None:
        super().__init__()
        self._requests = self._counter("vacancy_http_requests", "HTTP requests, answered.", "path", "status")
        self._operations = self._counter(
            "vacancy_operations",
            "GraphQL operations that have ended: ok, refused as a whole, a defect, or cancelled by the client. "
            "A mutation that is refused in its payload is ok here.",
            "kind",
            "outcome",
        )
        self._operation_seconds = self._histogram(
            "vacancy_operation_seconds", "GraphQL queries and mutations, from parsing to the result.", "kind"
        )
        self._webhooks = self._counter(
            "vacancy_webhooks",
            "Webhooks of the payment provider: new, repeated and foreign ones; refused for their signature, time or "
            "content; and those that are to be sent again.",
            "outcome",
        )
        self.watchers = self._gauge("vacancy_watchers", "Subscriptions of this process.")
        self.watches = self._gauge("vacancy_watches", "What they watch, each thing as often as it is watched.")
        self.sockets = self._gauge("vacancy_sockets", "WebSockets of this process.")

    def answered(self, path: str, status: int) -> None:
        """An HTTP request to this path of ours has had its answer."""
        self._requests.labels(path, str(status)).inc()

    def operated(self, kind: str, outcome: str, seconds: float) -> None:
        """A GraphQL operation has ended. How long somebody watches says nothing of this server."""
        self._operations.labels(kind, outcome).inc()
        if kind != "subscription":
            self._operation_seconds.labels(kind).observe(seconds)

    def webhook(self, outcome: str) -> None:
        """A webhook has had its answer."""
        self._webhooks.labels(outcome).inc()

    def response(self) -> Response:
        """The answer of /metrics."""
        return Response(self.text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


class WorkerMetrics(Metrics):
    """Of a worker: how far behind it is. `look` brings it up to date."""

    def __init__(self) -> None:
        super().__init__()
        gauges = (
            ("vacancy_holds_over", "Holds that are over and have not been ended; counted up to 10,000."),
            ("vacancy_hold_expiry_lag_seconds", "How long the most overdue of them has been over."),
            ("vacancy_outbox_unpublished", "Changes that have not been published; counted up to 10,000."),
            ("vacancy_outbox_lag_seconds", "How long the oldest of them has been waiting."),
            ("vacancy_lock_waiters", "Backends of the PostgreSQL server that wait for a lock just now."),
            ("vacancy_lock_wait_seconds", "How long the longest of them has been waiting."),
        )
        self._backlog = [self._gauge(*each) for each in gauges]
        self._for_staff = self._gauge("vacancy_payments_for_staff", "Money that only people can see to.", "what")

    def look(self, backlog: Backlog) -> None:
        """Take over what was found."""
        for gauge, value in zip(self._backlog, backlog, strict=True):
            gauge.set(value)

    def look_at_money(self, found: PaymentsForStaff) -> None:
        """Take over how much of it there is."""
        for what, count in found._asdict().items():
            self._for_staff.labels(what).set(count)


def reason_of(error: BaseException) -> str:
    """Why a transaction did not end well, in a few words that are the same for all of a kind."""
    match driver_error(error):
        case asyncpg.LockNotAvailableError():
            return "lock_timeout"
        case asyncpg.QueryCanceledError() | TimeoutError() | asyncio.CancelledError():
            return "timeout"
        case asyncpg.DeadlockDetectedError():
            return "deadlock"
        case asyncpg.SerializationError():
            return "serialization"
        case asyncpg.IntegrityConstraintViolationError():
            return "constraint"
        case asyncpg.PostgresConnectionError() | asyncpg.InterfaceError() | OSError():
            return "connection"
        case asyncpg.PostgresError():
            return "database"
        case _:
            return "application"
