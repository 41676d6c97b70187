"""What has been paid of a booking, as clients see it."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from engine.owing import due
from engine.payment import told
from engine.viewer import Role
from models.booking import BookingStatus
from models.keys import BookingKey
from models.ledger.records import BookingRecord
from models.payment import PaymentDecision, PaymentProgress, PaymentRow
from models.payment import PaymentEvent as PaymentEventRow
from models.price import Quote
from schema.context import Info
from schema.enums import PaymentEventKind, PaymentOutcome, PaymentStatus
from schema.fields import field
from schema.money import Money

OVER = frozenset({BookingStatus.CANCELLED, BookingStatus.REJECTED, BookingStatus.EXPIRED})
PAID = frozenset({PaymentProgress.HELD, PaymentProgress.CAPTURED})


@strawberry.type(description="One thing that happened to a booking's money: written as it happens, never altered.")
class PaymentEvent:
    """One line of the history."""

    kind: PaymentEventKind = strawberry.field(description="What was done.")
    outcome: PaymentOutcome = strawberry.field(description="What came of it.")
    amount: Money = strawberry.field(description="Of how much.")
    code: str | None = strawberry.field(
        description='Why it failed, by the payment provider: "insufficient_funds". Null if it did not, or nobody said.'
    )
    created_at: datetime = strawberry.field(description="When it was written, by the database's clock.")

    @classmethod
    def of(cls, row: PaymentEventRow, *, for_staff: bool) -> "PaymentEvent":
        """The row, for clients; what is held against a card is for staff."""
        return cls(
            kind=PaymentEventKind(row.kind),
            outcome=PaymentOutcome(row.outcome),
            amount=Money.of(row.amount, row.currency),
            code=row.code if for_staff or row.code is None else told(row.code),
            created_at=row.created_at,
        )


@strawberry.type(description="What is paid of a booking online: all of its payments together.")
class Payment:
    """As it was when the booking was read."""

    key: strawberry.Private[BookingKey]

    status: PaymentStatus = strawberry.field(description="How far it is.")
    amount: Money = strawberry.field(
        description="What is to be paid so far: what was due with the booking, and what came after."
    )
    captured: Money = strawberry.field(description="What was taken of it.")
    refunded: Money = strawberry.field(description="What was given back of that.")
    charged_back: Money = strawberry.field(
        description="What the guest's bank has taken back, or holds while a dispute is open: events of kind DISPUTE."
    )
    outstanding: Money = strawberry.field(
        description="What is due now and neither held nor taken: bookingCheckout takes it, of a confirmed booking too."
    )

    @classmethod
    def of(cls, key: BookingKey, record: BookingRecord, quote: Quote, rows: Sequence[PaymentRow]) -> "Payment":
        """The rows, for clients."""
        alive = [row for row in rows if row.state != PaymentProgress.VOID]
        currency = quote.currency
        return cls(
            key=key,
            status=_status(rows),
            amount=Money.of(max(quote.due_now, sum(row.amount for row in alive)), currency),
            captured=Money.of(sum(row.captured for row in rows), currency),
            refunded=Money.of(sum(row.refunded for row in rows), currency),
            charged_back=Money.of(sum(row.charged_back for row in rows), currency),
            outstanding=Money.of(_outstanding(record, quote, rows), currency),
        )

    @field("What happened to the money, oldest first: the first 100 events.")
    async def events(self, info: Info) -> list[PaymentEvent]:
        """The history."""
        rows = await info.context.loaders.payment_events.load(self.key)
        info.context.loaders.budget.spend_elements(len(rows))
        for_staff = info.context.viewer.may(Role.STAFF, self.key.organization_id)
        return [PaymentEvent.of(row, for_staff=for_staff) for row in rows]


def _outstanding(record: BookingRecord, quote: Quote, rows: Sequence[PaymentRow]) -> int:
    """As ledger_outstanding has it; nothing of what is over, nor of what the venue confirmed without online money."""
    is_confirmed = record.booking.confirmed_at is not None
    counted = [row for row in rows if row.state in PAID and row.decision != PaymentDecision.VOID]
    if record.booking.status in OVER or (is_confirmed and not counted and quote.replaces_id is None and quote.due_now):
        return 0
    paid = sum(
        row.amount if row.state == PaymentProgress.HELD else max(0, row.captured - row.refunded - row.charged_back)
        for row in counted
    )
    return max(0, (due(quote, record.now) if is_confirmed else quote.due_now) - paid)


def _status(rows: Sequence[PaymentRow]) -> PaymentStatus:
    captured, refunded = sum(row.captured for row in rows), sum(row.refunded for row in rows)
    if captured:
        if not refunded:
            return PaymentStatus.CAPTURED
        return PaymentStatus.PARTIALLY_REFUNDED if refunded < captured else PaymentStatus.REFUNDED
    if not rows:
        return PaymentStatus.NONE
    last = rows[-1]
    match last.state:
        case PaymentProgress.HELD:
            return PaymentStatus.AUTHORIZED
        case PaymentProgress.VOID:
            return PaymentStatus.VOIDED
        case PaymentProgress.AWAITS_BUYER:
            return PaymentStatus.REQUIRES_ACTION
        case PaymentProgress.OPEN if last.failures:
            return PaymentStatus.FAILED
    return PaymentStatus.REQUIRES_PAYMENT
