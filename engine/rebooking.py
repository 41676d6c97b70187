"""Changing what a booking is of: another time, resource, size; in one admission, at the price of now, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.bookings import acting_in, find_booking
from engine.decisions import Decision, decide
from engine.facts import load_facts
from engine.hold_prices import GONE, price_of
from engine.holds import DECISIONS_MAX, ItemRequest, sensible
from engine.idempotency import check_key
from engine.owing import owed_if_cancelled
from engine.price_changes import PriceDelta, delta, is_owed, quote_of
from engine.quotes import Changed, Question, quote, quote_of_nothing
from engine.repricing import Before, carrying
from engine.rules import limits
from engine.rules.base import violation
from engine.viewer import Role, Viewer
from models.booking import BookingStatus
from models.database import Database
from models.errors import (
    BookingError,
    HoldExpired,
    InvalidInput,
    InvalidState,
    NotFound,
    PriceChanged,
    PromoCodeInvalid,
    RuleViolation,
)
from models.keys import BookingKey
from models.ledger import calls
from models.ledger.failures import busy
from models.ledger.records import BookingRecord
from models.ledger.requests import Command, Hold, Rebook
from models.price import Quote
from models.queries.bookings import read_claims

CHANGEABLE = frozenset({BookingStatus.ON_HOLD, BookingStatus.CONFIRMED})
"""Not PENDING: the venue is deciding over what it was asked, and would approve what it has not seen."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A booking, and the one that a shown token opens."""

    key: BookingKey
    by_token: BookingKey | None = None


@dataclass(frozen=True, slots=True)
class RebookRequest:
    """All that the booking is to be of. `expected_total`: refuse if it costs anything else then, in minor units."""

    key: str
    request_hash: bytes
    booking: Opened
    items: tuple[ItemRequest, ...]
    expected_version: int | None = None
    expected_total: int | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    decision: Decision
    before: Quote | None
    after: Quote | None


async def change_quote(
    database: Database, viewer: Viewer, booking: Opened, items: Sequence[ItemRequest], *, now: datetime
) -> tuple[BookingRecord, PriceDelta]:
    """What a change would make of the price; nothing is written, and nothing promised.

    Rules are asked, but not whether there is room: that is known once it is done. Raises as `rebook`.
    """
    record = await opened(database, viewer, booking)
    plan = await _plan(database, viewer, record, items, now)
    return record, delta(record, plan.before, plan.after)


async def rebook(database: Database, viewer: Viewer, request: RebookRequest, *, now: datetime) -> BookingRecord:
    """The booking, of other items now; once per key. If it can not be, it stays exactly as it was.

    Rules, conditions and prices are those of now, as for a new booking; what the booking itself has counts in none. It
    costs what that costs now, by its promo code while that holds; but no less is owed than would have been kept, had it
    been cancelled (`engine.cancellation.terms.Terms`). Its new terms, and days of payment, are what a new booking would
    be promised. Its hold ends when it would have. Where the venue has to approve, only staff may change what is
    CONFIRMED.

    Raises NotFound, InvalidInput, InvalidTime, every RuleViolation of every item at once (`Refused`), PriceChanged,
    HoldExpired, InvalidState, NotPriced, and what `calls.rebook` raises.
    """
    check_key(request.key)
    for _ in range(DECISIONS_MAX):
        record = await opened(database, viewer, request.booking)
        command = command_for(viewer, request.booking.key, request.key, request.request_hash)
        try:
            plan = await _plan(database, viewer, record, request.items, now)
            _check_total(request.expected_total, plan.after)
        except BookingError:
            # A repetition gets the first answer, also when what was decided then would be decided otherwise now.
            found = await calls.recall_booking(database, command)
            if found is None:
                raise
            return found
        try:
            return await calls.rebook(database, _asking(viewer, record, request, command, plan))
        except calls.Stale:
            continue
        except calls.Unmet as unmet:
            raise plan.decision.refused(unmet) from None
    raise busy()


async def opened(database: Database, viewer: Viewer, booking: Opened) -> BookingRecord:
    """The booking, for those who may see it; raises NotFound."""
    found = await find_booking(database, viewer, key=booking.key, opened_by_token=booking.by_token)
    if found is None:
        raise NotFound("There is no such booking.", path=("input", "bookingId"))
    return found


def command_for(viewer: Viewer, booking: BookingKey, key: str, request_hash: bytes) -> Command:
    """Who asks. Guests are told apart by their booking: two of them may use one key."""
    acting = acting_in(viewer, booking.organization_id)
    actor = f"guest:{booking.id}" if acting.role is Role.GUEST else acting.actor
    return Command(booking.organization_id, actor, key, request_hash)


def is_staff(viewer: Viewer, record: BookingRecord) -> bool:
    """Whether the viewer is of the staff of the booking's organization."""
    organization_id = record.booking.organization_id
    return acting_in(viewer, organization_id).may(Role.STAFF, organization_id)


def check_changeable(viewer: Viewer, record: BookingRecord) -> None:
    """Raises HoldExpired and InvalidState where the ledger would (ledger/sql/52_rebooking.sql)."""
    booking = record.booking
    is_over = booking.hold_expires_at is not None and booking.hold_expires_at <= record.now
    if booking.status == BookingStatus.EXPIRED or (booking.status == BookingStatus.ON_HOLD and is_over):
        raise HoldExpired("The hold is over.")
    if booking.status not in CHANGEABLE:
        raise InvalidState(f"This can not be done to a booking that is {booking.status}.")
    if not is_staff(viewer, record) and min(item.starts_at for item in record.items) <= record.now:
        raise InvalidState("It has begun: the venue only can change it now.")


async def _plan(
    database: Database, viewer: Viewer, record: BookingRecord, items: Sequence[ItemRequest], now: datetime
) -> _Plan:
    check_changeable(viewer, record)
    refusal = limits.items(len(items))
    if refusal is not None:
        raise violation(refusal, path=("input", "items"))
    if any(item.resource.organization_id != record.booking.organization_id for item in items):
        raise InvalidInput("A booking stays in its organization.", path=("input", "items"))
    facts = await load_facts(database, list(dict.fromkeys(item.resource for item in items)))
    requests = [sensible(viewer, facts, item, position) for position, item in enumerate(items)]
    decision = decide(requests, customer_id=_customer(viewer, record), now=now)
    if decision.approval_seconds is not None and is_owed(record) and not is_staff(viewer, record):
        message = "The venue has to approve of this: ask it for the change."
        raise RuleViolation(message, code="RULE_VIOLATION", rule="APPROVAL_REQUIRED", path=("input", "items"))
    before = await quote_of(database, record)
    question = Question(viewer, requests, [item.plan for item in items], now)
    return _Plan(decision, before, await _after(database, record, question, before))


def _customer(viewer: Viewer, record: BookingRecord) -> str | None:
    """Whose bookings count, for rules about a customer's own: its customer's, whoever asks but for staff."""
    customer = record.booking.customer_id
    if customer is None or is_staff(viewer, record) or not customer.startswith(f"{Role.CUSTOMER.value.lower()}:"):
        return None
    return customer


async def _after(database: Database, record: BookingRecord, question: Question, before: Quote | None) -> Quote | None:
    """What it costs then, with what is owed of before."""
    after = await _priced(database, record, question, before)
    if before is None:
        return after
    after = after or quote_of_nothing(question, before.currency)
    if after.currency != before.currency:
        raise InvalidInput("One booking is paid in one currency.", path=("input", "items"))
    least = owed_if_cancelled(before, record.now) if is_owed(record) else 0
    return carrying(after, before, Before(before.kept_before, least))


async def _priced(database: Database, record: BookingRecord, question: Question, before: Quote | None) -> Quote | None:
    """The price of now, by the booking's promo code if that holds; what the booking has itself counts as free."""
    key = BookingKey(record.booking.organization_id, record.booking.id)
    claims = []
    if any(facts.prices.asks_occupancy for facts, _ in question.requests):
        async with database.reading(key.organization_id) as session:
            claims = await read_claims(session, key)
    inputs = {} if before is None else before.inputs
    question = replace(question, changed=Changed(claims, inputs.get("partner")))
    promo = inputs.get("promo")
    try:
        return await quote(database, question, promo)
    except PromoCodeInvalid:
        return await quote(database, question, None)


def _check_total(expected: int | None, after: Quote | None) -> None:
    if expected is not None and expected != (0 if after is None else after.total):
        raise PriceChanged(GONE, path=("input", "expectedTotal"))


def _asking(viewer: Viewer, record: BookingRecord, request: RebookRequest, command: Command, plan: _Plan) -> Rebook:
    decision = plan.decision
    return Rebook(
        hold=Hold(
            command=command,
            booking_id=record.booking.id,
            reference=record.booking.reference,
            items=decision.items,
            customer_id=record.booking.customer_id,
            approval_seconds=decision.approval_seconds,
            looks_at=decision.looks_at,
            price=None if plan.after is None else price_of(plan.after),
        ),
        read_version=record.booking.version,
        expected_version=request.expected_version,
        until_start=not is_staff(viewer, record),
    )
