"""A cancellation policy: its parameters, checked when it is set and never changed after."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.pricing.parameters import Code as PlanCode
from engine.rules.limits import HORIZON_DAYS_MAX
from engine.rules.parameters import DaysAhead, Nights, distinct, wrong
from engine.rules.parsing import Parameters
from engine.rules.weeks import ClockTime
from engine.taxes.parameters import MinorUnits, Rate

STEPS_MAX = 20
PLANS_MAX = 100
HOURS_MAX = HORIZON_DAYS_MAX * 24

Hours = Annotated[int, Field(strict=True, ge=0, le=HOURS_MAX)]
HoursAfter = Annotated[int, Field(strict=True, ge=1, le=HOURS_MAX)]


class Deadline(Parameters):
    """An instant before the start: so many civil days before, at a time of the venue's clocks; or so many hours."""

    days_before: DaysAhead | None = Field(default=None, description="So many civil days before the one of the start.")
    at: ClockTime | None = Field(
        default=None, description="At this time of the venue's clocks, HH:MM; with daysBefore. None: that of the start."
    )
    hours_before: Hours | None = Field(default=None, description="So many hours before the start, of 60 minutes.")

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        _check_one(self, "days_before", "hours_before")
        _check_at(self.at, self.days_before)
        return self


class Step(Parameters):
    """Until a deadline so much comes back: `refund` percent of the price, or all but a `fee` or the first `nights`."""

    days_before: DaysAhead | None = Field(default=None, description="Until so many civil days before the start.")
    at: ClockTime | None = Field(
        default=None, description="At this time of the venue's clocks, HH:MM; with daysBefore. None: that of the start."
    )
    hours_before: Hours | None = Field(default=None, description="Until so many hours before the start.")
    hours_after_booking: HoursAfter | None = Field(
        default=None, description="Until so many hours after it was booked, but not after the start."
    )
    refund: Rate | None = Field(default=None, description='So many percent of the price come back: "100" is all of it.')
    fee: MinorUnits | None = Field(default=None, description="All but so much of each item comes back, in minor units.")
    nights: Nights | None = Field(
        default=None, description="All but the first so many nights comes back; of what has no nights, nothing."
    )

    @model_validator(mode="after")
    def _says_when_and_what(self) -> Self:
        _check_one(self, "days_before", "hours_before", "hours_after_booking")
        _check_one(self, "refund", "fee", "nights")
        _check_at(self.at, self.days_before)
        return self


class Deposit(Parameters):
    """What is due with the booking; the balance is due later."""

    percent: Rate | None = Field(default=None, description="So many percent of the price.")
    amount: MinorUnits | None = Field(
        default=None, description="So much of each item, in minor units; at most its price."
    )
    nights: Nights | None = Field(
        default=None, description="The price of the first so many nights; of what has no nights, all of it."
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        _check_one(self, "percent", "amount", "nights")
        return self


class Policy(Parameters):
    """What comes back until when, and what is to be paid when.

    The first step whose deadline has not come decides; after the last one nothing comes back, and from the start on
    nothing either, whatever the steps say. Without steps nothing ever comes back. Without a deposit all is due with the
    booking. With one, the balance is due at `balance`, or where that is not given, at the venue.
    """

    example: ClassVar[Mapping[str, object]] = {
        "steps": [
            {"hoursAfterBooking": 24, "refund": "100"},
            {"daysBefore": 7, "at": "18:00", "refund": "100"},
            {"daysBefore": 2, "at": "18:00", "refund": "50"},
            {"hoursBefore": 0, "nights": 1},
        ],
        "deposit": {"percent": "30"},
        "balance": {"daysBefore": 14},
    }

    steps: Annotated[tuple[Step, ...], Field(max_length=STEPS_MAX)] = Field(
        default=(), description="From the first deadline to the last, at most 20."
    )
    plans: Annotated[tuple[PlanCode, ...], Field(max_length=PLANS_MAX), AfterValidator(distinct)] = Field(
        default=(), description="Only of what is priced by these rate plans, at most 100; none named: by any."
    )
    deposit: Deposit | None = Field(default=None, description="What is due with the booking. None: all of it.")
    balance: Deadline | None = Field(
        default=None, description="When the rest is due, with a deposit. None: at the venue."
    )

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.balance is not None and self.deposit is None:
            raise wrong("balance should come with a deposit")
        for one, other in _pairs(self.steps, "days_before"):
            is_same_day = one.days_before == other.days_before
            if one.days_before < other.days_before or (is_same_day and not (one.at and other.at and one.at < other.at)):
                raise wrong(_ORDER)
        for one, other in _pairs(self.steps, "hours_before"):
            if one.hours_before <= other.hours_before:
                raise wrong(_ORDER)
        for one, other in _pairs(self.steps, "hours_after_booking"):
            if one.hours_after_booking >= other.hours_after_booking:
                raise wrong(_ORDER)
        refunds = [step.refund.millionths for step in self.steps if step.refund is not None]
        if any(less < more for less, more in pairwise(refunds)):
            raise wrong("a later step should not give back more than an earlier one")
        return self


_ORDER = "steps should go from the first deadline to the last"


def _pairs(steps: tuple[Step, ...], name: str) -> Iterator[tuple[Any, Any]]:
    """Each step that has this field, and the next one that has it."""
    return pairwise(step for step in steps if getattr(step, name) is not None)


def _check_one(given: Parameters, *names: str) -> None:
    if sum(getattr(given, name) is not None for name in names) != 1:
        fields = type(given).model_fields
        raise wrong(f"should have one of {', '.join(str(fields[name].alias) for name in names)}")


def _check_at(at: str | None, days_before: int | None) -> None:
    if at is not None and days_before is None:
        raise wrong("at should come with daysBefore")
