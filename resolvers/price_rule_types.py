"""Query.priceRuleTypes and Query.ratePlanSchema: what can be set."""

from strawberry.scalars import JSON

from engine.pricing.plans import RatePlan
from engine.pricing.registry import PRICE_RULES
from resolvers.access import query
from schema.access import Access
from schema.price import PriceRuleType


@query(
    Access.PUBLIC,
    description=(
        "The kinds of price rules that priceRuleSet knows, in the order in which they are asked, each with what its "
        "parameters may be. A later one moves what those before have made."
    ),
)
async def price_rule_types() -> list[PriceRuleType]:
    """Of this server: all that are installed."""
    return [PriceRuleType.of(rule) for rule in PRICE_RULES.values()]


@query(
    Access.PUBLIC,
    description="What the parameters of a rate plan must be, as a JSON Schema (draft 2020-12).",
)
async def rate_plan_schema() -> JSON:
    """The same for all."""
    return JSON(RatePlan.model_json_schema())
