"""What seriesConfirm and seriesRelease share: one thing is done to every booking of a series."""

import strawberry

from engine import series_changes
from engine.series_changes import SeriesChangeRequest
from models.ledger.requests import BookingAction
from resolvers.access import KEY_DESCRIPTION, input_hash
from schema.context import Info
from schema.error_codes import code_of
from schema.global_id import series_key
from schema.series_change import SeriesChangePayload, SeriesUnchanged, series_changes_of


@strawberry.input(description="Which series, and who says so.")
class SeriesActionInput:
    """One series."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    series_id: strawberry.ID = strawberry.field(
        description="Which series, as Series.id; NOT_FOUND for one that does not exist or that the viewer may not see."
    )
    token: str | None = strawberry.field(
        default=None, description="As given by seriesHold; for guests, who are UNAUTHENTICATED without one."
    )


async def act_on_series(
    info: Info, mutation: str, action: BookingAction, input: SeriesActionInput
) -> SeriesChangePayload:
    """Carry out the action; `mutation` is the name that repetitions are known by."""
    context = info.context
    request = SeriesChangeRequest(
        key=input.idempotency_key,
        request_hash=input_hash(mutation, input),
        series=series_key(input.series_id, ("input", "seriesId")),
        opened_by_token=context.series_opened_by(input.token),
        action=action,
        collects=context.payments is not None,
    )
    try:
        changes = await series_changes.change(context.database, context.viewer, request)
    except series_changes.SeriesUnchanged as error:
        return SeriesChangePayload(errors=[_unchanged(error)])
    context.loaders.budget.spend_elements(len(changes))
    return SeriesChangePayload(changes=series_changes_of(changes))


def _unchanged(error: series_changes.SeriesUnchanged) -> SeriesUnchanged:
    return SeriesUnchanged(
        code=code_of(error.code),
        message=error.message,
        path=["input", "seriesId"],
        retryable=error.retryable,
        changes=series_changes_of(error.outcomes),
    )
