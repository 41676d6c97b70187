"""ratePlanSet."""

from datetime import date

import strawberry
from strawberry.scalars import JSON

from resolvers.access import KEY_DESCRIPTION, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, FROM, PRIORITY, SAMPLES, UNTIL, PriceSampleInput
from resolvers.price_changes import RATE_PLAN, set_or_try
from schema.access import Access
from schema.context import Info
from schema.price import RatePlan
from schema.price_payload import RatePlanPayload
from schema.scalars import Long


@strawberry.input(
    description=(
        "The rate plan to change, or what a new one is of: exactly one of ratePlanId, venueId and resourceId; else "
        "INVALID_INPUT. Of a plan that is changed, what is left out stays."
    )
)
class RatePlanSetInput:
    """Which plan, and what it charges."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    rate_plan_id: strawberry.ID | None = strawberry.field(
        default=None, description="The plan to change; NOT_FOUND if there is none, or none any more."
    )
    venue_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a plan for all resources of this venue, those to come too; else NOT_FOUND."
    )
    resource_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a plan for this resource; NOT_FOUND if there is none."
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
    valid_from: date | None = strawberry.field(default=strawberry.UNSET, description=FROM)
    valid_until: date | None = strawberry.field(default=strawberry.UNSET, description=UNTIL)
    expected_version: Long | None = strawberry.field(
        default=None, description=EXPECTED_VERSION + " INVALID_INPUT with a new plan."
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


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
    row, samples = await set_or_try(info, input, RATE_PLAN)
    return RatePlanPayload(rate_plan=None if row is None else RatePlan.of(row), samples=samples)
