"""cancellationPolicySet."""

import strawberry
from strawberry.scalars import JSON

from resolvers.access import mutation
from resolvers.price_changes import CANCELLATION_POLICY, set_or_try
from resolvers.price_inputs import PRIORITY, PriceSetInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import CancellationPolicyPayload


@strawberry.input(
    description=(
        "The policy to change, or what a new one is of: exactly one of cancellationPolicyId, venueId and resourceId; "
        "else INVALID_INPUT. Of a policy that is changed, what is left out stays."
    )
)
class CancellationPolicySetInput(PriceSetInput):
    """Which policy, and what comes back until when."""

    cancellation_policy_id: strawberry.ID | None = strawberry.field(
        default=None, description="The policy to change; NOT_FOUND if there is none, or none any more."
    )
    code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="1 to 40 of A to Z, 0 to 9, - and _; else INVALID_INPUT. A new one needs it; it does not change.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="As guests read it: 1 to 100 characters. A new policy needs one."
    )
    parameters: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All of its steps and what is due when, as Query.cancellationPolicySchema has it; a new policy needs it. "
            "INVALID_INPUT, with the path of the first that does not fit. Amounts are whole minor units, percentages "
            "decimal text, times HH:MM of the venue's clocks."
        ),
    )
    priority: int | None = strawberry.field(
        default=strawberry.UNSET, description=PRIORITY + " Of one scope the highest decides."
    )


@mutation(
    Access.MANAGER,
    description=(
        "Make or change a cancellation policy of a venue or a resource; at most 100 of each. It holds for what begins "
        "on its days and is quoted or held from then on: what is quoted or held already keeps its terms."
    ),
)
async def cancellation_policy_set(info: Info, input: CancellationPolicySetInput) -> CancellationPolicyPayload:
    """Once per key."""
    return CancellationPolicyPayload.of(*await set_or_try(info, input, CANCELLATION_POLICY))
