"""ratePlanSet."""

import strawberry
from strawberry.scalars import JSON

from resolvers.access import mutation
from resolvers.price_changes import RATE_PLAN, set_or_try
from resolvers.price_inputs import PRIORITY, PriceSetInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import RatePlanPayload


@strawberry.input(
    description=(
        "The rate plan to change, or what a new one is of: exactly one of ratePlanId, venueId and resourceId; else "
        "INVALID_INPUT. Of a plan that is changed, what is left out stays."
    )
)
class RatePlanSetInput(PriceSetInput):
    """Which plan, and what it charges."""

    rate_plan_id: strawberry.ID | None = strawberry.field(
        default=None, description="The plan to change; NOT_FOUND if there is none, or none any more."
    )
    code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="1 to 40 of A to Z, 0 to 9, - and _; else INVALID_INPUT. A new plan needs one; it does not change.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="As guests read it: 1 to 100 characters. A new plan needs one."
    )
    parameters: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All that it charges, as Query.ratePlanSchema has it; a new plan needs it. INVALID_INPUT, with the path of "
            "the first that does not fit. Amounts are whole minor units, percentages decimal text: no fractions."
        ),
    )
    priority: int | None = strawberry.field(
        default=strawberry.UNSET, description=PRIORITY + " The highest holds where a guest names none."
    )


@mutation(
    Access.MANAGER,
    description=(
        "Make or change a rate plan of a venue or a resource; at most 100 of each. It counts for what begins on its "
        "days, and for quotes and holds from then on: what is quoted or held already keeps its price. Of one code, the "
        "resource's own goes before the venue's, then the higher priority, then the younger."
    ),
)
async def rate_plan_set(info: Info, input: RatePlanSetInput) -> RatePlanPayload:
    """Once per key."""
    return RatePlanPayload.of(*await set_or_try(info, input, RATE_PLAN))
