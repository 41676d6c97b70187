"""The tables as they are after a run, as values: what the history is compared with. Ids are UUIDs as text."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class Resource:
    """`capacity` is what it began with, before any adjustment."""

    id: str
    version: int
    capacity: int
    sharing: str = "SHARED"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A booking of `resource_id` also takes of `required_id`."""

    resource_id: str
    required_id: str
    per_unit: int
    per_booking: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A booking of `resource_id` takes a unit each of some of its members."""

    resource_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Booking:
    """`is_approved`: confirming it submits it to the venue."""

    id: str
    status: str
    version: int
    is_approved: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    booking_id: str
    resource_id: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    activity: str | None = None
    chosen: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A version of a booking."""

    booking_id: str
    version: int
    kind: str
    status: str
    created_at: datetime
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    booking_id: str
    resource_id: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    sharing_key: str | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of capacity, or a closing or opening; `version` is the resource's that it made."""

    resource_id: str
    version: int
    starts_at: datetime
    ends_at: datetime | None
    capacity: int | None = None
    closed: bool | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """A row of the outbox: one version of a resource or a booking. Who published it had seen it by then."""

    kind: str
    entity_id: str
    version: int
    created_at: datetime
    published_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who waits; `booking_id` is what is offered, or was accepted."""

    id: str
    resource_id: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    activity: str | None
    status: str
    version: int
    offers: int
    booking_id: str | None = None


@dataclass(frozen=True, slots=True)
class EntryEvent:
    """A version of an entry."""

    entry_id: str
    version: int
    status: str
    created_at: datetime
    booking_id: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key, and what was done under it.

    `answers` are of a call about several bookings, each a booking and a code: the booking that was made or changed, the
    code why not; a date of a series without a booking has none.
    """

    key: str
    created_at: datetime
    booking_id: str | None = None
    resource_id: str | None = None
    version: int | None = None
    entry_id: str | None = None
    answers: tuple[tuple[str | None, str | None], ...] = ()


@dataclass(slots=True)
class Dump:
    """All of one organization, read in one snapshot."""

    resources: list[Resource] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    outbox: list[Hint] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    entry_events: list[EntryEvent] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)


def _key(*, answers: str | None, **columns: Any) -> Key:
    """A row of the table, in which answers are JSON."""
    told = tuple((one.get("booking_id"), one.get("refusal", {}).get("code")) for one in json.loads(answers or "[]"))
    return Key(**columns, answers=told)


_TABLES: dict[str, tuple[Callable[..., object], str]] = {
    "resources": (
        Resource,
        "SELECT r.id::text, r.version, t.capacity, r.sharing FROM resource r JOIN timeline t"
        " ON t.organization_id = r.organization_id AND t.resource_id = r.id AND t.at = '-infinity'",
    ),
    "requirements": (
        Requirement,
        "SELECT resource_id::text, required_id::text, per_unit, per_booking FROM resource_requirement",
    ),
    "choices": (Choice, "SELECT resource_id::text, member_id::text FROM resource_choice"),
    "bookings": (
        Booking,
        "SELECT id::text, status, version, approval_seconds IS NOT NULL AS is_approved FROM booking",
    ),
    "items": (
        Item,
        "SELECT booking_id::text, resource_id::text, starts_at, ends_at, quantity, activity,"
        " coalesce(chosen::text[], '{}') AS chosen FROM booking_item",
    ),
    "events": (Event, "SELECT booking_id::text, version, kind, status, created_at, actor FROM booking_event"),
    "claims": (
        Claim,
        "SELECT booking_id::text, resource_id::text, starts_at, ends_at, quantity, sharing_key FROM claim",
    ),
    "adjustments": (
        Adjustment,
        "SELECT resource_id::text, version, starts_at, ends_at, capacity, closed FROM adjustment",
    ),
    "outbox": (
        Hint,
        "SELECT kind, entity_id::text, version, created_at, published_at, starts_at, ends_at FROM outbox",
    ),
    "entries": (
        Entry,
        "SELECT id::text, resource_id::text, starts_at, ends_at, quantity, activity, status, version, offers,"
        " booking_id::text FROM waitlist_entry",
    ),
    "entry_events": (
        EntryEvent,
        "SELECT entry_id::text, version, status, created_at, booking_id::text FROM waitlist_event",
    ),
    "keys": (
        _key,
        "SELECT key, created_at, result->>'booking_id' AS booking_id, result->>'resource_id' AS resource_id,"
        " (result->>'version')::bigint AS version, result->>'entry_id' AS entry_id, result->'answers' AS answers"
        " FROM idempotency",
    ),
}


def write_dump(dump: Dump, path: Path) -> None:
    """The rows as JSON lines, for whoever wants to see what a checker saw."""
    with path.open("w") as file:
        for name in _TABLES:
            file.writelines(
                json.dumps({"table": name, **asdict(row)}, default=str) + "\n" for row in getattr(dump, name)
            )


async def read_dump(owner_url: str) -> Dump:
    """Everything that is there now. The database holds one organization, the run's."""
    dump = Dump()
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for name, (row_type, query) in _TABLES.items():
                getattr(dump, name).extend(row_type(**row) for row in await connection.fetch(query))
    finally:
        await connection.close()
    return dump
