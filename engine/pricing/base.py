"""What every price rule is made of: it has its say on some days, and moves the price of each."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.money import quotient
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.pricing.parameters import Amount, Code, PercentText, SignedAmount
from engine.pricing.plans import LEAST
from engine.rules.parameters import distinct, wrong
from engine.rules.parsing import Parameters

PLANS_MAX = 20

Codes = Annotated[tuple[Code, ...], Field(max_length=PLANS_MAX), AfterValidator(distinct)]


@dataclass(frozen=True, slots=True)
class Asked:
    """One day of one item: what price rules are asked about. `plans`: codes of its plan and that one's source."""

    request: PriceRequest
    facts: PriceFacts
    day: date
    plans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DaySum:
    """What a day costs so far, in minor units: `base` by the plan alone, `total` after the rules before.

    The plan's `amount` is charged for it `count` times, or other amounts in its place (of children, say).
    """

    amount: int
    count: int
    base: int
    total: int


class PriceRule(Parameters):
    """A price rule of one type: its fields are the parameters, checked when it is made and never changed after.

    `type` names the kind, `summary` says in words when it has its say, `step` is its place in the order in which kinds
    are asked, lower first. `plans`: only with these rate plans and what is derived from them; none: with all. On each
    day one rule of a type decides: of those that are valid then and match, the narrowest in scope, then the one of
    highest priority, then the youngest (engine/pricing/book.py).

    What a parameter means never changes, nor does the default of one that may be left out: it is not stored.
    """

    type: ClassVar[str]
    summary: ClassVar[str]
    step: ClassVar[int]
    example: ClassVar[Mapping[str, object]]
    asks_occupancy: ClassVar[bool] = False
    """Whether it looks at how much is taken: that is read only where a rule needs it."""

    plans: Codes = Field(
        default=(), description="Only with the rate plans of these codes, and those derived from them."
    )

    @abstractmethod
    def matches(self, asked: Asked) -> bool:
        """Whether it has its say on this day. Pure: asks nothing else, changes nothing."""

    @abstractmethod
    def change(self, day: DaySum) -> int:
        """By how many minor units it moves what the day costs so far; rounded once, here."""


class Adjusting(PriceRule):
    """A rule that moves prices in one of three ways; all of ours do."""

    percent: PercentText | None = Field(
        default=None, description='Of what the day costs so far: "-10" is a tenth less.'
    )
    amount: SignedAmount | None = Field(
        default=None, description="So much more or less for each that the plan's is for."
    )
    price: Amount | None = Field(
        default=None, description="The plan's amount becomes this; what children and extra guests pay, in proportion."
    )

    @model_validator(mode="after")
    def _moves_in_one_way(self) -> Self:
        if sum(one is not None for one in (self.percent, self.amount, self.price)) != 1:
            raise wrong("should have exactly one of percent, amount and price")
        if self.percent is not None and self.percent < LEAST:
            raise wrong("percent should be -100 or more")
        return self

    def change(self, day: DaySum) -> int:
        if self.percent is not None:
            return self.percent.whole_of(day.total)
        if self.amount is not None:
            return self.amount * day.count
        assert self.price is not None, "one of the three is there"
        if not day.amount:
            return self.price * day.count
        return quotient(day.base * self.price, day.amount) - day.base
