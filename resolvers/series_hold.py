"""seriesHold: take places on every date of a series, and keep them for a while."""

from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from engine import series
from engine.series import HeldSeries, SeriesMode, SeriesRefused, SeriesRequest
from models.keys import BookingKey, ResourceKey, SeriesKey
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from schema.access import Access
from schema.context import Context, Info
from schema.error_codes import ErrorCode
from schema.global_id import GlobalKind, encode
from schema.inputs import ContactInput, contact_of
from schema.series import (
    Series,
    SeriesConflict,
    SeriesOccurrence,
    SeriesPayload,
    SeriesPreviewInput,
    series_date_of,
    series_wish_of,
)


@strawberry.input(description="What recurs, how much of it, and whether all of it must be had.")
class SeriesHoldInput(SeriesPreviewInput):
    """A series, under one key."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    contact: ContactInput | None = strawberry.field(
        default=None, description="How to reach the guest; the same for each booking."
    )
    mode: SeriesMode = strawberry.field(
        default=SeriesMode.ALL, description="What happens when some dates can not be booked."
    )


@mutation(
    Access.PUBLIC,
    description=(
        "Take places on every date of a series, each as a booking of its own with a token of its own, as bookingHold "
        "does: all of them at once, under one key. If nothing is booked, which with ALL is so if any date is refused, "
        "the error is a SeriesConflict that tells what stands against each date. What is wrong with the series as a "
        "whole is refused as by seriesPreview. Also IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def series_hold(
    info: Info, input: Annotated[SeriesHoldInput, strawberry.argument(description="What to hold.")]
) -> SeriesPayload:
    """The series, and a token for each of its bookings."""
    context = info.context
    request = SeriesRequest(
        key=input.idempotency_key,
        request_hash=input_hash("seriesHold", input),
        wish=series_wish_of(input, ("input",)),
        contact=contact_of(input.contact, ("input", "contact")),
        mode=input.mode,
    )
    try:
        held = await series.hold(context.database, context.viewer, request, now=context.clock(), taxes=context.taxes)
    except SeriesRefused as error:
        return SeriesPayload(errors=[await _conflict(context, request.wish.resource, error)])
    return SeriesPayload(series=await _series(context, request.wish.resource, held))


async def _series(context: Context, resource: ResourceKey, held: HeldSeries) -> Series:
    zone = await _zone(context, resource)
    context.loaders.budget.spend_elements(len(held.outcomes))
    dates = []
    for outcome in held.outcomes:
        booking = None if outcome.booking is None else outcome.booking.booking
        token = None if booking is None else context.tokens.issue(BookingKey(booking.organization_id, booking.id))
        dates.append(series_date_of(outcome, zone, token))
    return Series(
        id=encode(GlobalKind.SERIES, resource.organization_id, held.id),
        token=context.tokens.issue_series(SeriesKey(resource.organization_id, held.id)),
        occurrences=dates,
        bookings=[one.booking for one in dates if one.booking is not None],
    )


async def _conflict(context: Context, resource: ResourceKey, error: SeriesRefused) -> SeriesConflict:
    zone = await _zone(context, resource)
    return SeriesConflict(
        code=ErrorCode(error.code),
        message=error.message,
        path=["input"],
        retryable=error.retryable,
        occurrences=[SeriesOccurrence.of(outcome, zone) for outcome in error.outcomes],
    )


async def _zone(context: Context, resource: ResourceKey) -> ZoneInfo:
    facts = await context.loaders.facts.load(resource)
    assert facts is not None, "it has just been held, or refused by its rules"
    return facts.zone
