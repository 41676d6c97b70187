"""What became of each booking of a series when something was to be done to all."""

from collections.abc import Sequence

import strawberry

from engine.rules.base import Refusal as EngineRefusal
from models.ledger.series_changes import BookingChange
from schema.booking import Booking
from schema.errors import UserError
from schema.payload import Payload
from schema.refusal import Refusal


@strawberry.type(description="What became of one booking of a series.")
class SeriesChange:
    """Done, or why not."""

    booking: Booking = strawberry.field(description="The booking, as it is now.")
    done: bool = strawberry.field(description="Whether it was done. True exactly when refusal is null.")
    refusal: Refusal | None = strawberry.field(
        description=(
            "Why not: HOLD_EXPIRED if its hold is over and its place was needed, INVALID_STATE if it is not ON_HOLD, "
            "PAYMENT_REQUIRED if something of it is to be paid before it is confirmed (bookingCheckout)."
        )
    )

    @classmethod
    def of(cls, change: BookingChange) -> "SeriesChange":
        """What the ledger says, for clients."""
        error = change.error
        refusal = None if error is None else Refusal.of(EngineRefusal(error.code, error.message))
        return cls(booking=Booking.of(change.record), done=refusal is None, refusal=refusal)


@strawberry.type(
    description="Nothing was done to any booking of the series; `code` is the first one's reason. The key is free."
)
class SeriesUnchanged(UserError):
    """Why not, of each."""

    changes: list[SeriesChange] = strawberry.field(description="Of each booking, in the order of their dates.")


@strawberry.type(description="What became of each booking; or why nothing was done to any.")
class SeriesChangePayload(Payload):
    """Either outcomes, at least one of which is done, or errors."""

    changes: list[SeriesChange] | None = strawberry.field(
        default=None,
        description="Of each booking, 1 to 100, in the order of their dates; null if there are errors.",
    )


def series_changes_of(changes: Sequence[BookingChange]) -> list[SeriesChange]:
    """All of them, for clients."""
    return [SeriesChange.of(change) for change in changes]
