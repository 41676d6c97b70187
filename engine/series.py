"""Series: what recurs is looked at, and held, date by date; each date is a booking of its own."""

import asyncio
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from engine.availability import availability
from engine.bookings import acting_in
from engine.facts import ResourceFacts, load_facts
from engine.hold_prices import ANY_PRICE, price_of_hold
from engine.holds import DECISIONS_MAX, HoldRequest, ItemRequest, asking, decided, visible
from engine.idempotency import check_key
from engine.occurrences import Occurrence, SeriesWish, occurrences
from engine.ports import TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from engine.quotes import Question
from engine.reading import NOBODY, CountsLoader, TimelineLoader
from engine.rules.base import Condition, Refusal
from engine.viewer import Viewer
from models.base import new_id
from models.database import Database
from models.errors import BookingError, Refused, RuleViolation, SoldOut
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.failures import busy
from models.ledger.records import BookingRecord
from models.ledger.requests import Command, Contact
from models.ledger.series import (
    HoldSeries,
    SeriesAnswer,
    SeriesDate,
    SeriesRecord,
    hold_series,
    key_of_date,
    recall_series,
)


class SeriesMode(StrEnum):
    """What happens to the dates that can be booked when others can not."""

    ALL = "ALL"
    SKIP_CONFLICTS = "SKIP_CONFLICTS"


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """A series to hold, under one idempotency key."""

    key: str
    request_hash: bytes
    wish: SeriesWish
    contact: Contact
    mode: SeriesMode


@dataclass(frozen=True, slots=True)
class DateOutcome:
    """What became of a date, or would. No interval: the clocks skip its time. Bookable unless there are refusals."""

    day: date
    interval: Interval | None
    refusals: tuple[Refusal, ...]
    booking: BookingRecord | None = None


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """A series of which at least one date is booked."""

    id: uuid.UUID
    outcomes: tuple[DateOutcome, ...]


class SeriesRefused(BookingError):
    """Nothing of the series is booked; `outcomes` tell what stands against each date. `code` is the first reason's."""

    def __init__(self, outcomes: Iterable[DateOutcome]) -> None:
        self.outcomes = tuple(outcomes)
        refused = [one for one in self.outcomes if one.refusals]
        count = f"{len(refused)} of {len(self.outcomes)} dates can not be booked"
        super().__init__(f"{count}; nothing was. On {refused[0].day}: {refused[0].refusals[0].message}")
        self.code = refused[0].refusals[0].code


async def preview(
    facts: ResourceFacts, wish: SeriesWish, *, load: TimelineLoader, counts: CountsLoader = NOBODY, now: datetime
) -> list[DateOutcome]:
    """Each date of the series by itself: whether it can be booked, and every reason against it.

    Raises as `occurrences`. Where `load` and `counts` gather what is asked in one turn of the event loop, all dates
    share a statement each, which reads no more than their own times.
    """

    async def look(one: Occurrence) -> DateOutcome:
        if one.wish is None:
            return DateOutcome(one.day, None, one.refusals)
        answer = await availability(facts, one.wish, load=load, counts=counts, now=now)
        return DateOutcome(one.day, answer.interval, answer.refusals)

    return list(await asyncio.gather(*(look(one) for one in occurrences(facts, wish, now=now))))


async def hold(
    database: Database, viewer: Viewer, request: SeriesRequest, *, now: datetime, taxes: TaxProvider = NO_TAX_PROVIDER
) -> HeldSeries:
    """A booking ON_HOLD for each date, or with SKIP_CONFLICTS for each that can be booked; the same for the same key.

    Anybody may hold what is published. Raises SeriesRefused if nothing is booked, NotFound for a resource that the
    viewer may not see, what `occurrences` raises, IdempotencyConflict and Busy.
    """
    check_key(request.key)
    organization_id = request.wish.resource.organization_id
    acting = acting_in(viewer, organization_id)
    command = Command(organization_id, acting.actor, request.key, request.request_hash)
    for _ in range(DECISIONS_MAX):
        try:
            asked = await _decided(database, viewer, command, request, now, taxes)
        except BookingError:
            # A repetition gets the first answer, also when the time has come or something has changed meanwhile.
            found = await recall_series(database, command)
            if found is None:
                raise
            return _told(database, found, organization_id)
        try:
            return _told(database, await hold_series(database, asked), organization_id)
        except calls.Stale:
            continue
    raise busy()


async def _decided(
    database: Database, viewer: Viewer, command: Command, request: SeriesRequest, now: datetime, taxes: TaxProvider
) -> HoldSeries:
    """What to ask the ledger for, by the rules as they are now: a series is rare, and worth the statement."""
    resource = request.wish.resource
    facts = await load_facts(database, [resource])
    found = visible(viewer, facts, resource, path=("input", "resourceId"))
    try:
        dates = occurrences(found, request.wish, now=now)
    except BookingError as error:
        error.path = ("input", *error.path)
        raise
    deciding = _Deciding(database, viewer, command, request, facts, now, new_id(), taxes)
    return HoldSeries(
        command=command,
        id=deciding.series_id,
        all_or_none=request.mode is SeriesMode.ALL,
        dates=tuple([await deciding.date(position, one) for position, one in enumerate(dates)]),
    )


@dataclass(frozen=True, slots=True)
class _Deciding:
    """What is the same for all dates of a series that is to be held."""

    database: Database
    viewer: Viewer
    command: Command
    request: SeriesRequest
    facts: Mapping[ResourceKey, ResourceFacts]
    now: datetime
    series_id: uuid.UUID
    taxes: TaxProvider

    async def date(self, position: int, one: Occurrence) -> SeriesDate:
        """What to ask the ledger for on this date, decided and priced as a hold of it alone; or why nothing."""
        if one.wish is None:
            return SeriesDate(one.day, None, refusals=_plain(one.refusals))
        command = replace(self.command, key=key_of_date(self.series_id, position))
        item = ItemRequest(self.request.wish.resource, one.wish)
        alone = HoldRequest(command.key, command.request_hash, (item,), self.request.contact, {})
        try:
            decision = decided(self.viewer, alone, self.facts, self.now)
            question = Question(self.viewer, decision.requests, [None], self.now, self.taxes)
            price = await price_of_hold(self.database, question, ANY_PRICE)
        except BookingError as error:
            return SeriesDate(one.day, one.interval, refusals=_plain(_refusals_of(error, command.organization_id)))
        acting = acting_in(self.viewer, command.organization_id)
        asked = asking(command, acting, alone, decision, price)
        (conditions,) = decision.conditions
        return SeriesDate(
            one.day,
            one.interval,
            replace(asked, series_id=self.series_id, series_position=position),
            words=_plain([_words(condition) for condition in conditions]),
        )


def _words(condition: Condition) -> Refusal:
    """What is told of a date that the condition refuses, now and when the call is repeated.

    Without the parameters, which have the number that only the ledger measures; the message has the limit.
    """
    return replace(condition.refuse(condition.max + 1), parameters={})


def _told(database: Database, record: SeriesRecord, organization_id: uuid.UUID) -> HeldSeries:
    """The outcome for the caller, each date counted as the hold that it is. Raises SeriesRefused if all was in vain."""
    outcomes = tuple(_outcome_of(answer, organization_id) for answer in record.answers)
    if record.id is not None and not record.is_new:
        database.observer.admitted("REPLAYED")
        return HeldSeries(record.id, outcomes)
    for one in outcomes:
        if one.booking is not None:
            database.observer.admitted("HELD")
        elif one.refusals:
            database.observer.admitted(one.refusals[0].code)
    if record.id is None:
        raise SeriesRefused(outcomes)
    return HeldSeries(record.id, outcomes)


def _outcome_of(answer: SeriesAnswer, organization_id: uuid.UUID) -> DateOutcome:
    refusals = [Refusal(**refusal) for refusal in answer.refusals]
    if answer.error is not None:
        refusals += _refusals_of(answer.error, organization_id)
    return DateOutcome(answer.day, answer.interval, tuple(refusals), answer.booking)


def _refusals_of(error: BookingError, organization_id: uuid.UUID) -> tuple[Refusal, ...]:
    """What refuses a hold, as what is told of a date."""
    match error:
        case Refused():
            return tuple(refusal for one in error.errors for refusal in _refusals_of(one, organization_id))
        case RuleViolation():
            return (Refusal(error.code, error.message, error.rule, error.parameters),)
        case SoldOut():
            resource = ResourceKey(organization_id, error.resource_id)
            return (Refusal(error.code, error.message, parameters={"vacancies": error.vacancies}, resource=resource),)
    return (Refusal(error.code, error.message),)


def _plain(refusals: Sequence[Refusal]) -> tuple[dict[str, object], ...]:
    """As JSON, to be remembered: of rules, which no one resource binds."""
    assert all(refusal.resource is None for refusal in refusals)
    return tuple(asdict(refusal) for refusal in refusals)
