"""seriesConfirm: make the places of every date the guest's, or ask the venue to."""

from typing import Annotated

import strawberry

from models.ledger.requests import BookingAction
from resolvers.access import mutation
from resolvers.series_action import SeriesActionInput, act_on_series
from schema.access import Access
from schema.context import Info
from schema.series_change import SeriesChangePayload


@mutation(
    Access.SERIES_HOLDER,
    description=(
        "Confirm all bookings of a series, each as bookingConfirm does, at once and under one key. What can not be "
        "confirmed, because it is to be paid first, its hold is over or it is not ON_HOLD any more, keeps none of the "
        "others from it: each booking is told with its outcome. If none is confirmed, the error is a SeriesUnchanged. "
        "Also NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def series_confirm(
    info: Info, input: Annotated[SeriesActionInput, strawberry.argument(description="Which series.")]
) -> SeriesChangePayload:
    """What became of each booking."""
    return await act_on_series(info, "seriesConfirm", BookingAction.CONFIRM, input)
