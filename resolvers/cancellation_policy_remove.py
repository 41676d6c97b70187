"""cancellationPolicyRemove."""

import strawberry

from engine.price_settings import RemovePrice, plan, remove_price
from models.price import CancellationPolicy as CancellationPolicyRow
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput, priced_samples, samples_of
from schema.access import Access
from schema.cancellation import CancellationPolicy
from schema.context import Info
from schema.global_id import GlobalKind, price_key
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
    context = info.context
    samples = samples_of(input.samples)
    path = ("input", "cancellationPolicyId")
    request = RemovePrice(
        model=CancellationPolicyRow,
        key=input.idempotency_key,
        request_hash=input_hash("cancellationPolicyRemove", input),
        target=price_key(GlobalKind.CANCELLATION_POLICY, input.cancellation_policy_id, path),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        edit = await plan(context.database, context.viewer, request)
        return CancellationPolicyPayload(samples=await priced_samples(context, edit, samples))
    row = await remove_price(context.database, context.viewer, request)
    return CancellationPolicyPayload(cancellation_policy=CancellationPolicy.of(row))
