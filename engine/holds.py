"""Holding: the rules say whether it may be, the ledger whether there is room."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.availability import Wish, interval_of, request_of
from engine.bookings import acting_in, customer_in
from engine.decisions import Decision, decide
from engine.facts import ResourceFacts, known_facts, load_facts
from engine.hold_prices import ANY_PRICE, AskedPrice, changed, price_of_hold, told
from engine.idempotency import check_key
from engine.ports import TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from engine.quotes import Question
from engine.rules import limits
from engine.rules.base import RuleRequest, violation
from engine.sight import hold_unless_sold_out
from engine.viewer import Role, Viewer
from models.base import new_id
from models.database import Database
from models.errors import BookingError, InvalidInput, NotFound, PriceChanged
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.failures import busy, translate
from models.ledger.records import BookingRecord
from models.ledger.requests import Command, Contact, Hold, Offer, Price

REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to mistake
DECISIONS_MAX = 5  # of one hold, while rules are being changed under it
WAITLIST = "waitlist"  # the actor of offers
REFERENCE_SYMBOLS = 16  # of 5 bits each: 80 bits, so that nobody finds a booking by trying


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """One thing to hold. `plan`: the code of the rate plan; None: the one that holds."""

    resource: ResourceKey
    wish: Wish
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """All items or none, of one organization. `expected`: refuse if one of these timelines moved since it was seen.

    `asked_price`: the quote to hold it by, or what it may cost. `offer`: it is held for an entry of a waitlist, and as
    an offer to it (`models.ledger.requests.Hold`).
    """

    key: str
    request_hash: bytes
    items: tuple[ItemRequest, ...]
    contact: Contact
    expected: Mapping[ResourceKey, int]
    offer: Offer | None = None
    asked_price: AskedPrice = ANY_PRICE


async def hold(
    database: Database, viewer: Viewer, request: HoldRequest, *, now: datetime, taxes: TaxProvider = NO_TAX_PROVIDER
) -> BookingRecord:
    """A booking ON_HOLD whose places are the guest's until it ends by itself; the same one for the same key.

    Anybody may hold what is published. Raises NotFound for a resource that the viewer may not see, InvalidInput and
    InvalidTime, every RuleViolation of every item at once (`Refused`), and what `calls.hold` raises; what rules ask of
    all that is booked is decided with the capacity, under the same locks, and told with it. PriceChanged, with what it
    costs now, unless that is what was expected and the quote still holds; PromoCodeInvalid. `taxes` is asked where a
    venue leaves its taxes to a provider and no quote was made before; TaxUnavailable if it does not answer.
    """
    observer = database.observer
    try:
        record, is_new = await _hold(database, viewer, request, now, taxes)
    except Exception as error:
        fact = error if isinstance(error, BookingError) else translate(error)
        observer.admitted("DEFECT" if fact is None else fact.code)
        raise
    observer.admitted("HELD" if is_new else "REPLAYED")
    return record


def new_reference() -> str:
    """What a guest can read out at a door: 80 random bits, as four groups of four characters."""
    number = secrets.randbits(5 * REFERENCE_SYMBOLS)
    symbols = "".join(REFERENCE_ALPHABET[number >> 5 * n & 31] for n in range(REFERENCE_SYMBOLS))
    return "-".join(symbols[n : n + 4] for n in range(0, REFERENCE_SYMBOLS, 4))


def asking(
    command: Command, acting: Viewer, request: HoldRequest, decision: Decision, price: Price | None = None
) -> Hold:
    """What to ask the ledger for: a new booking of what the rules have been asked about, at this price."""
    return Hold(
        command=command,
        booking_id=new_id(),
        reference=new_reference(),
        items=decision.items,
        customer_id=acting.actor if acting.role in (Role.CUSTOMER, Role.PARTNER) else None,
        contact=request.contact,
        approval_seconds=decision.approval_seconds,
        expected={key.id: version for key, version in request.expected.items()},
        looks_at=decision.looks_at,
        offer=request.offer,
        price=price,
    )


def check_count(items: Sequence[ItemRequest]) -> None:
    """Raises InvalidInput unless one booking may be of so many."""
    refusal = limits.items(len(items))
    if refusal is not None:
        raise violation(refusal, path=("input", "items"))


def visible(
    viewer: Viewer, facts: Mapping[ResourceKey, ResourceFacts], key: ResourceKey, *, path: tuple[str, ...]
) -> ResourceFacts:
    """The facts of a resource that the viewer may book: a published one, or one of their own organization's.

    Raises NotFound otherwise.
    """
    found = facts.get(key)
    if found is None or not (found.venue.is_published or viewer.may(Role.STAFF, key.organization_id)):
        raise NotFound("There is no such resource.", path=path)
    return found


async def _hold(
    database: Database, viewer: Viewer, request: HoldRequest, now: datetime, taxes: TaxProvider
) -> tuple[BookingRecord, bool]:
    """The booking, and whether this call made it: a repetition finds the one that was made first."""
    check_key(request.key)
    check_count(request.items)
    organization_id = request.items[0].resource.organization_id
    if any(key.organization_id != organization_id for key in _keys(request)):
        raise InvalidInput("One booking is of one organization.", path=("input", "items"))
    acting = acting_in(viewer, organization_id)
    # Nobody who asks can be called so: keys of offers are out of everybody's reach.
    actor = acting.actor if request.offer is None else WAITLIST
    command = Command(organization_id, actor, request.key, request.request_hash)
    for _ in range(DECISIONS_MAX):
        try:
            decision = await _permitted(database, viewer, request, now)
            question = Question(viewer, decision.requests, [item.plan for item in request.items], now, taxes)
            price = await price_of_hold(database, question, request.asked_price)
        except BookingError as error:
            # A repetition gets the first answer, also when the time has come or a rule has changed meanwhile.
            found = await calls.recall_booking(database, command)
            if found is None:
                raise await told(database, error) from None
            return found, False
        asked = asking(command, acting, request, decision, price)
        try:
            record = await hold_unless_sold_out(database, asked)
        except calls.Stale:
            await load_facts(database, _resources(request))
        except calls.Unmet as unmet:
            raise decision.refused(unmet) from None
        except PriceChanged:
            await load_facts(database, _resources(request))
            raise await changed(database, question, request.asked_price) from None
        else:
            return record, record.booking.id == asked.booking_id
    raise busy()


async def _permitted(database: Database, viewer: Viewer, request: HoldRequest, now: datetime) -> Decision:
    """What to ask the ledger for, if the viewer may see it and the rules allow it.

    Allowed by what this process knows of the rules, it is for the ledger to compare that with what is true now; refused
    by it, the rules of now are asked before anybody is told.
    """
    keys = _resources(request)
    facts = await known_facts(database, keys)
    try:
        return decided(viewer, request, facts, now)
    except BookingError:
        current = await load_facts(database, keys)
        if _versions(current) == _versions(facts):
            raise
        return decided(viewer, request, current, now)


def decided(
    viewer: Viewer, request: HoldRequest, facts: Mapping[ResourceKey, ResourceFacts], now: datetime
) -> Decision:
    """What to ask the ledger for, if by these facts the viewer may see it and the rules allow it; raises as `hold`."""
    requests = [sensible(viewer, facts, item, position) for position, item in enumerate(request.items)]
    customer_id = customer_in(viewer, request.items[0].resource.organization_id)
    return decide(requests, customer_id=customer_id, now=now)


def _versions(facts: Mapping[ResourceKey, ResourceFacts]) -> dict[ResourceKey, int]:
    return {key: found.catalog_version for key, found in facts.items()}


def _resources(request: HoldRequest) -> list[ResourceKey]:
    return list(dict.fromkeys(item.resource for item in request.items))


def _keys(request: HoldRequest) -> list[ResourceKey]:
    return [item.resource for item in request.items] + list(request.expected)


def sensible(
    viewer: Viewer, facts: Mapping[ResourceKey, ResourceFacts], item: ItemRequest, position: int
) -> tuple[ResourceFacts, RuleRequest]:
    """The item as rules are asked about it, if the viewer may see what it is of, and it makes sense."""
    path = ("input", "items", str(position))
    found = visible(viewer, facts, item.resource, path=(*path, "resourceId"))
    if not limits.QUANTITY_MIN <= item.wish.quantity <= limits.QUANTITY_MAX:
        message = f"The quantity must be from {limits.QUANTITY_MIN} to {limits.QUANTITY_MAX:,}."
        raise InvalidInput(message, path=(*path, "quantity"))
    try:
        interval = interval_of(found, item.wish)
    except InvalidInput as error:
        error.path = (*path, *error.path)
        raise
    return found, request_of(item.wish, interval)
