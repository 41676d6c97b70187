"""seriesRelease: give the places of every date back."""

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
        "Give up all holds of a series, each as bookingRelease does, at once and under one key. What is not ON_HOLD "
        "any more stays as it is: each booking is told with its outcome. If none is given up, the error is a "
        "SeriesUnchanged. Also NOT_FOUND, IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def series_release(
    info: Info, input: Annotated[SeriesActionInput, strawberry.argument(description="Which series.")]
) -> SeriesChangePayload:
    """What became of each booking."""
    return await act_on_series(info, "seriesRelease", BookingAction.RELEASE, input)
