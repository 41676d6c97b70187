"""What PostgreSQL says when it can not, as what the caller is told: one place, by SQLSTATE and by constraint name."""

import asyncpg
import sqlalchemy.exc

from models.errors import BookingError, Busy, InvalidInput

# The statement did nothing, or nobody knows whether its commit arrived. Both may be repeated: the idempotency key is
# written in the effect's own transaction, so that a repetition finds what was done.
TRY_AGAIN: tuple[type[BaseException], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's farewell has been read, but not yet that the connection is closed
    ConnectionError,
    OSError,
)

# Waiting took longer than the limits of `models.database` allow. Mostly nothing was done; but a commit may have arrived
# that was under way when we gave up.
TOO_SLOW: tuple[type[BaseException], ...] = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    TimeoutError,
    sqlalchemy.exc.TimeoutError,  # no connection became free in time; unlike the built-in one
)

_CONSTRAINTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "directory_pkey": ("This slug is taken.", ("input", "slug")),
    "venue_organization_id_slug_key": ("This slug is taken.", ("input", "slug")),
    "resource_organization_id_venue_id_slug_key": ("This venue has a resource with this slug.", ("input", "slug")),
    "adjustment_interval_check": ("The window is over.", ("input", "window", "endsAt")),
}


def driver_error(error: BaseException) -> BaseException:
    """What the driver itself raised: SQLAlchemy wraps it twice."""
    return getattr(getattr(error, "orig", None), "__cause__", None) or error


def is_key_race(error: BaseException) -> bool:
    """Two calls with one idempotency key at the same moment: the later one finds the earlier's result when repeated."""
    return isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == "idempotency_pkey"


def busy() -> Busy:
    """The refusal for everything that took too long, or lost its connection too often.

    It can not say whether it was done: a commit may have arrived, and its answer, or what is read after it, be lost.
    """
    return Busy(
        "Too much at once, or no answer in time. Repeat the call with the same idempotency key: it has one effect."
    )


def translate(error: BaseException) -> BookingError | None:
    """The business fact behind a driver's error, or None if it is a defect. Looks through SQLAlchemy's wrapping."""
    cause = driver_error(error)
    if isinstance(cause, (*TOO_SLOW, *TRY_AGAIN)):
        return busy()
    known = _CONSTRAINTS.get(getattr(cause, "constraint_name", None) or "")
    if known is not None:
        message, path = known
        return InvalidInput(message, path=path)
    return None
