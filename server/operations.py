"""One GraphQL operation from parsing to its end: what kind it is, and how it ended."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any, Final

from graphql import GraphQLError
from strawberry.types.graphql import OperationType

from server.metrics import ServerMetrics

UNKNOWN: Final = "unknown"
"""The kind of an operation that could not be read."""

_current: ContextVar["Operation | None"] = ContextVar("operation", default=None)


class Operation:
    """Made where an operation arrives, in the task that will carry it out."""

    def __init__(self, metrics: ServerMetrics) -> None:
        self.kind = UNKNOWN
        self._metrics = metrics
        self._outcome = "cancelled"
        self._began = time.perf_counter()
        _current.set(self)

    @property
    def is_subscription(self) -> bool:
        """Whether somebody watches; not yet, while it is being read."""
        return self.kind == "subscription"

    def answered(self, errors: Sequence[GraphQLError] | None) -> None:
        """A result is there, with these errors as the client sees them."""
        codes = [(error.extensions or {}).get("code") for error in errors or ()]
        self._outcome = "defect" if "INTERNAL" in codes else "refused" if codes else "ok"

    def refused(self) -> None:
        """It can not be carried out: it is not what may be asked here."""
        self._outcome = "refused"

    def ended(self) -> None:
        """Count it, by its last result."""
        self._metrics.operated(self.kind, self._outcome, time.perf_counter() - self._began)

    async def following(self, results: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        """The same results, one by one; it ends with them."""
        try:
            async with aclosing(results):
                async for result in results:
                    self.answered(result.errors)
                    yield result
        finally:
            self.ended()


def note_kind(kind: OperationType) -> None:
    """Tell the operation that is being carried out in this task what it is."""
    operation = _current.get()
    if operation is not None:
        operation.kind = kind.value
