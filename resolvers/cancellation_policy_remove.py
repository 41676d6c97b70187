"""cancellationPolicyRemove."""

import strawberry

from resolvers.access import mutation
from resolvers.price_changes import CANCELLATION_POLICY, remove_or_try
from resolvers.price_inputs import PriceInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import CancellationPolicyPayload


@strawberry.input(description="The policy that is not offered any more.")
class CancellationPolicyRemoveInput(PriceInput):
    """Which policy."""

    cancellation_policy_id: strawberry.ID = strawberry.field(
        description="Which policy; NOT_FOUND if there is none any more."
    )


@mutation(
    Access.MANAGER,
    description=(
        "Remove a cancellation policy for good; the next in rank decides then. Without any, all comes back until the "
        "start. What is quoted or held keeps its terms."
    ),
)
async def cancellation_policy_remove(info: Info, input: CancellationPolicyRemoveInput) -> CancellationPolicyPayload:
    """Once per key."""
    return CancellationPolicyPayload.of(*await remove_or_try(info, input, CANCELLATION_POLICY))
