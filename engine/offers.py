"""Offering what has become free to who waits for it: in order, whole, and as real holds.

The order: fewest offers first, then who came first. Who fits gets the next offer; who does not is passed over, keeps
its place and blocks nobody behind it. So of two parties that would fit, the earlier is always asked first, while a big
party may wait long where places come back one by one and small parties take them (docs/adr/0017).
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from engine.availability import Wish, interval_of, request_of
from engine.facts import ResourceFacts, load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.ports import Clock, TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from engine.rules.guests import guests_from_stored
from engine.supply import Supply, supply_of
from engine.viewer import GUEST, Role, Viewer
from engine.waitlist import WAITING_MAX
from models.booking import BookingStatus
from models.database import Database
from models.errors import BookingError, Busy
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger.requests import Contact, Offer, hash_request
from models.queries.timelines import TimelineView, read_timelines
from models.queries.waitlist import read_waiting
from models.waitlist import WaitlistEntry

TRIES_PER_ENTRY_MAX: Final = 3
"""Times of an entry that rules refuse, in one look through a list: then it is passed over until the next."""

ATTEMPTS_MAX: Final = WAITING_MAX * (TRIES_PER_ENTRY_MAX + 1)
"""Of one look through a list. Where so much happens that it is reached, the list has moved, and is due again."""

CANDIDATES_MAX: Final = 100
"""Other times that are looked at for a flexible entry, those nearest to what it asked for."""

_TAKEN: Final = frozenset({"SOLD_OUT", "CLOSED", "ACTIVITY_CONFLICT"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A time that would do for an entry."""

    entry: WaitlistEntry
    wish: Wish
    interval: Interval


@dataclass(slots=True)
class Passed:
    """What is passed over in one look through a list.

    `taken`: times that looked free at these versions, and were not to be had; as soon as anything moves they are tried
    again, in order. `refused`: times that a rule refuses. `tries` counts those.
    """

    taken: set[tuple[uuid.UUID, Interval, tuple[int, ...]]] = field(default_factory=set)
    refused: set[tuple[uuid.UUID, Interval]] = field(default_factory=set)
    tries: Counter[uuid.UUID] = field(default_factory=Counter)

    def note(self, error: BookingError, candidate: Candidate, versions: tuple[int, ...]) -> None:
        """The candidate could not be held."""
        entry_id, interval = candidate.entry.id, candidate.interval
        if error.code in _TAKEN:
            self.taken.add((entry_id, interval, versions))
        else:
            self.refused.add((entry_id, interval))
            self.tries[entry_id] += 1

    def has(self, candidate: Candidate, versions: tuple[int, ...]) -> bool:
        entry_id, interval = candidate.entry.id, candidate.interval
        return (entry_id, interval) in self.refused or (entry_id, interval, versions) in self.taken


async def offer_free(database: Database, key: ResourceKey, *, now: Clock, taxes: TaxProvider = NO_TAX_PROVIDER) -> int:
    """Offer what is free of the resource until nobody who waits fits any more; returns how many offers were made.

    Each offer is one admission, like anybody's: the rules and the ledger decide, and what is free now may be booked by
    somebody else first. After each the list is looked at anew from its beginning. It may run twice at once, and be
    killed at any instant: an offer has a key of its own, and is noted in the transaction of its hold. Raises Busy.
    """
    passed = Passed()
    made = 0
    for _ in range(ATTEMPTS_MAX):
        found = await _next(database, key, passed, now())
        if found is None:
            break
        candidate, versions = found
        try:
            record = await hold(database, _holder(candidate.entry), _request(key, candidate), now=now(), taxes=taxes)
        except Busy:
            raise
        except BookingError as error:
            passed.note(error, candidate, versions)
        else:
            made += record.booking.status == BookingStatus.ON_HOLD
    return made


async def _next(
    database: Database, key: ResourceKey, passed: Passed, now: datetime
) -> tuple[Candidate, tuple[int, ...]] | None:
    """The first entry in order that fits as things are now, at the time nearest to its wish; and the versions seen."""
    facts = (await load_facts(database, [key])).get(key)
    waiting = await read_waiting(database, key, limit=WAITING_MAX)
    waiting = [entry for entry in waiting if passed.tries[entry.id] < TRIES_PER_ENTRY_MAX and entry.lapses_at > now]
    if facts is None or not waiting:
        return None
    views = await _views(database, facts, [_around(entry) for entry in waiting])
    supplies: dict[tuple[Interval, str | None], Supply] = {}
    for entry in waiting:
        await asyncio.sleep(0)  # a long list is looked through beside everything else of the process
        around = _around(entry)
        versions = tuple(view.version for view in views[around].values())
        for candidate in _candidates(facts, entry, now):
            shared_as = facts.rules.terms(request_of(candidate.wish, candidate.interval), facts.zone).shared_as
            if (around, shared_as) not in supplies:
                supplies[around, shared_as] = supply_of(facts, views[around], shared_as)
            # Buffers around it are the admission's to look at.
            left = supplies[around, shared_as].over(candidate.interval, candidate.interval)
            if left.vacancies >= entry.quantity and not passed.has(candidate, versions):
                return candidate, versions
    return None


async def _views(
    database: Database, facts: ResourceFacts, windows: Sequence[Interval]
) -> dict[Interval, dict[ResourceKey, TimelineView]]:
    """Of each window the timelines that decide, in one statement. Who may book there, the hold decides."""
    own = [facts.key.organization_id]
    questions = list(dict.fromkeys((key, window) for window in windows for key in facts.needed))
    found: dict[Interval, dict[ResourceKey, TimelineView]] = {window: {} for window in windows}
    for (key, window), view in zip(questions, await read_timelines(database, questions, own=own), strict=True):
        found[window][key] = view
    return found


def _around(entry: WaitlistEntry) -> Interval:
    """All that would do for the entry."""
    return Interval(entry.earliest_at or entry.starts_at, entry.latest_at or entry.ends_at)


def _candidates(facts: ResourceFacts, entry: WaitlistEntry, now: datetime) -> Iterator[Candidate]:
    """What would do, the time that was asked for first and then the nearest; nothing that has begun."""
    around, asked = _around(entry), entry.starts_at
    wishes = [_wish(entry)] if entry.earliest_at is None else _others(facts, entry, around, now)
    found = []
    for wish in wishes:
        try:
            interval = interval_of(facts, wish)
        except BookingError:  # the clocks skip check-in or check-out on that day, or the venue has none any more
            continue
        if around.starts_at <= interval.starts_at and interval.ends_at <= around.ends_at and interval.starts_at > now:
            found.append(Candidate(entry, wish, interval))
    found.sort(key=lambda candidate: (abs(candidate.interval.starts_at - asked), candidate.interval.starts_at))
    yield from found[:CANDIDATES_MAX]


def _others(facts: ResourceFacts, entry: WaitlistEntry, around: Interval, now: datetime) -> list[Wish]:
    wish = _wish(entry)
    if wish.stay is not None:
        arrival, departure = wish.stay
        days = around.duration.days + 1
        shifts = (timedelta(days=number) for number in range(-days, days + 1))
        return [replace(wish, stay=(arrival + shift, departure + shift)) for shift in shifts]
    starts_at = max(now, around.starts_at)
    length = entry.ends_at - entry.starts_at
    minutes = length // timedelta(minutes=1)
    if starts_at >= around.ends_at or length % timedelta(minutes=1):
        return [wish]
    try:
        found = facts.rules.slots(Interval(starts_at, around.ends_at), minutes, facts.zone)
    except BookingError:  # more times than can be looked at: then only what was asked for
        return [wish]
    return [wish, *(replace(wish, window=other) for other in found if other != wish.window)]


def _wish(entry: WaitlistEntry) -> Wish:
    if entry.arrival is not None and entry.departure is not None:
        wish = Wish(stay=(entry.arrival, entry.departure))
    else:
        wish = Wish(window=Interval(entry.starts_at, entry.ends_at))
    return replace(wish, quantity=entry.quantity, activity=entry.activity, guests=guests_from_stored(entry.guests))


def key_of_offer(entry: WaitlistEntry) -> str:
    """The key of the next offer to the entry, whoever makes it."""
    return f"waitlist {entry.id} {entry.offers + 1}"


def _request(key: ResourceKey, candidate: Candidate) -> HoldRequest:
    """One item of all that the entry asked for: a party is never split."""
    entry = candidate.entry
    number = entry.offers + 1
    return HoldRequest(
        key=key_of_offer(entry),
        request_hash=hash_request("offer", {"entry": entry.id, "number": number}),
        items=(ItemRequest(key, candidate.wish),),
        contact=Contact(entry.contact_name, entry.contact_email, entry.contact_phone),
        expected={},
        offer=Offer(entry.id, number),
    )


def _holder(entry: WaitlistEntry) -> Viewer:
    """For whom it is held: so the rules count it as theirs."""
    if entry.customer_id is None:
        return GUEST
    role, _, subject = entry.customer_id.partition(":")
    return Viewer(Role(role.upper()), entry.organization_id, subject)
