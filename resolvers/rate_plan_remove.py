"""ratePlanRemove."""

import strawberry

from resolvers.access import mutation
from resolvers.price_changes import RATE_PLAN, remove_or_try
from resolvers.price_inputs import PriceInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import RatePlanPayload


@strawberry.input(description="The rate plan that is not to be had any more.")
class RatePlanRemoveInput(PriceInput):
    """Which plan."""

    rate_plan_id: strawberry.ID = strawberry.field(description="Which plan; NOT_FOUND if there is none any more.")


@mutation(
    Access.MANAGER,
    description=(
        "Remove a rate plan for good. What is quoted or held keeps its price. Without any rate plan a resource has no "
        "price, and is booked for nothing; what is derived from the plan can not be priced (PRICE_UNAVAILABLE)."
    ),
)
async def rate_plan_remove(info: Info, input: RatePlanRemoveInput) -> RatePlanPayload:
    """Once per key."""
    return RatePlanPayload.of(*await remove_or_try(info, input, RATE_PLAN))
