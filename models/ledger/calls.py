"""The calls of the ledger: each is one SQL function, one round trip, one transaction (sql/40, sql/50 and sql/52).

Every call may be repeated with the same command: it has one effect and one answer. So a call that meets a deadlock, a
serialization failure or a lost connection is repeated (`models.ledger.repeat`), a bounded number of times; then, and
when waiting took too long, the caller is told `Busy`. Work that has begun is finished even if the caller is cancelled.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from models.database import Database
from models.errors import (
    ActivityConflict,
    BookingError,
    CapacityInUse,
    Closed,
    HoldExpired,
    HoldLimit,
    IdempotencyConflict,
    InvalidState,
    NotCancellable,
    NotFound,
    NothingDue,
    PaymentRequired,
    PriceChanged,
    PromoCodeInvalid,
    SoldOut,
    VersionConflict,
)
from models.ledger.payloads import command_payload, encode, hold_payload, price_payload
from models.ledger.records import BookingRecord
from models.ledger.repeat import Relock, until_done
from models.ledger.requests import Adjust, CancelItem, ChangeBooking, Command, Hold, Rebook


class Stale(Exception):
    """What the caller decided by has changed: nothing was done, and it is to be read and decided anew."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A condition that is not met: the position of its item in the request, its own in the item, and the number."""

    item: int
    index: int
    measure: int


class Unmet(Exception):
    """Conditions of the request are not met: nothing was done. `capacity`: what else refuses it, if anything does."""

    def __init__(self, measured: Sequence[Measured], capacity: BookingError | None) -> None:
        super().__init__("conditions are not met")
        self.measured = tuple(measured)
        self.capacity = capacity


async def hold(database: Database, request: Hold) -> BookingRecord:
    """Admit the request: a new booking, ON_HOLD, with all its claims; or nothing.

    Raises SoldOut, Closed, ActivityConflict, VersionConflict, NotFound, IdempotencyConflict, Busy; PriceChanged for a
    quote that is over, and PromoCodeInvalid for a code that was used as often as it may be; Unmet, whose numbers
    the caller puts into words; and Stale, which is no answer but asks to decide anew.
    Locks every resource that it takes from, in id order, so that concurrent admissions to one resource come one after
    the other and each sees all before it; then the customer, where conditions count what the customer has. Requests of
    this process for the same resources that come while another is under way go together in the next call and commit,
    first come, first served, each with its own outcome.
    """
    organization_id = request.command.organization_id
    lane = (organization_id, frozenset(item.resource_id for item in request.items))
    answer = await database.groups.ask(
        lane, encode(hold_payload(request)), partial(_hold_together, database, organization_id)
    )
    if isinstance(answer, Exception):
        raise answer
    return await _booking(database, request.command, accept(answer))


async def change_booking(database: Database, request: ChangeBooking) -> BookingRecord:
    """Extend, confirm, release or cancel; compare-and-set on the status, and on `expected_version` where given.

    Raises HoldExpired, HoldLimit, NotCancellable, PaymentRequired, InvalidState, VersionConflict, NotFound,
    IdempotencyConflict, Busy.
    """
    payload = {
        **command_payload(request.command),
        "booking_id": request.booking_id,
        "action": request.action,
        "reason": request.reason,
        "expected_version": request.expected_version,
        "until_start": request.until_start,
        "collects": request.collects,
    }
    answer = await repeated(database, request.command.organization_id, "SELECT ledger_change_booking($1, $2)", payload)
    return await _booking(database, request.command, answer)


async def rebook(database: Database, request: Rebook) -> BookingRecord:
    """Make the booking be of other items, all of them, in one admission; or leave it exactly as it was.

    What it has itself counts as free. Raises what `hold` raises, but nothing of the version of a resource nor of promo
    codes; HoldExpired, InvalidState, VersionConflict (of the booking). Stale also where the booking is not at
    `read_version`. Locks all that it has and all that it is to have, in id order, then the customer where conditions
    count what the customer has, then the booking.
    """
    command = request.hold.command
    decided_by = _of_booking(request.read_version, request.expected_version, request.until_start)
    payload = {**hold_payload(request.hold), **decided_by}
    answer = await repeated(database, command.organization_id, "SELECT ledger_rebook($1, $2)", payload)
    return await _booking(database, command, answer)


async def cancel_item(database: Database, request: CancelItem) -> BookingRecord:
    """Cancel so many units of one item, and give back what they take; something of the booking is left.

    Raises HoldExpired, InvalidState, VersionConflict, NotFound, IdempotencyConflict, Busy; Stale where the booking is
    not at `read_version`. Locks what the booking has, in id order, and then the booking.
    """
    payload = {
        **command_payload(request.command),
        "booking_id": request.booking_id,
        "position": request.position,
        "quantity": request.quantity,
        "guests": request.guests,
        **_of_booking(request.read_version, request.expected_version, request.until_start),
        **price_payload(request.price),
    }
    answer = await repeated(database, request.command.organization_id, "SELECT ledger_cancel_item($1, $2)", payload)
    return await _booking(database, request.command, answer)


async def adjust(database: Database, request: Adjust) -> int:
    """Change capacity, close or open; returns the resource's version that this made.

    Raises CapacityInUse, VersionConflict, NotFound, IdempotencyConflict, Busy.
    """
    payload = {
        **command_payload(request.command),
        "resource_id": request.resource_id,
        "starts_at": request.starts_at,
        "ends_at": request.ends_at,
        "capacity": request.capacity,
        "closed": request.closed,
        "reason": request.reason,
        "expected_version": request.expected_version,
    }
    answer = await repeated(database, request.command.organization_id, "SELECT ledger_adjust($1, $2)", payload)
    return int(answer["result"]["version"])


async def recall(database: Database, command: Command) -> dict[str, Any] | None:
    """The result that is remembered under the command's key, or None.

    Asked before a request is refused for another reason than the ledger's, such as that its time has come: a
    repetition gets the first answer. Raises IdempotencyConflict if the key was used for another request.
    """
    found = await database.ledger.fetchval(
        "SELECT ledger_replay($1, $2)", command.organization_id, encode(command_payload(command))
    )
    return None if found is None else dict(accept(orjson.loads(found))["result"])


async def recall_booking(database: Database, command: Command) -> BookingRecord | None:
    """`recall`, for a command that makes or changes a booking: that booking, as it is now."""
    result = await recall(database, command)
    return None if result is None else await _remembered(database, command, result)


async def read_booking(database: Database, organization_id: uuid.UUID, booking_id: uuid.UUID) -> BookingRecord | None:
    """The booking as it is now, or None."""
    answer = await database.ledger.fetchval("SELECT ledger_booking($1, $2)", organization_id, booking_id)
    return None if answer is None else BookingRecord.from_json(orjson.loads(answer))


def _of_booking(read_version: int | None, expected_version: int | None, until_start: bool) -> dict[str, Any]:
    return {"read_version": read_version, "expected_version": expected_version, "until_start": until_start}


async def _hold_together(
    database: Database, organization_id: uuid.UUID, payloads: Sequence[str]
) -> Sequence[dict[str, Any] | Exception]:
    """The ledger's answer to each; if one of them is a defect, it fails by itself and not with its neighbours."""

    async def attempt() -> list[dict[str, Any]]:
        together = f"[{','.join(payloads)}]"
        answers: list[dict[str, Any]] = orjson.loads(
            await database.ledger.fetchval("SELECT ledger_hold($1, $2)", organization_id, together)
        )
        if any(answer["outcome"] == "RELOCK" for answer in answers):
            raise Relock  # the others are found done when all are asked again
        return answers

    try:
        return await until_done(database, attempt)
    except BookingError as error:
        return [error] * len(payloads)
    except Exception as error:  # noqa: BLE001 - it is raised again, to whom it concerns
        if len(payloads) == 1:
            return [error]
        each = [await _hold_together(database, organization_id, [payload]) for payload in payloads]
        return [answer for (answer,) in each]


async def _booking(database: Database, command: Command, answer: dict[str, Any]) -> BookingRecord:
    if answer["outcome"] == "REPLAYED":
        return await _remembered(database, command, answer["result"])
    return BookingRecord.from_json(answer)


async def _remembered(database: Database, command: Command, result: dict[str, Any]) -> BookingRecord:
    record = await read_booking(database, command.organization_id, uuid.UUID(result["booking_id"]))
    assert record is not None, "a key is remembered with its booking, and bookings stay"
    return record


async def repeated(
    database: Database, organization_id: uuid.UUID, call: str, payload: dict[str, Any]
) -> dict[str, Any]:
    """The answer of a call that has been carried out, or its refusal as an exception."""
    return accept(await answer_of(database, call, organization_id, encode(payload)))


async def answer_of(database: Database, call: str, *arguments: object) -> dict[str, Any]:
    """What a call answers, a refusal too; it is repeated until it has locked what it needs. Raises Busy."""

    async def attempt() -> dict[str, Any]:
        answer: dict[str, Any] = orjson.loads(await database.ledger.fetchval(call, *arguments))
        if answer["outcome"] == "RELOCK":
            raise Relock
        return answer

    return await until_done(database, attempt)


def accept(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer if what was asked for is done; otherwise what `hold` raises."""
    match answer["outcome"]:
        case "DONE" | "REPLAYED":
            return answer
        case "IDEMPOTENCY_CONFLICT":
            raise IdempotencyConflict(
                "This idempotency key was used for another request.", path=("input", "idempotencyKey")
            )
        case "STALE":
            raise Stale
        case "REFUSED":
            raise refusal_of(answer["refusal"])
    raise AssertionError(f"the ledger answered {answer['outcome']}")


def refusal_of(refusal: dict[str, Any]) -> BookingError | Unmet:
    """The business's word for what the ledger refuses; numbers, where words are to be made of them."""
    if refusal["code"] == "CONDITION":
        return Unmet([Measured(**unmet) for unmet in refusal["unmet"]], _fact(refusal["capacity"]))
    fact = _fact(refusal)
    assert fact is not None
    return fact


def _fact(refusal: dict[str, Any] | None) -> BookingError | None:
    return None if refusal is None else _REFUSALS[refusal["code"]](refusal)


def sold_out(resource_id: uuid.UUID, free: int) -> SoldOut:
    """The refusal where so many units of the resource are free at its fullest instant; less than none: none."""
    vacancies = max(0, free)
    message = "Sold out." if vacancies == 0 else f"Only {vacancies} left at some time of this interval."
    return SoldOut(message, resource_id=resource_id, vacancies=vacancies)


def _capacity_in_use(refusal: dict[str, Any]) -> CapacityInUse:
    message = "Some bookings take more than this capacity."
    return CapacityInUse(message, references=refusal["references"], path=("input", "capacity"))


_REFUSALS: dict[str, Callable[[dict[str, Any]], BookingError]] = {
    "SOLD_OUT": lambda found: sold_out(uuid.UUID(found["resource_id"]), found["vacancies"]),
    "CLOSED": lambda _: Closed("It is closed at some time of this interval."),
    "ACTIVITY_CONFLICT": lambda _: ActivityConflict("It is in use for another activity at some time of this interval."),
    "VERSION_CONFLICT": lambda found: VersionConflict("It changed since you looked.", current=found["current"]),
    "NOT_FOUND": lambda _: NotFound("Not found."),
    "HOLD_EXPIRED": lambda _: HoldExpired("The hold is over."),
    "HOLD_LIMIT": lambda _: HoldLimit("The hold can not be extended any further."),
    "NOT_CANCELLABLE": lambda found: NotCancellable(f"A booking that is {found['status']} can not be cancelled now."),
    "INVALID_STATE": lambda found: InvalidState(f"This can not be done to a booking that is {found['status']}."),
    "BEGUN": lambda _: InvalidState("It has begun: the venue only can change it now."),
    "OFFERED": lambda _: InvalidState("It is an offer of a waitlist: confirm it first, as it is."),
    "NOTHING_DUE": lambda _: NothingDue("Nothing is due now: confirm it."),
    "PAYMENT_REQUIRED": lambda _: PaymentRequired("Something is to be paid first: check out."),
    "CAPACITY_IN_USE": _capacity_in_use,
    "PRICE_CHANGED": lambda _: PriceChanged("The quote does not hold any more."),
    "PROMO_CODE_INVALID": lambda _: PromoCodeInvalid("This promo code has been used as often as it may be."),
}
