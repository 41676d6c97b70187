"""What bookingCheckout answers."""

import strawberry

from schema.booking import Booking
from schema.payload import Payload
from schema.payment import Payment


@strawberry.type(
    description=(
        "The booking and its payment as they are now, and what a browser pays with. With PAYMENT_DECLINED or "
        "PAYMENT_REQUIRED all of it is there too: nothing is paid yet."
    )
)
class BookingCheckoutPayload(Payload):
    """How far paying is."""

    booking: Booking | None = strawberry.field(
        default=None, description="The booking; CONFIRMED or PENDING if it is paid. Null if nothing was begun."
    )
    payment: Payment | None = strawberry.field(default=None, description="As Booking.payment.")
    client_secret: str | None = strawberry.field(
        default=None,
        description=(
            "What the browser pays with, by the payment provider's own program; asked of it each time, and kept by "
            "nobody. Keep it secret. Null once there is nothing to pay."
        ),
    )
    publishable_key: str | None = strawberry.field(
        default=None, description="What that program is started with. Null where only a server can pay."
    )
    next_action_url: str | None = strawberry.field(
        default=None, description="Where the guest's bank wants them to go now; then they come back to returnUrl."
    )
