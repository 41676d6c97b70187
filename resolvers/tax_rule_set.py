"""taxRuleSet."""

import strawberry
from strawberry.scalars import JSON

from resolvers.access import mutation
from resolvers.price_changes import TAX_RULE, set_or_try
from resolvers.price_inputs import PRIORITY, PriceSetInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import TaxRulePayload


@strawberry.input(
    description=(
        "The tax to change, or what a new one is of: exactly one of taxRuleId, venueId and resourceId; else "
        "INVALID_INPUT. Of a tax that is changed, what is left out stays."
    )
)
class TaxRuleSetInput(PriceSetInput):
    """Which tax, and what it takes."""

    tax_rule_id: strawberry.ID | None = strawberry.field(
        default=None, description="The tax to change; NOT_FOUND if there is none, or none any more."
    )
    type: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its kind, of taxRuleTypes; else INVALID_INPUT. A new tax needs one; it does not change.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="As guests read it: 1 to 100 characters. A new tax needs one."
    )
    parameters: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All of its parameters, as parametersSchema of its kind has them; a new tax needs them. INVALID_INPUT, "
            "with the path of the first that does not fit, and for taxes that could not be counted together: on one "
            "another in a circle, on one that is not there, an included one on one that is not. Amounts are whole "
            "minor units, percentages decimal text."
        ),
    )
    priority: int | None = strawberry.field(
        default=strawberry.UNSET, description=PRIORITY + " Of one code and scope the highest decides."
    )


@mutation(
    Access.MANAGER,
    description=(
        "Make or change a tax of a venue or a resource; at most 100 of each. It is owed for the civil days on which it "
        "is valid, in quotes and holds from then on: what is quoted or held already keeps its taxes. What has to be "
        "taxed, and how, is the venue's to know."
    ),
)
async def tax_rule_set(info: Info, input: TaxRuleSetInput) -> TaxRulePayload:
    """Once per key."""
    return TaxRulePayload.of(*await set_or_try(info, input, TAX_RULE))
