"""A loop that goes on through failures: one log line when they begin, one when they end, and bounded pauses."""

import logging

import asyncpg
from redis.exceptions import RedisError

from models.ledger.failures import TOO_SLOW, TRY_AGAIN, driver_error

EXPECTED: tuple[type[BaseException], ...] = (*TRY_AGAIN, *TOO_SLOW, RedisError, asyncpg.PostgresError)
"""What a server that is down, restarting or overloaded raises; anything else is a defect, and logged with its trace."""

logger = logging.getLogger("vacancy")


class Outage:
    """The failures of one loop. `name` says in the log what does not work."""

    def __init__(self, name: str, *, first_pause_seconds: float = 0.05, pause_seconds_max: float = 1.0) -> None:
        self._name = name
        self._first_pause_seconds = first_pause_seconds
        self._pause_seconds_max = pause_seconds_max
        self._pause_seconds = 0.0
        self._logged: type[BaseException] | None = None

    def failed(self, error: Exception) -> float:
        """Take note of a failure, and return how many seconds to wait before the next attempt.

        Logs the first, and each that is of another kind than the one before. By what the driver itself has raised:
        what wraps that repeats the statement and its values.
        """
        cause = driver_error(error)
        if type(cause) is not self._logged:
            self._logged = type(cause)
            if isinstance(cause, EXPECTED):
                logger.warning("%s: %s (%s). Trying again.", self._name, cause, type(cause).__name__)
            else:
                logger.error("%s: a defect. Trying again.", self._name, exc_info=error)
        self._pause_seconds = min(self._pause_seconds_max, max(self._first_pause_seconds, self._pause_seconds * 2))
        return self._pause_seconds

    def over(self) -> None:
        """Take note that it works; says so if it did not before."""
        if self._logged is not None:
            logger.warning("%s: works again.", self._name)
        self._logged = None
        self._pause_seconds = 0.0
