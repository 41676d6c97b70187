"""What has been paid of a booking, as clients see it."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from engine.payment import told
from engine.viewer import Role
from models.keys import BookingKey
from models.payment import PaymentEvent as PaymentEventRow
from models.payment import PaymentProgress, PaymentRow
from models.price import Quote
from schema.context import Info
from schema.enums import PaymentEventKind, PaymentOutcome, PaymentStatus
from schema.fields import field
from schema.money import Money


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
    currency: strawberry.Private[str]

    status: PaymentStatus = strawberry.field(description="How far it is.")
    amount: Money = strawberry.field(
        description="What is to be paid so far: what was due with the booking, and what came after."
    )
    captured: Money = strawberry.field(description="What was taken of it.")
    refunded: Money = strawberry.field(description="What was given back of that.")
    charged_back: Money = strawberry.field(
        description="What the guest's bank has taken back, or holds while a dispute is open: events of kind DISPUTE."
    )

    @classmethod
    def of(cls, key: BookingKey, quote: Quote, rows: Sequence[PaymentRow]) -> "Payment":
        """The rows, for clients."""
        alive = [row for row in rows if row.state != PaymentProgress.VOID]
        currency = quote.currency
        return cls(
            key=key,
            currency=currency,
            status=_status(rows),
            amount=Money.of(max(quote.due_now, sum(row.amount for row in alive)), currency),
            captured=Money.of(sum(row.captured for row in rows), currency),
            refunded=Money.of(sum(row.refunded for row in rows), currency),
            charged_back=Money.of(sum(row.charged_back for row in rows), currency),
        )

    @field(
        "What is due now and neither held nor taken: bookingCheckout takes it, of a confirmed booking too. Nothing of "
        "what the venue collects itself, since staff confirmed it unpaid or nothing was collected online."
    )
    async def outstanding(self, info: Info) -> Money:
        """As bookingCheckout counts it."""
        return Money.of(await info.context.loaders.outstanding.load(self.key), self.currency)

    @field("What happened to the money, oldest first: the first 100 events.")
    async def events(self, info: Info) -> list[PaymentEvent]:
        """The history."""
        rows = await info.context.loaders.payment_events.load(self.key)
        info.context.loaders.budget.spend_elements(len(rows))
        for_staff = info.context.viewer.may(Role.STAFF, self.key.organization_id)
        return [PaymentEvent.of(row, for_staff=for_staff) for row in rows]


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
