"""Logging: one line per event on standard error, as JSON, or as text where somebody sits in front of it.

Each line of a request carries its id. What is logged never holds a token, a contact or a query string: of an
exception nothing but its place and its type is told, unless its message speaks of the code.
"""

import json
import logging
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Final

import asyncpg

FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"

CHAIN_MAX: Final = 10
"""Causes of causes that are logged."""

SAID_BY_CODE: Final = (AssertionError, AttributeError, ImportError, NameError, TypeError)
"""Whose messages speak of the code. Those of others may repeat a value: a row, an input, a contact."""

OUTAGE_SECONDS: Final = 120
"""So long after the last of them a message of a driver's is told again. It tries again once a minute at the least."""

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered. Tasks that it starts have it too."""


def configure_logging(*, requests: bool = False) -> None:
    """Send warnings and worse to standard error, and a line per request if that is wanted. Called once by a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLines() if sys.stderr.isatty() else JsonLines())
    # WARNING: at INFO uvicorn and httpx would log URLs as they are, with whatever somebody put into them.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("vacancy.requests").setLevel(logging.INFO if requests else logging.WARNING)
    pool = logging.getLogger("asyncpg.pool")
    if not any(isinstance(each, OncePerOutage) for each in pool.filters):
        pool.addFilter(OncePerOutage())


class TextLines(logging.Formatter):
    """For people: the time in UTC, the level, who says it and what, and the request's id in brackets."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(FORMAT, TIME_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line."""
        id_ = request_id.get()
        return super().formatMessage(record) + (f" [{id_}]" if id_ else "")

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
        """Where it was raised and what it is, without what its message may repeat."""
        return _told(ei)


class JsonLines(logging.Formatter):
    """For programs: an object per line, with `time`, `level`, `logger`, `message`, and what else there is."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """The line. `extra={"fields": {...}}` of a log call becomes fields of the object."""
        line = {
            "time": f"{self.formatTime(record, TIME_FORMAT)}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        id_ = request_id.get()
        if id_ is not None:
            line["request_id"] = id_
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["trace"] = _told(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class OncePerOutage(logging.Filter):
    """Lets the first of equal messages through, and no other before there has been none for `OUTAGE_SECONDS`.

    While PostgreSQL is down asyncpg's pool logs each of its attempts, with a trace that is always the same: of that
    nothing but what was raised is told. Keeps a time for each message that the pool has, which are a handful.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told."""
        now, before = self._now(), self._last.get(record.msg, -math.inf)
        self._last[record.msg] = now
        if record.exc_info and record.exc_info[1] is not None:
            record.msg = f"{record.msg} ({_named(record.exc_info[1])})"
            record.exc_info = None
        return now - before > OUTAGE_SECONDS


def trace_of(error: BaseException) -> Iterator[str]:
    """Where it was raised and what it is, then the same of its cause, and so on; no values."""
    current: BaseException | None = error
    for _ in range(CHAIN_MAX):
        if current is None:
            return
        yield from traceback.format_tb(current.__traceback__)
        yield f"{_named(current)}\n"
        current = current.__cause__ or current.__context__


def _named(exception: BaseException) -> str:
    name = f"{type(exception).__module__}.{type(exception).__qualname__}"
    if isinstance(exception, asyncpg.PostgresError):
        return f"{name}: {exception.sqlstate} {exception.constraint_name or ''}".rstrip()
    return f"{name}: {exception}" if isinstance(exception, SAID_BY_CODE) else name


def _told(exc_info: object) -> str:
    error = exc_info[1] if isinstance(exc_info, tuple) else None
    return "" if error is None else "Traceback:\n" + "".join(trace_of(error)).rstrip("\n")
