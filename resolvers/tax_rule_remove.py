"""taxRuleRemove."""

import strawberry

from engine.price_settings import RemovePrice, plan, remove_price
from models.price import TaxRule as TaxRuleRow
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput, priced_samples, samples_of
from schema.access import Access
from schema.context import Info
from schema.global_id import GlobalKind, price_key
from schema.price_payload import TaxRulePayload
from schema.scalars import Long
from schema.tax import TaxRule


@strawberry.input(description="The tax that is not owed any more.")
class TaxRuleRemoveInput:
    """Which tax."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    tax_rule_id: strawberry.ID = strawberry.field(description="Which tax; NOT_FOUND if there is none any more.")
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


@mutation(
    Access.MANAGER,
    description=(
        "Remove a tax for good; the next in rank of its code decides then, if there is one. What is quoted or held "
        "keeps its taxes. INVALID_INPUT while another tax is on it."
    ),
)
async def tax_rule_remove(info: Info, input: TaxRuleRemoveInput) -> TaxRulePayload:
    """Once per key."""
    context = info.context
    samples = samples_of(input.samples)
    request = RemovePrice(
        model=TaxRuleRow,
        key=input.idempotency_key,
        request_hash=input_hash("taxRuleRemove", input),
        target=price_key(GlobalKind.TAX_RULE, input.tax_rule_id, ("input", "taxRuleId")),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        edit = await plan(context.database, context.viewer, request)
        return TaxRulePayload(samples=await priced_samples(context, edit, samples))
    return TaxRulePayload(tax_rule=TaxRule.of(await remove_price(context.database, context.viewer, request)))
