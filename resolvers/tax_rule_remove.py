"""taxRuleRemove."""

import strawberry

from resolvers.access import KEY_DESCRIPTION, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, SAMPLES, PriceSampleInput
from resolvers.price_changes import TAX_RULE, remove_or_try
from schema.access import Access
from schema.context import Info
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
    row, samples = await remove_or_try(info, input, TAX_RULE)
    return TaxRulePayload(tax_rule=None if row is None else TaxRule.of(row), samples=samples)
