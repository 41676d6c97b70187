"""What a change of a booking makes of its price, as clients see it."""

import strawberry

from engine.price_changes import PriceDelta
from models.ledger.records import BookingRecord
from schema.booking import Booking
from schema.money import Money
from schema.quote import Quote


@strawberry.type(
    description=(
        "What a change, or cancelling a part, would make of the price at this instant. All amounts are null if nothing "
        "of it has a price, before and after."
    )
)
class BookingPriceChange:
    """Told before it is done."""

    booking: Booking = strawberry.field(description="As it is now; its version is for the mutation's expectedVersion.")
    quote: Quote | None = strawberry.field(
        description="What the booking would cost then, line by line. Null: nothing, or nothing is left of it."
    )
    total_before: Money | None = strawberry.field(description="All that the guest pays as it is, now or later.")
    total_after: Money | None = strawberry.field(
        description="All that the guest would pay then, with what is kept of what was; for `expectedTotal`."
    )
    delta: Money | None = strawberry.field(description="totalAfter less totalBefore: negative where it becomes less.")
    due_now: Money | None = strawberry.field(
        description="What would have to be paid at once. Of a hold: with the booking."
    )
    refund: Money | None = strawberry.field(
        description="What would come back at once, if all that was due until now has been paid."
    )

    @classmethod
    def of(cls, record: BookingRecord, delta: PriceDelta) -> "BookingPriceChange":
        """The engine's answer, for clients."""

        def money(amount: int) -> Money | None:
            return None if delta.currency is None else Money.of(amount, delta.currency)

        return cls(
            booking=Booking.of(record),
            quote=None if delta.quote is None else Quote.of(delta.quote, record.now, is_kept=False),
            total_before=money(delta.total_before),
            total_after=money(delta.total_after),
            delta=money(delta.total_after - delta.total_before),
            due_now=money(delta.due_now),
            refund=money(delta.refund),
        )
