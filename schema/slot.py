"""Times and days that are offered."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import strawberry

from engine.asked_prices import AskedPrices
from engine.availability import SlotAnswer
from engine.bookings import partner_in
from engine.calendar import DayAnswer
from engine.costs import Cost
from models.civil import local_text
from schema.context import Info
from schema.enums import AvailabilityStatus
from schema.fields import field
from schema.money import Money
from schema.refusal import Refusal


@strawberry.type(description="A time that is offered, half-open [startsAt, endsAt), and what is left over all of it.")
class Slot:
    """One bookable time, or why it is not."""

    starts_at: datetime = strawberry.field(description="First instant.")
    ends_at: datetime = strawberry.field(description="First instant after it.")
    local_start: str = strawberry.field(
        description='startsAt as the venue\'s clocks show it, ISO 8601 with the offset: "2026-11-22T18:00:00+01:00".'
    )
    local_end: str = strawberry.field(description="endsAt as the venue's clocks show it.")
    capacity: int = strawberry.field(description="Units there are; where that changes, the fewest.")
    vacancies: int = strawberry.field(
        description=(
            "Units left over the whole time: capacity minus the peak of what is taken, after requirements and choices."
        )
    )
    status: AvailabilityStatus = strawberry.field(description="The same in one word.")
    bookable: bool = strawberry.field(
        description="Whether the asked quantity can be booked now. True exactly when refusals is empty."
    )
    refusals: list[Refusal] = strawberry.field(description="Every reason why not.")
    prices: strawberry.Private[AskedPrices | None]

    @classmethod
    def of(cls, answer: SlotAnswer, zone: ZoneInfo) -> "Slot":
        """The engine's answer, for clients."""
        return cls(
            prices=answer.prices,
            starts_at=answer.interval.starts_at,
            ends_at=answer.interval.ends_at,
            local_start=local_text(answer.interval.starts_at, zone),
            local_end=local_text(answer.interval.ends_at, zone),
            capacity=answer.capacity,
            vacancies=answer.vacancies,
            status=answer.status,
            bookable=answer.bookable,
            refusals=[Refusal.of(refusal) for refusal in answer.refusals],
        )

    @field(
        "What it costs in all, taxes included, asked for now: the total of a quote by the rate plan that holds. Null: "
        "it has no price, or one that can not be told."
    )
    def price(self, info: Info) -> Money | None:
        """Counted when asked for."""
        partner = _partner(info, self.prices)
        return _total(None if self.prices is None else self.prices.cost(partner))


@strawberry.type(
    description=(
        "A civil day in the venue's zone: the best of its slots, each as short as the rules allow. Of what is sold by "
        "the night: the shortest stay that may begin on it. So where stays have two nights or more, a day is bookable "
        "if two nights from it on are free."
    )
)
class CalendarDay:
    """One day."""

    day: date = strawberry.field(name="date", description="The day; of a stay, the day of arrival.")
    nights: int | None = strawberry.field(
        description=(
            "How many nights the shortest stay has that may begin on this day, by the rules on the length and the "
            "departure of stays; 1 if they allow none, with their refusals. Null unless NIGHTLY, and if nothing "
            "is offered."
        )
    )
    capacity: int = strawberry.field(description="Units there are at the day's best slot, or over all of the stay.")
    vacancies: int = strawberry.field(
        description="Units left at the day's best slot, bookable first, then most left; or over all of the stay."
    )
    status: AvailabilityStatus = strawberry.field(description="The same in one word; CLOSED if nothing is offered.")
    bookable: bool = strawberry.field(description="Whether the asked quantity can be booked at some time of the day.")
    refusals: list[Refusal] = strawberry.field(
        description="Why not, at the day's best slot or for the stay; empty if bookable."
    )
    prices: strawberry.Private[AskedPrices | None]

    @classmethod
    def of(cls, answer: DayAnswer) -> "CalendarDay":
        """The engine's answer, for clients."""
        return cls(
            prices=answer.prices,
            day=answer.date,
            nights=answer.nights,
            capacity=answer.capacity,
            vacancies=answer.vacancies,
            status=answer.status,
            bookable=answer.bookable,
            refusals=[Refusal.of(refusal) for refusal in answer.refusals],
        )

    @field(
        "The least that the day's best slot or the stay costs in all, taxes included, by any of its rate plans. Null: "
        "nothing is offered, or it has no price, or one that can not be told."
    )
    def price_from(self, info: Info) -> Money | None:
        """Counted when asked for."""
        partner = _partner(info, self.prices)
        return _total(None if self.prices is None else self.prices.cost_from(partner))


def _partner(info: Info, prices: AskedPrices | None) -> str | None:
    return None if prices is None else partner_in(info.context.viewer, prices.facts.key.organization_id)


def _total(cost: Cost | None) -> Money | None:
    return None if cost is None else Money.of(cost.total, cost.currency)
