"""Changing what a booking is of: another time, resource, size; in one admission, at the price of now, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.bookings import check_version, command_on, customer_of, get_booking
from engine.decisions import Decision, decide
from engine.facts import load_facts
from engine.hold_prices import GONE, price_of
from engine.holds import DECISIONS_MAX, ItemRequest, check_count, sensible
from engine.idempotency import check_key
from engine.owing import owed_if_cancelled
from engine.ports import TaxProvider
from engine.price_changes import PriceDelta, delta, is_owed, quote_of
from engine.provided_taxes import NO_TAX_PROVIDER
from engine.quotes import Changed, Question, quote, quote_of_nothing
from engine.repricing import Before, carrying
from engine.viewer import Role, Viewer
from models.booking import BookingStatus
from models.database import Database
from models.errors import (
    BookingError,
    HoldExpired,
    InvalidInput,
    InvalidState,
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
    database: Database,
    viewer: Viewer,
    booking: Opened,
    items: Sequence[ItemRequest],
    *,
    now: datetime,
    taxes: TaxProvider = NO_TAX_PROVIDER,
) -> tuple[BookingRecord, PriceDelta]:
    """What a change would make of the price; nothing is written, and nothing promised.

    Rules are asked, but not whether there is room: that is known once it is done. Raises as `rebook`.
    """
    record = await opened(database, viewer, booking)
    plan = await _plan(database, viewer, record, items, now, taxes)
    return record, delta(record, plan.before, plan.after)


async def rebook(
    database: Database, viewer: Viewer, request: RebookRequest, *, now: datetime, taxes: TaxProvider = NO_TAX_PROVIDER
) -> BookingRecord:
    """The booking, of other items now; once per key. If it can not be, it stays exactly as it was.

    Rules, conditions and prices are those of now, as for a new booking; what the booking itself has counts in none. It
    costs what that costs now, by its promo code while that holds; but no less is owed than would have been kept, had it
    been cancelled (`engine.cancellation.terms.Terms`). Its new terms, and days of payment, are what a new booking would
    be promised. Its hold ends when it would have. Where the venue has to approve, only staff may change what is
    CONFIRMED.

    Raises NotFound, InvalidInput, InvalidTime, every RuleViolation of every item at once (`Refused`), PriceChanged,
    HoldExpired, InvalidState, NotPriced, TaxUnavailable, and what `calls.rebook` raises.
    """
    check_key(request.key)
    for _ in range(DECISIONS_MAX):
        record = await opened(database, viewer, request.booking)
        command = command_on(viewer, request.booking.key, request.key, request.request_hash)
        try:
            check_version(request.expected_version, record.booking)
            plan = await _plan(database, viewer, record, request.items, now, taxes)
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
    return await get_booking(database, viewer, booking.key, booking.by_token)


def is_staff(viewer: Viewer, record: BookingRecord) -> bool:
    """Whether the viewer is of the staff of the booking's organization."""
    return viewer.may(Role.STAFF, record.booking.organization_id)


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
    database: Database,
    viewer: Viewer,
    record: BookingRecord,
    items: Sequence[ItemRequest],
    now: datetime,
    taxes: TaxProvider,
) -> _Plan:
    check_changeable(viewer, record)
    check_count(items)
    if any(item.resource.organization_id != record.booking.organization_id for item in items):
        raise InvalidInput("A booking stays in its organization.", path=("input", "items"))
    facts = await load_facts(database, list(dict.fromkeys(item.resource for item in items)))
    requests = [sensible(viewer, facts, item, position) for position, item in enumerate(items)]
    decision = decide(requests, customer_id=_customer(viewer, record), now=now)
    if decision.approval_seconds is not None and is_owed(record) and not is_staff(viewer, record):
        message = "The venue has to approve of this: ask it for the change."
        raise RuleViolation(message, code="RULE_VIOLATION", rule="APPROVAL_REQUIRED", path=("input", "items"))
    before = await quote_of(database, record)
    question = Question(viewer, requests, [item.plan for item in items], now, taxes)
    return _Plan(decision, before, await _after(database, record, question, before))


def _customer(viewer: Viewer, record: BookingRecord) -> str | None:
    """Whose bookings count, for rules about a customer's own: its customer's, whoever asks but for staff."""
    return None if is_staff(viewer, record) else customer_of(record.booking)


async def _after(database: Database, record: BookingRecord, question: Question, before: Quote | None) -> Quote | None:
    """What it costs then, with what is owed of before."""
    after = await _priced(database, record, question, before)
    if before is None:
        return after
    after = after or quote_of_nothing(question, before.currency)
    if after.currency != before.currency:
        raise InvalidInput("One booking is paid in one currency.", path=("input", "items"))
    least = owed_if_cancelled(before, record.now) if is_owed(record) else 0
    return carrying(after, before, Before(before.kept_before, least), record.now)


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
