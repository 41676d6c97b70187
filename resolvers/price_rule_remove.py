"""priceRuleRemove."""

import strawberry

from resolvers.access import mutation
from resolvers.price_changes import PRICE_RULE, remove_or_try
from resolvers.price_inputs import PriceInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import PriceRulePayload


@strawberry.input(description="The price rule that is to decide nothing any more.")
class PriceRuleRemoveInput(PriceInput):
    """Which rule."""

    price_rule_id: strawberry.ID = strawberry.field(description="Which rule; NOT_FOUND if there is none any more.")


@mutation(
    Access.MANAGER,
    description=(
        "Remove a price rule for good: the next in rank of its kind decides then, if there is one that matches. What "
        "is quoted or held keeps its price."
    ),
)
async def price_rule_remove(info: Info, input: PriceRuleRemoveInput) -> PriceRulePayload:
    """Once per key."""
    return PriceRulePayload.of(*await remove_or_try(info, input, PRICE_RULE))
