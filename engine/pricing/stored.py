"""The price book of a resource, of what was stored."""

from collections.abc import Sequence

from engine.pricing import registry
from engine.pricing.book import PriceBook, SetPlan, SetPriceRule
from engine.rules.placed import placement
from models.price import PriceRule, RatePlan
from models.resource import Resource


def price_book(resource: Resource, plans: Sequence[RatePlan], rules: Sequence[PriceRule]) -> PriceBook:
    """These plans and rules, as they decide over what this resource costs; one that can not be read lets nothing be
    priced.
    """
    return PriceBook(
        plans=tuple(
            SetPlan(code=row.code, name=row.name, plan=registry.stored_plan(row.parameters), **placement(row))
            for row in plans
        ),
        rules=tuple(
            SetPriceRule(name=row.name, rule=registry.stored(row.type, row.parameters), **placement(row))
            for row in rules
        ),
        availability_type=resource.availability_type,
    )
