"""Which rate plan and which price rules of a resource decide over a day: by scope, priority and when they are valid."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby

from engine.pricing.base import Asked, PriceRule
from engine.pricing.plans import RatePlan
from engine.rules.placed import Placed
from models.errors import NotPriced


@dataclass(frozen=True, slots=True)
class SetPlan(Placed):
    """A rate plan as it was set; its code is what it is chosen by, its name what guests read."""

    code: str
    name: str
    plan: RatePlan


@dataclass(frozen=True, slots=True)
class SetPriceRule(Placed):
    """A price rule as it was set; its name is what guests read."""

    name: str
    rule: PriceRule


@dataclass(frozen=True)
class PriceBook:
    """The rate plans and price rules of one resource and of its venue, sorted out once.

    Of one code one plan decides: of those that are valid on the day on which the request begins, the resource's own,
    then the one of the higher priority, then the younger. On each day that is charged, one rule of each type decides:
    of those that are valid on that day and match, by the same order.
    """

    plans: Sequence[SetPlan] = ()
    rules: Sequence[SetPriceRule] = ()
    availability_type: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing here has a price."""
        return not self._plans

    @cached_property
    def asks_occupancy(self) -> bool:
        """Whether a price depends on how much is taken, which has to be read then."""
        return any(found.rule.asks_occupancy for found in self.rules)

    def plans_on(self, day: date) -> list[SetPlan]:
        """The plans that what begins on this day can be had by, the one that holds if none is named first.

        That is the one of the highest priority; of equal ones one of its own before those derived, then the first code.
        """
        deciding = {found.code: found for found in self._plans if found.is_valid_on(day)}
        return sorted(
            deciding.values(), key=lambda found: (-found.priority, found.plan.derived_from is not None, found.code)
        )

    def source_of(self, plan: SetPlan, day: date) -> SetPlan:
        """The plan that it is derived from, or itself. Raises NotPriced where that is none of its own, or none now."""
        code = plan.plan.derived_from
        if code is None:
            return plan
        found = next((one for one in self.plans_on(day) if one.code == code), None)
        if found is None or found.plan.derived_from is not None:
            raise NotPriced(f"The rate plan {plan.code} is derived from {code}, which has no price of its own now.")
        return found

    def rules_for(self, asked: Asked) -> Iterator[SetPriceRule]:
        """The rules that decide over this day of the request, in the order in which they are asked."""
        for same_type in self._rules:
            for found in same_type:
                plans = found.rule.plans
                if plans and not any(code in plans for code in asked.plans):
                    continue
                if found.is_valid_on(asked.day) and found.rule.matches(asked):
                    yield found
                    break

    @cached_property
    def _plans(self) -> tuple[SetPlan, ...]:
        """Of several of a code the one that decides last."""
        fitting = (found for found in self.plans if found.plan.fits(self.availability_type))
        return tuple(sorted(fitting, key=lambda found: found.rank))

    @cached_property
    def _rules(self) -> tuple[tuple[SetPriceRule, ...], ...]:
        """By type in the order of their steps, and of each type the one that decides first."""
        by_rank = sorted(self.rules, key=lambda found: found.rank, reverse=True)
        by_type = sorted(by_rank, key=_place)
        return tuple(tuple(same) for _, same in groupby(by_type, key=_place))


def _place(found: SetPriceRule) -> tuple[int, str]:
    return found.rule.step, found.rule.type
