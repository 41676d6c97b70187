"""cancellationPolicyRemove."""

import strawberry

from resolvers.access import KEY_DESCRIPTION, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput
from resolvers.price_changes import CANCELLATION_POLICY, remove_or_try
from schema.access import Access
from schema.cancellation import CancellationPolicy
from schema.context import Info
from schema.price_payload import CancellationPolicyPayload
from schema.scalars import Long


@strawberry.input(description="The policy that is not offered any more.")
class CancellationPolicyRemoveInput:
    """Which policy."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    cancellation_policy_id: strawberry.ID = strawberry.field(
        description="Which policy; NOT_FOUND if there is none any more."
    )
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


@mutation(
    Access.MANAGER,
    description=(
        "Remove a cancellation policy for good; the next in rank decides then. Without any, all comes back until the "
        "start. What is quoted or held keeps its terms."
    ),
)
async def cancellation_policy_remove(info: Info, input: CancellationPolicyRemoveInput) -> CancellationPolicyPayload:
    """Once per key."""
    row, samples = await remove_or_try(info, input, CANCELLATION_POLICY)
    return CancellationPolicyPayload(
        cancellation_policy=None if row is None else CancellationPolicy.of(row), samples=samples
    )
