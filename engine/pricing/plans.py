"""Rate plans: what a unit, a person or a booking costs before any rule changes it; their parameters, checked."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.money import Percent
from engine.pricing.parameters import Amount, Code, Label, PercentText, SignedAmount
from engine.rules.base import NIGHTLY
from engine.rules.guest_types import TYPE_PATTERN
from engine.rules.parameters import Age, Minutes, People, at_most, wrong
from engine.rules.parsing import Parameters

GUEST_PRICES_MAX = 20
FEES_MAX = 20


class Per(StrEnum):
    """What the amount of a plan is for."""

    UNIT = "UNIT"  # each unit of the item's quantity
    PERSON = "PERSON"  # each guest; where no guests were told, the quantity counts as so many
    BOOKING = "BOOKING"  # the item as a whole


class Every(StrEnum):
    """How often it is charged."""

    NIGHT = "NIGHT"
    MINUTES = "MINUTES"  # for each `minutes`; of the last a part that has begun counts whole
    ONCE = "ONCE"


class GuestPrice(Parameters):
    """What guests of a type or an age pay, where that is not the amount for all. Ages are whole years.

    A guest whose age was not told is of no age group.
    """

    name: Label = Field(description='As guests read it: "Child, 3 to 11".')
    type: str | None = Field(default=None, pattern=TYPE_PATTERN, description="Only guests of this type.")
    min_age: Age | None = Field(default=None, description="Only guests so old at least.")
    max_age: Age | None = Field(default=None, description="Only guests so old at most.")
    amount: Amount = Field(description="What each pays, in minor units.")

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if self.type is None and self.min_age is None and self.max_age is None:
            raise wrong("should have a type, minAge or maxAge")
        at_most(self.min_age, self.max_age, "minAge", "maxAge")
        return self

    def is_of(self, type_: str, age: int | None) -> bool:
        """Whether this is what such a guest pays."""
        if self.type is not None and self.type != type_:
            return False
        if self.min_age is None and self.max_age is None:
            return True
        return age is not None and (self.min_age or 0) <= age and (self.max_age is None or age <= self.max_age)


GuestPrices = Annotated[tuple[GuestPrice, ...], Field(max_length=GUEST_PRICES_MAX)]


class Fee(Parameters):
    """What comes on top whatever the price is, such as the cleaning: no rule moves it, and no derived plan."""

    name: Label = Field(description='As guests read it: "Cleaning".')
    amount: Amount = Field(description="What one costs, in minor units.")
    per: Per = Field(default=Per.BOOKING, description="Of what one costs that: the whole item, a unit, a person.")
    every: Literal[Every.NIGHT, Every.ONCE] = Field(
        default=Every.ONCE, description="ONCE; or, of a plan by the NIGHT, for each night."
    )


Fees = Annotated[tuple[Fee, ...], Field(max_length=FEES_MAX)]


class RatePlan(Parameters):
    """What is charged, in minor units of the venue's currency. Either a plan of its own or one derived from another.

    Of its own: `amount` for each unit, person, or the item (`per`), for each night, each so many minutes, or once
    (`every`). `guestPrices` say who pays another amount, of a plan per person; the first that fits a guest decides.
    `includedGuests` come with each unit (or with the item, if it is per booking); each one more pays `extraGuest`, or
    what `extraGuests` say of their type and age. Those who would pay most are the ones included, so that it makes no
    difference in which order guests are named. Rules move the price of a day no lower than `floor` and no higher than
    `ceiling`, in proportion to `amount`. An item costs `minimum` at least, and then come the `fees`.

    Derived: what the plan `derivedFrom` costs, its rules, floor and ceiling included, and more or less by `percent` of
    that, or by `change` for each that the other's amount is for; and the other's fees as they are.

    What a parameter means never changes, nor does the default of one that may be left out: it is not stored.
    """

    amount: Amount | None = Field(default=None, description="What one costs. Of a derived plan: none.")
    per: Per = Field(default=Per.UNIT, description="Of what one costs that: a unit, a person, the whole item.")
    every: Every = Field(default=Every.ONCE, description="For how long: a night, so many minutes, or all of it.")
    minutes: Minutes = Field(default=60, description="Of a plan by MINUTES: how many the amount is for.")
    guest_prices: GuestPrices = Field(default=(), description="Who pays something else, of a plan per PERSON.")
    included_guests: People | None = Field(
        default=None, description="So many guests come with each unit, or with the booking; none: all do."
    )
    extra_guest: Amount = Field(default=0, description="What one guest more pays, for each night or time, or once.")
    extra_guests: GuestPrices = Field(default=(), description="Which of those pay something else.")
    floor: Amount | None = Field(default=None, description="Rules do not bring the amount below this.")
    ceiling: Amount | None = Field(default=None, description="Nor above this.")
    minimum: Amount = Field(default=0, description="What an item costs at least, without fees.")
    fees: Fees = Field(default=(), description="What comes on top whatever the price is, at most 20.")
    derived_from: Code | None = Field(default=None, description="The code of the plan that this one is derived from.")
    percent: PercentText | None = Field(default=None, description='Of a derived plan: "-10" is a tenth less.')
    change: SignedAmount | None = Field(default=None, description="Of a derived plan: so much more or less for each.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.derived_from is None:
            self._check_own()
        else:
            self._check_derived()
        return self

    def _check_own(self) -> None:
        if self.amount is None:
            raise wrong("should have an amount, or a plan that it is derived from")
        if self.percent is not None or self.change is not None:
            raise wrong("percent and change are of a derived plan")
        if self.guest_prices and self.per is not Per.PERSON:
            raise wrong("guestPrices are of a plan per PERSON")
        if self.included_guests is None and (self.extra_guest or self.extra_guests):
            raise wrong("extra guests need includedGuests")
        if self.included_guests is not None and self.per is Per.PERSON:
            raise wrong("includedGuests are not of a plan per PERSON")
        if (self.floor is not None or self.ceiling is not None) and not self.amount:
            raise wrong("floor and ceiling need an amount above 0")
        at_most(self.floor, self.ceiling, "floor", "ceiling")
        if self.every is not Every.NIGHT and any(fee.every is Every.NIGHT for fee in self.fees):
            raise wrong("fees by the NIGHT are of a plan by the NIGHT")

    def _check_derived(self) -> None:
        if (self.percent is None) == (self.change is None):
            raise wrong("a derived plan should have percent or change")
        if self.percent is not None and self.percent < LEAST:
            raise wrong("percent should be -100 or more")
        more = self.model_fields_set - {"derived_from", "percent", "change", "minimum"}
        if any(getattr(self, name) != type(self).model_fields[name].default for name in more):
            raise wrong("a derived plan has no more than percent or change, and a minimum")

    def fits(self, availability_type: str) -> bool:
        """Whether what is sold in this way can have this price: nights by the night, and nothing else so."""
        if self.every is Every.ONCE:
            return True
        return (self.every is Every.NIGHT) == (availability_type == NIGHTLY)


LEAST = Percent.parse("-100")
