"""Holding a series: many bookings by one call, one transaction and one idempotency key (sql/45_series.sql)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models.database import Database
from models.errors import BookingError
from models.interval import Interval
from models.keys import BookingKey
from models.ledger.calls import Unmet, accept, answer_of, recall, refusal_of
from models.ledger.payloads import command_payload, encode, hold_payload
from models.ledger.records import BookingRecord
from models.ledger.requests import Command, Hold
from models.queries.bookings import read_bookings

Refusals = Sequence[Mapping[str, Any]]
"""Why not, in the words of who asks; the ledger remembers them as they are."""


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """A date of a series: what to hold then, or why the rules refuse it. No interval: the clocks skip its time.

    `words`: what to tell of each condition of the one item of `hold`, in their order, if it is not met.
    """

    day: date
    interval: Interval | None
    hold: Hold | None = None
    refusals: Refusals = ()
    words: Refusals = ()


@dataclass(frozen=True, slots=True)
class HoldSeries:
    """At least one date; every `hold` has this `id` as its `series_id`, and a key that no client's key can be.

    `all_or_none`: nothing is booked unless every date is.
    """

    command: Command
    id: uuid.UUID
    all_or_none: bool
    dates: tuple[SeriesDate, ...]


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """What became of one date: its booking, or why there is none, by the rules (`refusals`) or the ledger (`error`)."""

    day: date
    interval: Interval | None
    booking: BookingRecord | None = None
    refusals: Refusals = ()
    error: BookingError | None = None


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """What became of a series. `id`: None if nothing is booked. `is_new`: booked by this very call."""

    id: uuid.UUID | None
    answers: tuple[SeriesAnswer, ...]
    is_new: bool


def key_of_date(series_id: uuid.UUID, position: int) -> str:
    """The idempotency key of one booking of a series: its line break is in no client's key, so that none meets it."""
    return f"series {series_id}\n{position}"


async def hold_series(database: Database, request: HoldSeries) -> SeriesRecord:
    """Admit the dates one after the other under locks that are taken once, and tell what became of each.

    Nothing is booked if all are asked for and one is refused, or if all are refused; then nothing is remembered under
    the key either. Raises IdempotencyConflict, Busy; and `calls.Stale`, which asks to decide anew.
    It does not go together with other admissions: a series is long, and who asks for one date should not wait with it.
    """
    held = [one for one in request.dates if one.hold is not None]
    series = {
        **command_payload(request.command),
        "series_id": request.id,
        "all_or_none": request.all_or_none,
        "refused": len(request.dates) - len(held),
        "dates": [_remembered_date(one) for one in request.dates],
    }
    requests = [hold_payload(one.hold) for one in held if one.hold is not None]
    call, organization_id = "SELECT ledger_hold_series($1, $2, $3)", request.command.organization_id
    answer = await answer_of(database, call, organization_id, encode(series), encode(requests))
    if answer["outcome"] == "REFUSED":
        return SeriesRecord(None, _answers(series["dates"], answer["answers"], {}), is_new=False)
    accept(answer)
    if answer["outcome"] == "REPLAYED":
        return await _recalled(database, request.command, answer["result"])
    made = [BookingRecord.from_json(one) for one in answer["answers"] if one["outcome"] == "DONE"]
    records = {record.booking.id: record for record in made}
    named = [
        {**one, "booking_id": one["booking"]["id"]} if one["outcome"] == "DONE" else one for one in answer["answers"]
    ]
    return SeriesRecord(request.id, _answers(series["dates"], named, records), is_new=True)


async def recall_series(database: Database, command: Command) -> SeriesRecord | None:
    """What became of the series that was held under the command's key, its bookings as they are now; or None.

    Raises IdempotencyConflict if the key was used for another request.
    """
    result = await recall(database, command)
    return None if result is None else await _recalled(database, command, result)


async def _recalled(database: Database, command: Command, result: Mapping[str, Any]) -> SeriesRecord:
    ids = [uuid.UUID(one["booking_id"]) for one in result["answers"] if one["outcome"] == "DONE"]
    async with database.reading(command.organization_id) as session:
        found = await read_bookings(session, [BookingKey(command.organization_id, id_) for id_ in ids])
    records = {key.id: record for key, record in found.items()}
    return SeriesRecord(
        uuid.UUID(result["series_id"]), _answers(result["dates"], result["answers"], records), is_new=False
    )


def _remembered_date(one: SeriesDate) -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        "starts_at": None if one.interval is None else one.interval.starts_at.isoformat(),
        "ends_at": None if one.interval is None else one.interval.ends_at.isoformat(),
        "is_held": one.hold is not None,
        "refusals": [dict(refusal) for refusal in one.refusals],
        "words": [dict(words) for words in one.words],
    }


def _answers(
    dates: Sequence[Mapping[str, Any]],
    answers: Sequence[Mapping[str, Any] | None],
    records: Mapping[uuid.UUID, BookingRecord],
) -> tuple[SeriesAnswer, ...]:
    """The ledger's answers, which are of the dates that were held, beside the dates that were not."""
    of_held = iter(answers)
    return tuple(_answer(one, next(of_held) if one["is_held"] else None, records) for one in dates)


def _answer(
    one: Mapping[str, Any], answer: Mapping[str, Any] | None, records: Mapping[uuid.UUID, BookingRecord]
) -> SeriesAnswer:
    day, interval = date.fromisoformat(one["day"]), _interval(one)
    if answer is not None and answer["outcome"] == "REFUSED":
        error = refusal_of(answer["refusal"])
        if isinstance(error, Unmet):
            unmet = [one["words"][found.index] for found in error.measured]
            return SeriesAnswer(day, interval, refusals=unmet, error=error.capacity)
        return SeriesAnswer(day, interval, error=error)
    booking_id = (answer or {}).get("booking_id")
    booking = None if booking_id is None else records.get(uuid.UUID(booking_id))
    return SeriesAnswer(day, interval, booking, one["refusals"])


def _interval(one: Mapping[str, Any]) -> Interval | None:
    if one["starts_at"] is None:
        return None
    return Interval(datetime.fromisoformat(one["starts_at"]), datetime.fromisoformat(one["ends_at"]))
