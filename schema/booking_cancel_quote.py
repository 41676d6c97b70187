"""What comes back of a booking, as clients see it."""

from datetime import datetime

import strawberry

from engine.cancelling import CancelQuote
from schema.booking import Booking
from schema.money import Money


@strawberry.type(description="What would come back if a booking was cancelled at this instant.")
class BookingCancelQuote:
    """Of all that is paid with the booking; what is paid at the venue is not in it."""

    booking: Booking = strawberry.field(description="As it is now; its version is for bookingCancel's expectedVersion.")
    refund: Money | None = strawberry.field(description="What comes back. Null: nothing of it has a price.")
    kept: Money | None = strawberry.field(description="What the venue keeps of it. Null: nothing of it has a price.")
    until: datetime | None = strawberry.field(
        description="The first instant at which something else comes back. Null: it stays as it is."
    )

    @classmethod
    def of(cls, booking: Booking, quote: CancelQuote, currency: str) -> "BookingCancelQuote":
        """The engine's answer, for clients."""
        return cls(
            booking=booking,
            refund=Money.of(quote.refund, currency),
            kept=Money.of(quote.kept, currency),
            until=quote.until,
        )

    @classmethod
    def of_nothing(cls, booking: Booking) -> "BookingCancelQuote":
        """Of a booking that costs nothing."""
        return cls(booking=booking, refund=None, kept=None, until=None)
