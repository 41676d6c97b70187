"""The price book of a resource, of what was stored."""

from collections.abc import Sequence

from engine.pricing import registry
from engine.pricing.book import PriceBook, SetPlan, SetPriceRule
from models.price import PriceRule, RatePlan
from models.resource import Resource


def price_book(resource: Resource, plans: Sequence[RatePlan], rules: Sequence[PriceRule]) -> PriceBook:
    """These plans and rules, as they decide over what this resource costs. What can not be read lets nothing be
    priced.
    """
    return PriceBook(
        plans=tuple(
            SetPlan(
                code=row.code,
                name=row.name,
                plan=registry.stored_plan(row.parameters),
                of_resource=row.resource_id is not None,
                priority=row.priority,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                age=row.id.int,
            )
            for row in plans
        ),
        rules=tuple(
            SetPriceRule(
                name=row.name,
                rule=registry.stored(row.type, row.parameters),
                of_resource=row.resource_id is not None,
                priority=row.priority,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                age=row.id.int,
            )
            for row in rules
        ),
        availability_type=resource.availability_type,
    )
