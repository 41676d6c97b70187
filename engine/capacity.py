"""Capacity over time: how much there is, and when nothing can be booked at all. Staff, in their own organization."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine import authority, fields
from engine.idempotency import check_key
from engine.resources import CAPACITY_MAX
from engine.rules.limits import HORIZON_DAYS_MAX, WINDOW_DAYS_MAX
from engine.viewer import Role, Viewer
from models.database import Database
from models.errors import InvalidInput, NotFound
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.requests import Adjust, Command

PAST_MAX = timedelta(days=1)  # "since this morning" can be put right, last month is history


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """[starts_at, ends_at), aware instants; no start: from now, no end: from then on."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None


ALWAYS = OpenWindow()


@dataclass(frozen=True, slots=True)
class SetCapacity:
    """`capacity` over the window; without an end it becomes the base capacity as well."""

    key: str
    request_hash: bytes
    resource: ResourceKey
    capacity: int
    window: OpenWindow = ALWAYS
    expected_version: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CloseOrOpen:
    """Over the window no new claims are taken, or they are again; what is booked stays booked."""

    key: str
    request_hash: bytes
    resource: ResourceKey
    window: OpenWindow = ALWAYS
    expected_version: int | None = None
    reason: str | None = None


async def set_capacity(database: Database, viewer: Viewer, request: SetCapacity, *, now: datetime) -> ResourceKey:
    """Set the capacity over a window, once per key.

    Raises CapacityInUse, naming the bookings in the way, if more is taken at some instant; VersionConflict,
    Unauthenticated, Forbidden, NotFound, InvalidInput, IdempotencyConflict, Busy.
    """
    authority.require(viewer, Role.STAFF, request.resource.organization_id, "resource", "resourceId")
    fields.check_range("capacity", request.capacity, 0, CAPACITY_MAX)
    return await _adjust(database, viewer, request, now, capacity=request.capacity)


async def close_resource(database: Database, viewer: Viewer, request: CloseOrOpen, *, now: datetime) -> ResourceKey:
    """Take no new claims over a window (stop-sell), once per key; raises as `set_capacity` without CapacityInUse."""
    authority.require(viewer, Role.STAFF, request.resource.organization_id, "resource", "resourceId")
    return await _adjust(database, viewer, request, now, closed=True)


async def open_resource(database: Database, viewer: Viewer, request: CloseOrOpen, *, now: datetime) -> ResourceKey:
    """Take claims again over a window, once per key; raises as `close_resource`."""
    authority.require(viewer, Role.STAFF, request.resource.organization_id, "resource", "resourceId")
    return await _adjust(database, viewer, request, now, closed=False)


async def _adjust(
    database: Database,
    viewer: Viewer,
    request: SetCapacity | CloseOrOpen,
    now: datetime,
    *,
    capacity: int | None = None,
    closed: bool | None = None,
) -> ResourceKey:
    check_key(request.key)
    fields.check_reason(request.reason)
    organization_id, resource_id = request.resource
    command = Command(organization_id, viewer.actor, request.key, request.request_hash)
    try:
        _check_window(request.window, now)
    except InvalidInput:
        # A repetition gets the first answer, also when the window has become too old meanwhile.
        if await calls.recall(database, command) is None:
            raise
        return request.resource
    try:
        await calls.adjust(
            database,
            Adjust(
                command=command,
                resource_id=resource_id,
                starts_at=request.window.starts_at,
                ends_at=request.window.ends_at,
                capacity=capacity,
                closed=closed,
                reason=request.reason,
                expected_version=request.expected_version,
            ),
        )
    except NotFound:
        raise authority.unknown("resource", "resourceId") from None
    return request.resource


def _check_window(window: OpenWindow, now: datetime) -> None:
    """From a day ago to 730 days ahead it starts, and if it ends, then at most 366 days later."""
    starts_at, ends_at = window.starts_at or now, window.ends_at
    path = ("input", "window")
    if not now - PAST_MAX <= starts_at <= now + timedelta(days=HORIZON_DAYS_MAX):
        raise InvalidInput(
            f"The window must start between a day ago and {HORIZON_DAYS_MAX} days ahead.", path=(*path, "startsAt")
        )
    if ends_at is None:
        return
    if ends_at <= starts_at:
        raise InvalidInput("The window must end after it starts.", path=(*path, "endsAt"))
    if ends_at - starts_at > timedelta(days=WINDOW_DAYS_MAX):
        message = f"The window is longer than {WINDOW_DAYS_MAX} days: ask for a shorter one, or for one without an end."
        raise InvalidInput(message, path=(*path, "endsAt"))
