"""priceRuleRemove."""

import strawberry

from engine.price_settings import RemovePrice, plan, remove_price
from models.price import PriceRule as PriceRuleRow
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput, priced_samples, samples_of
from schema.access import Access
from schema.context import Info
from schema.global_id import GlobalKind, price_key
from schema.price import PriceRule
from schema.price_payload import PriceRulePayload
from schema.scalars import Long


@strawberry.input(description="The price rule that is to decide nothing any more.")
class PriceRuleRemoveInput:
    """Which rule."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    price_rule_id: strawberry.ID = strawberry.field(description="Which rule; NOT_FOUND if there is none any more.")
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


@mutation(
    Access.MANAGER,
    description=(
        "Remove a price rule for good: the next in rank of its kind decides then, if there is one that matches. What "
        "is quoted or held keeps its price."
    ),
)
async def price_rule_remove(info: Info, input: PriceRuleRemoveInput) -> PriceRulePayload:
    """Once per key."""
    context = info.context
    samples = samples_of(input.samples)
    request = RemovePrice(
        model=PriceRuleRow,
        key=input.idempotency_key,
        request_hash=input_hash("priceRuleRemove", input),
        target=price_key(GlobalKind.PRICE_RULE, input.price_rule_id, ("input", "priceRuleId")),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        edit = await plan(context.database, context.viewer, request)
        return PriceRulePayload(samples=await priced_samples(context, edit, samples))
    return PriceRulePayload(price_rule=PriceRule.of(await remove_price(context.database, context.viewer, request)))
