"""What happens to a series after it was held: all of its bookings are confirmed, or given back, at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.bookings import command_on, may_see
from engine.idempotency import check_key
from engine.recurrence import OCCURRENCES_MAX
from engine.viewer import Role, Viewer
from models.database import Database
from models.errors import BookingError, NotFound
from models.keys import SeriesKey
from models.ledger.records import BookingSnapshot
from models.ledger.requests import BookingAction
from models.ledger.series_changes import BookingChange, ChangeSeries, change_series
from models.queries.bookings import read_series


@dataclass(frozen=True, slots=True)
class SeriesChangeRequest:
    """`opened_by_token`: the series that a shown token opens. `action`: CONFIRM or RELEASE.

    `collects`: as of changes.ChangeRequest.
    """

    key: str
    request_hash: bytes
    series: SeriesKey
    opened_by_token: SeriesKey | None
    action: BookingAction
    collects: bool = False


class SeriesUnchanged(BookingError):
    """Nothing was done to any booking; `outcomes` tell why not, of each. `code` is the first reason's."""

    def __init__(self, outcomes: Iterable[BookingChange], first: BookingError) -> None:
        self.outcomes = tuple(outcomes)
        super().__init__(f"Nothing was done to any of {len(self.outcomes)} bookings. The first: {first.message}")
        self.code = first.code


async def change(database: Database, viewer: Viewer, request: SeriesChangeRequest) -> tuple[BookingChange, ...]:
    """Carry out the action on every booking of the series that allows it, once per key; what became of each, in order.

    What one booking refuses keeps nothing from the others (docs/adr/0016). Raises SeriesUnchanged if all refuse,
    NotFound for a series that the viewer may not see, IdempotencyConflict and Busy.
    """
    check_key(request.key)
    organization_id = request.series.organization_id
    async with database.reading(organization_id) as session:
        found = await read_series(session, request.series, limit=OCCURRENCES_MAX)
    seen = [booking for booking in found if _may_see(viewer, booking, request)]
    if not seen:
        raise NotFound("There is no such series.", path=("input", "seriesId"))
    outcomes = await change_series(
        database,
        ChangeSeries(
            command=command_on(viewer, request.series, request.key, request.request_hash),
            booking_ids=tuple(booking.id for booking in seen),
            action=request.action,
            collects=request.collects and not viewer.may(Role.STAFF, organization_id),
        ),
    )
    if outcomes[0].error is not None and all(one.error is not None for one in outcomes):
        raise SeriesUnchanged(outcomes, outcomes[0].error)
    return outcomes


def _may_see(viewer: Viewer, booking: BookingSnapshot, request: SeriesChangeRequest) -> bool:
    return request.opened_by_token == request.series or may_see(viewer, booking, None)
