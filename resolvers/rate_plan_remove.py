"""ratePlanRemove."""

import strawberry

from resolvers.access import KEY_DESCRIPTION, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput
from resolvers.price_changes import RATE_PLAN, remove_or_try
from schema.access import Access
from schema.context import Info
from schema.price import RatePlan
from schema.price_payload import RatePlanPayload
from schema.scalars import Long


@strawberry.input(description="The rate plan that is not to be had any more.")
class RatePlanRemoveInput:
    """Which plan."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    rate_plan_id: strawberry.ID = strawberry.field(description="Which plan; NOT_FOUND if there is none any more.")
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


@mutation(
    Access.MANAGER,
    description=(
        "Remove a rate plan for good. What is quoted or held keeps its price. Without any rate plan a resource has no "
        "price, and is booked for nothing; what is derived from the plan can not be priced (PRICE_UNAVAILABLE)."
    ),
)
async def rate_plan_remove(info: Info, input: RatePlanRemoveInput) -> RatePlanPayload:
    """Once per key."""
    row, samples = await remove_or_try(info, input, RATE_PLAN)
    return RatePlanPayload(rate_plan=None if row is None else RatePlan.of(row), samples=samples)
