"""taxRuleRemove."""

import strawberry

from resolvers.access import mutation
from resolvers.price_changes import TAX_RULE, remove_or_try
from resolvers.price_inputs import PriceInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import TaxRulePayload


@strawberry.input(description="The tax that is not owed any more.")
class TaxRuleRemoveInput(PriceInput):
    """Which tax."""

    tax_rule_id: strawberry.ID = strawberry.field(description="Which tax; NOT_FOUND if there is none any more.")


@mutation(
    Access.MANAGER,
    description=(
        "Remove a tax for good; the next in rank of its code decides then, if there is one. What is quoted or held "
        "keeps its taxes. INVALID_INPUT while another tax is on it."
    ),
)
async def tax_rule_remove(info: Info, input: TaxRuleRemoveInput) -> TaxRulePayload:
    """Once per key."""
    return TaxRulePayload.of(*await remove_or_try(info, input, TAX_RULE))
