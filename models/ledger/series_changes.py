"""Changing all bookings of a series: one call, one transaction, one idempotency key (sql/55_series_changes.sql)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.database import Database
from models.errors import BookingError
from models.keys import BookingKey
from models.ledger.calls import Unmet, accept, answer_of, refusal_of
from models.ledger.payloads import command_payload, encode
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction, Command
from models.queries.bookings import read_bookings


@dataclass(frozen=True, slots=True)
class ChangeSeries:
    """1 to 100 bookings of the command's organization, in the order in which they are answered.

    `collects`: as of ChangeBooking.
    """

    command: Command
    booking_ids: tuple[uuid.UUID, ...]
    action: BookingAction
    collects: bool = False


@dataclass(frozen=True, slots=True)
class BookingChange:
    """What became of one booking: the booking as it is now, and why nothing was done to it, if nothing was."""

    record: BookingRecord
    error: BookingError | None


async def change_series(database: Database, request: ChangeSeries) -> tuple[BookingChange, ...]:
    """Do the same to each booking, as `calls.change_booking` would; what one refuses keeps nothing from another.

    If every booking refuses, nothing was done, and nothing is remembered under the key. A repetition is told what was
    remembered, with the bookings as they are now. Raises IdempotencyConflict, Busy. Locks all that the bookings claim
    in id order, as an admission does, and then the bookings.
    """
    payload = {
        **command_payload(request.command),
        "booking_ids": request.booking_ids,
        "action": request.action,
        "collects": request.collects,
    }
    organization_id = request.command.organization_id
    answer = await answer_of(database, "SELECT ledger_change_series($1, $2)", organization_id, encode(payload))
    if answer["outcome"] == "REPLAYED":
        return await _recalled(database, organization_id, answer["result"]["answers"])
    if answer["outcome"] != "REFUSED":
        accept(answer)
    return tuple(BookingChange(BookingRecord.from_json(one), _error_of(one)) for one in answer["answers"])


async def _recalled(
    database: Database, organization_id: uuid.UUID, answers: Sequence[Mapping[str, Any]]
) -> tuple[BookingChange, ...]:
    keys = [BookingKey(organization_id, uuid.UUID(one["booking_id"])) for one in answers]
    async with database.reading(organization_id) as session:
        found = await read_bookings(session, keys)
    return tuple(BookingChange(found[key], _error_of(one)) for key, one in zip(keys, answers, strict=True))


def _error_of(answer: Mapping[str, Any]) -> BookingError | None:
    if answer["outcome"] == "DONE":
        return None
    error = refusal_of(answer["refusal"])
    assert not isinstance(error, Unmet), "conditions are of admissions"
    return error
