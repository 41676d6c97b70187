"""What the mutations of bookings answer."""

import strawberry

from schema.booking import Booking
from schema.payload import Payload


@strawberry.type(description="The booking as it is now; or why nothing was done.")
class BookingPayload(Payload):
    """Either a booking, or errors."""

    booking: Booking | None = strawberry.field(
        default=None, description="The booking. Null if there are errors, but for those of bookingCheckoutComplete."
    )
    token: str | None = strawberry.field(
        default=None,
        description=(
            "What a guest without an account shows to see and manage this booking. Given by bookingHold only, and by a "
            "repetition of it with the same key and input. Keep it secret."
        ),
    )
