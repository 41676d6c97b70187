"""priceRuleRemove."""

import strawberry

from resolvers.access import KEY_DESCRIPTION, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput
from resolvers.price_changes import PRICE_RULE, remove_or_try
from schema.access import Access
from schema.context import Info
from schema.price import PriceRule
from schema.price_payload import PriceRulePayload
from schema.scalars import Long


@strawberry.input(description="The price rule that is to decide nothing any more.")
class PriceRuleRemoveInput:
    """Which rule."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    price_rule_id: strawberry.ID = strawberry.field(description="Which rule; NOT_FOUND if there is none any more.")
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


@mutation(
    Access.MANAGER,
    description=(
        "Remove a price rule for good: the next in rank of its kind decides then, if there is one that matches. What "
        "is quoted or held keeps its price."
    ),
)
async def price_rule_remove(info: Info, input: PriceRuleRemoveInput) -> PriceRulePayload:
    """Once per key."""
    row, samples = await remove_or_try(info, input, PRICE_RULE)
    return PriceRulePayload(price_rule=None if row is None else PriceRule.of(row), samples=samples)
