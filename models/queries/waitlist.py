"""Reading waitlists, and what the worker asks of them: see sql/45_waitlist.sql of the ledger."""

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlmodel import col, select

from models.database import Database, ReadSession
from models.keys import EntryKey, ResourceKey
from models.waitlist import WaitlistEntry, WaitlistStatus


class TakenList(NamedTuple):
    """A waitlist that a worker has taken to look through, and what decided over it when it did."""

    resource: ResourceKey
    seen: list[int]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Which entries of one organization: the newest `limit`, those made before the entry `before`."""

    organization_id: uuid.UUID
    limit: int
    before: uuid.UUID | None = None
    customer_id: str | None = None
    statuses: tuple[WaitlistStatus, ...] = ()
    resource: ResourceKey | None = None


async def read_entries(database: Database, keys: Sequence[EntryKey]) -> dict[EntryKey, WaitlistEntry]:
    """The entries under these keys; unknown ones are absent. One statement per organization."""
    by_organization: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for key in keys:
        by_organization[key.organization_id].append(key.id)
    found: dict[EntryKey, WaitlistEntry] = {}
    for organization_id, ids in by_organization.items():
        rows = await database.ledger.fetch(
            "SELECT to_jsonb(e) AS entry FROM waitlist_read($1, $2) e", organization_id, ids
        )
        for row in rows:
            entry = WaitlistEntry.model_validate(json.loads(row["entry"]))
            found[EntryKey(organization_id, entry.id)] = entry
    return found


async def read_entry(database: Database, key: EntryKey) -> WaitlistEntry | None:
    """The entry as it is now, or None."""
    return (await read_entries(database, [key])).get(key)


async def read_waiting(database: Database, key: ResourceKey, *, limit: int) -> list[WaitlistEntry]:
    """Who waits for the resource, in the order in which they are offered what becomes free."""
    rows = await database.ledger.fetch("SELECT to_jsonb(e) AS entry FROM waitlist_waiting($1, $2, $3) e", *key, limit)
    return [WaitlistEntry.model_validate(json.loads(row["entry"])) for row in rows]


async def page_of_entries(session: ReadSession, page: EntryPage) -> list[WaitlistEntry]:
    """The page, newest first: ids are made in the order of time. One statement."""
    query = select(WaitlistEntry).where(WaitlistEntry.organization_id == page.organization_id)
    if page.before is not None:
        query = query.where(WaitlistEntry.id < page.before)
    if page.customer_id is not None:
        query = query.where(WaitlistEntry.customer_id == page.customer_id)
    if page.statuses:
        query = query.where(col(WaitlistEntry.status).in_(page.statuses))
    if page.resource is not None:
        query = query.where(WaitlistEntry.resource_id == page.resource.id)
    return list(await session.exec(query.order_by(col(WaitlistEntry.id).desc()).limit(page.limit)))


async def take_waitlists(database: Database, *, limit: int, lease_seconds: int, again_seconds: int) -> list[TakenList]:
    """Waitlists on which something may be offered now; each is this caller's alone for `lease_seconds`."""
    rows = await database.ledger.fetch(
        "SELECT * FROM worker_take_waitlists($1, $2, $3)", limit, lease_seconds, again_seconds
    )
    return [TakenList(ResourceKey(row["organization_id"], row["resource_id"]), row["seen"]) for row in rows]


async def return_waitlist(database: Database, taken: TakenList, *, is_done: bool) -> None:
    """Give the list back: looked through to its end, or to be taken again at once."""
    await database.ledger.execute(
        "SELECT worker_return_waitlist($1, $2, $3)", *taken.resource, taken.seen if is_done else None
    )


async def lapse_waiting(database: Database, *, limit: int) -> int:
    """End entries whose time has come; returns how many."""
    lapsed: int = await database.ledger.fetchval("SELECT worker_lapse_waiting($1)", limit)
    return lapsed
