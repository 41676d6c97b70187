"""ratePlanRemove."""

import strawberry

from engine.price_settings import RemovePrice, plan, remove_price
from models.price import RatePlan as RatePlanRow
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput, priced_samples, samples_of
from schema.access import Access
from schema.context import Info
from schema.global_id import GlobalKind, price_key
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
    context = info.context
    samples = samples_of(input.samples)
    request = RemovePrice(
        model=RatePlanRow,
        key=input.idempotency_key,
        request_hash=input_hash("ratePlanRemove", input),
        target=price_key(GlobalKind.RATE_PLAN, input.rate_plan_id, ("input", "ratePlanId")),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        edit = await plan(context.database, context.viewer, request)
        return RatePlanPayload(samples=await priced_samples(context, edit, samples))
    return RatePlanPayload(rate_plan=RatePlan.of(await remove_price(context.database, context.viewer, request)))
