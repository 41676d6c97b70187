"""Series of bookings: what recurs, and what became of each date."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import strawberry

from engine.occurrences import SeriesWish
from engine.series import DateOutcome, SeriesMode
from models.civil import local_text
from schema.booking import Booking
from schema.enums import described
from schema.errors import UserError
from schema.global_id import resource_key
from schema.inputs import GUESTS_DESCRIPTION, GuestCountInput, Path, StayInput, WindowInput, wish_of
from schema.payload import Payload
from schema.refusal import Refusal

described(
    SeriesMode,
    description="What happens to the dates that can be booked when others can not.",
    values={
        "ALL": "All dates are booked, or none.",
        "SKIP_CONFLICTS": "What can be booked is; the other dates are left out, each with its reasons.",
    },
)


@strawberry.input(
    description=(
        "What recurs: a first occurrence, and the rule by which it happens again. On every date the venue's clocks "
        "show the same times as on the first, also when they have been set forward or back in between."
    )
)
class SeriesPreviewInput:
    """What recurs, and how much of it."""

    resource_id: strawberry.ID = strawberry.field(description="What to book; NOT_FOUND if there is no such resource.")
    recurrence: str = strawberry.field(
        description=(
            'RRULE of RFC 5545: "FREQ=WEEKLY;BYDAY=TU;COUNT=10", "RRULE:" may stand before it. FREQ is DAILY, WEEKLY, '
            "MONTHLY or YEARLY; INTERVAL, COUNT or UNTIL, BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, BYDAY, BYSETPOS "
            "and WKST are understood. UNTIL: a date of the venue, included, a time of its clocks, or an instant with Z."
            " INVALID_INPUT for anything else, for a rule whose days the first occurrence is not one of, for more than "
            "100 occurrences or 500 characters, and unless it ends within 730 days from today."
        )
    )
    window: WindowInput | None = strawberry.field(
        default=None,
        description=(
            "The first occurrence, for OPENING_HOURS and START_TIME: its day and the times of the venue's clocks "
            "recur. INVALID_INPUT for NIGHTLY."
        ),
    )
    stay: StayInput | None = strawberry.field(
        default=None,
        description=(
            "The first stay, for NIGHTLY: its arrival recurs, with the same number of nights. Else INVALID_INPUT."
        ),
    )
    excluded: list[date] | None = strawberry.field(
        name="except",
        default=None,
        description=(
            "Dates of the series that are left out, at most 100; they count for COUNT. INVALID_INPUT for one that is "
            "none of its dates."
        ),
    )
    quantity: int = strawberry.field(default=1, description="Units on each date: 1 to 10,000; else INVALID_INPUT.")
    guests: list[GuestCountInput] | None = strawberry.field(default=None, description=GUESTS_DESCRIPTION)
    activity: str | None = strawberry.field(
        default=None, description="As BookingItemInput.activity, the same on each date."
    )


def series_wish_of(input: SeriesPreviewInput, path: Path) -> SeriesWish:
    """What is wished for; NotFound and InvalidInput for what makes no sense by itself."""
    return SeriesWish(
        resource=resource_key(input.resource_id, (*path, "resourceId")),
        first=wish_of(input, path),
        rule=input.recurrence,
        excluded=frozenset(input.excluded or ()),
    )


@strawberry.type(description="A date of a series. Times are null if the venue's clocks skip them on that day.")
class SeriesOccurrence:
    """Whether it can be booked."""

    day: date = strawberry.field(
        name="date", description="The venue's civil day on which it begins; of a stay, arrival."
    )
    starts_at: datetime | None = strawberry.field(description="First instant; of a stay, check-in.")
    ends_at: datetime | None = strawberry.field(description="First instant after it; of a stay, check-out.")
    local_start: str | None = strawberry.field(
        description='startsAt as the venue\'s clocks show it, ISO 8601 with the offset: "2026-11-22T18:00:00+01:00".'
    )
    local_end: str | None = strawberry.field(description="endsAt as the venue's clocks show it.")
    bookable: bool = strawberry.field(
        description="Whether the asked quantity could be booked. True exactly when refusals is empty."
    )
    refusals: list[Refusal] = strawberry.field(
        description="Every reason why not; INVALID_TIME if the venue's clocks skip its time."
    )

    @classmethod
    def of(cls, outcome: DateOutcome, zone: ZoneInfo) -> "SeriesOccurrence":
        """The engine's outcome, for clients."""
        return cls(**_fields_of(outcome, zone))


@strawberry.type(description="The dates of a series, each looked at by itself: as if the others were not booked.")
class SeriesPreview:
    """What could be booked."""

    occurrences: list[SeriesOccurrence] = strawberry.field(description="In order, 1 to 100.")


@strawberry.type(description="A date of a series that was held: its booking, or the reasons why there is none.")
class SeriesDate(SeriesOccurrence):
    """What became of it."""

    booking: Booking | None = strawberry.field(description="Its booking, as it is now; null if it was left out.")
    token: str | None = strawberry.field(
        description="What a guest without an account shows to see and manage this booking. Keep it secret."
    )


@strawberry.type(
    description=(
        "Bookings that were made together. Each is a booking of its own: confirmed, extended, cancelled by itself. "
        "seriesConfirm and seriesRelease act on all of them at once."
    )
)
class Series:
    """A series of which at least one date is booked."""

    id: strawberry.ID = strawberry.field(
        description="Opaque; as in Booking.series and BookingFilter.seriesId. `node` does not find it."
    )
    token: str = strawberry.field(
        description=(
            "What a guest without an account shows to seriesConfirm and seriesRelease. It opens no booking by itself: "
            "each has its own. Keep it secret."
        )
    )
    occurrences: list[SeriesDate] = strawberry.field(description="Every date that was asked for, in order.")
    bookings: list[Booking] = strawberry.field(description="The bookings of those that are booked, in order.")


@strawberry.type(
    description=(
        "Nothing of a series was booked: one date was refused and all were asked for, or all were refused. `code` is "
        "the first reason's."
    )
)
class SeriesConflict(UserError):
    """What stands against each date."""

    occurrences: list[SeriesOccurrence] = strawberry.field(
        description="Every date that was asked for: bookable ones, and those that are in the way with their reasons."
    )


@strawberry.type(description="The series as it was held; or why nothing was done.")
class SeriesPayload(Payload):
    """Either a series, or errors."""

    series: Series | None = strawberry.field(default=None, description="The series; null if there are errors.")


def series_date_of(outcome: DateOutcome, zone: ZoneInfo, token: str | None) -> SeriesDate:
    """A date of a series that was held."""
    booking = None if outcome.booking is None else Booking.of(outcome.booking)
    return SeriesDate(**_fields_of(outcome, zone), booking=booking, token=token)


def _fields_of(outcome: DateOutcome, zone: ZoneInfo) -> dict[str, Any]:
    interval = outcome.interval
    return {
        "day": outcome.day,
        "starts_at": None if interval is None else interval.starts_at,
        "ends_at": None if interval is None else interval.ends_at,
        "local_start": None if interval is None else local_text(interval.starts_at, zone),
        "local_end": None if interval is None else local_text(interval.ends_at, zone),
        "bookable": not outcome.refusals,
        "refusals": [Refusal.of(refusal) for refusal in outcome.refusals],
    }
