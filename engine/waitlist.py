"""Waiting for what is taken: joining a waitlist, leaving it, and who may see an entry.

Nothing is kept free for who waits: what becomes free may be booked by anybody until it is offered (engine/offers.py).
"""

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from engine.availability import Wish, check_quantity, interval_of, refusals_of
from engine.bookings import acting_in, command_on
from engine.facts import load_facts
from engine.idempotency import check_key, commit_once
from engine.rules.base import violation
from engine.rules.guests import guests_as_stored
from engine.viewer import Role, Viewer
from models.base import new_id
from models.database import Database, WriteSession
from models.errors import BookingError, InvalidInput, InvalidState, NotFound, Refused, WaitlistFull
from models.interval import Interval
from models.keys import EntryKey, ResourceKey
from models.ledger import calls
from models.ledger.repeat import Relock
from models.ledger.requests import Command, Contact
from models.queries.waitlist import read_entry
from models.waitlist import WaitlistEntry

WAITING_MAX: Final = 500
"""Of one resource: entries that wait, or have an offer."""

OF_PARTY_MAX: Final = 5
"""Of those, of one customer or one email address."""

FLEXIBLE_DAYS_MAX: Final = 31

_JOIN = text("SELECT waitlist_join(:organization_id, CAST(:request AS jsonb))")
_LEAVE = text("SELECT waitlist_leave(:organization_id, :entry_id, :actor)")


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """`wish` is what somebody waits for, all of it together; `flexible`: another time within it will do as well."""

    key: str
    request_hash: bytes
    resource: ResourceKey
    wish: Wish
    flexible: Interval | None
    contact: Contact


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """`opened_by_token`: the entry that a shown token opens."""

    key: str
    request_hash: bytes
    entry: EntryKey
    opened_by_token: EntryKey | None


async def join(database: Database, viewer: Viewer, request: JoinRequest, *, now: datetime) -> WaitlistEntry:
    """The entry, at the end of the resource's list; the same one for the same key. If there is room now, so much the
    better: it is offered as soon as the list is looked through.

    Raises NotFound for a resource that the viewer may not see, InvalidInput, InvalidTime, every RuleViolation by which
    the wish could not be booked with all of the resource free (`Refused`), WaitlistFull, IdempotencyConflict, Busy.
    Locks the resource, so that the bounds are exact.
    """
    check_key(request.key)
    organization_id = request.resource.organization_id
    acting = acting_in(viewer, organization_id)
    command = Command(organization_id, acting.actor, request.key, request.request_hash)
    try:
        interval = await _permitted(database, viewer, request, now)
    except BookingError:
        # A repetition gets the first answer, also when the time has come or a rule has changed meanwhile.
        done = await calls.recall(database, command)
        if done is None:
            raise
    else:
        entry = _entry(acting, request, interval)

        async def work(session: WriteSession) -> dict[str, Any]:
            asked = {"organization_id": organization_id, "request": json.dumps(entry, default=str)}
            _accept(await session.scalar(_JOIN, asked))
            return {"entry_id": str(entry["id"])}

        done = await commit_once(database, command, work)
    return await _existing(database, EntryKey(organization_id, uuid.UUID(done["entry_id"])))


async def leave(database: Database, viewer: Viewer, request: LeaveRequest) -> WaitlistEntry:
    """The entry, LEFT; what was offered to it is free at once.

    Raises NotFound for an entry that the viewer may not see, InvalidState for one that has ended otherwise,
    IdempotencyConflict, Busy.
    """
    found = await find_entry(database, viewer, key=request.entry, opened_by_token=request.opened_by_token)
    if found is None:
        raise NotFound("There is no such entry.", path=("input", "entryId"))
    organization_id, entry_id = request.entry
    command = command_on(viewer, request.entry, request.key, request.request_hash)

    async def work(session: WriteSession) -> dict[str, Any]:
        outcome = await session.scalar(
            _LEAVE, {"organization_id": organization_id, "entry_id": entry_id, "actor": command.actor}
        )
        if outcome == "RELOCK":
            raise Relock
        if outcome != "DONE":
            raise InvalidState(f"An entry that is {outcome} can not be left.", path=("input", "entryId"))
        return {"entry_id": str(entry_id)}

    await commit_once(database, command, work)
    return await _existing(database, request.entry)


async def find_entry(
    database: Database, viewer: Viewer, *, key: EntryKey | None = None, opened_by_token: EntryKey | None = None
) -> WaitlistEntry | None:
    """The entry under a key or a token, if the viewer may see it; None for unknown, foreign and not allowed alike."""
    key = key or opened_by_token
    if key is None:
        return None
    entry = await read_entry(database, key)
    return entry if entry is not None and may_see_entry(viewer, entry, opened_by_token) else None


def may_see_entry(viewer: Viewer, entry: WaitlistEntry, opened_by_token: EntryKey | None) -> bool:
    """Staff see their organization's entries, customers and partners what they made, a token opens its one entry."""
    if opened_by_token == EntryKey(entry.organization_id, entry.id):
        return True
    if viewer.may(Role.STAFF, entry.organization_id):
        return True
    return entry.customer_id is not None and acting_in(viewer, entry.organization_id).actor == entry.customer_id


async def _permitted(database: Database, viewer: Viewer, request: JoinRequest, now: datetime) -> Interval:
    """The time that is waited for, if the viewer may see the resource and the rules allow it."""
    check_quantity(request.wish.quantity)
    facts = (await load_facts(database, [request.resource])).get(request.resource)
    if facts is None or not (facts.venue.is_published or viewer.may(Role.STAFF, request.resource.organization_id)):
        raise NotFound("There is no such resource.", path=("input", "resourceId"))
    if acting_in(viewer, request.resource.organization_id).role is Role.GUEST and request.contact.email is None:
        message = "Without an account, an email address is needed to wait."
        raise InvalidInput(message, path=("input", "contact", "email"))
    try:
        interval = interval_of(facts, request.wish)
    except InvalidInput as error:
        error.path = ("input", *error.path)
        raise
    _check_flexible(request.flexible, interval)
    errors = [violation(refusal, path=("input",)) for refusal in refusals_of(facts, request.wish, interval, now=now)]
    if errors:
        raise Refused(errors)
    return interval


def _check_flexible(flexible: Interval | None, interval: Interval) -> None:
    if flexible is None:
        return
    if flexible.duration > timedelta(days=FLEXIBLE_DAYS_MAX):
        raise InvalidInput(f"At most {FLEXIBLE_DAYS_MAX} days.", path=("input", "flexible"))
    if not (flexible.starts_at <= interval.starts_at and interval.ends_at <= flexible.ends_at):
        raise InvalidInput("It does not contain the time that is waited for.", path=("input", "flexible"))


def _entry(acting: Viewer, request: JoinRequest, interval: Interval) -> dict[str, Any]:
    flexible, stay = request.flexible, request.wish.stay
    return {
        "id": new_id(),
        "resource_id": request.resource.id,
        "starts_at": interval.starts_at,
        "ends_at": interval.ends_at,
        "arrival": stay and stay[0],
        "departure": stay and stay[1],
        "earliest_at": flexible and flexible.starts_at,
        "latest_at": flexible and flexible.ends_at,
        "lapses_at": interval.starts_at if flexible is None else flexible.ends_at - interval.duration,
        "quantity": request.wish.quantity,
        "activity": request.wish.activity,
        "guests": guests_as_stored(request.wish.guests),
        "customer_id": acting.actor if acting.role in (Role.CUSTOMER, Role.PARTNER) else None,
        **{f"contact_{name}": value for name, value in asdict(request.contact).items()},
        "actor": acting.actor,
        "waiting_max": WAITING_MAX,
        "party_max": OF_PARTY_MAX,
    }


def _accept(outcome: str) -> None:
    if outcome == "FULL":
        raise WaitlistFull(f"Of this resource {WAITING_MAX} wait already.", path=("input", "resourceId"))
    if outcome == "PARTY":
        message = f"You wait for this resource {OF_PARTY_MAX} times already."
        raise WaitlistFull(message, path=("input", "resourceId"))
    assert outcome == "DONE"


async def _existing(database: Database, key: EntryKey) -> WaitlistEntry:
    entry = await read_entry(database, key)
    assert entry is not None, "a key is remembered with its entry, and entries stay"
    return entry
