"""taxRuleSet."""

from datetime import date

import strawberry
from strawberry.scalars import JSON

from resolvers.access import KEY_DESCRIPTION, mutation
from resolvers.price_answers import DRY_RUN, EXPECTED_VERSION, FROM, PRIORITY, SAMPLES, UNTIL, PriceSampleInput
from resolvers.price_changes import TAX_RULE, set_or_try
from schema.access import Access
from schema.context import Info
from schema.price_payload import TaxRulePayload
from schema.scalars import Long
from schema.tax import TaxRule


@strawberry.input(
    description=(
        "The tax to change, or what a new one is of: exactly one of taxRuleId, venueId and resourceId; else "
        "INVALID_INPUT. Of a tax that is changed, what is left out stays."
    )
)
class TaxRuleSetInput:
    """Which tax, and what it takes."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    tax_rule_id: strawberry.ID | None = strawberry.field(
        default=None, description="The tax to change; NOT_FOUND if there is none, or none any more."
    )
    venue_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a tax of all resources of this venue, those to come too; else NOT_FOUND."
    )
    resource_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a tax of this resource; NOT_FOUND if there is none."
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
    valid_from: date | None = strawberry.field(default=strawberry.UNSET, description=FROM)
    valid_until: date | None = strawberry.field(default=strawberry.UNSET, description=UNTIL)
    expected_version: Long | None = strawberry.field(
        default=None, description=EXPECTED_VERSION + " INVALID_INPUT with a new tax."
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    samples: list[PriceSampleInput] | None = strawberry.field(default=None, description=SAMPLES)


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
    row, samples = await set_or_try(info, input, TAX_RULE)
    return TaxRulePayload(tax_rule=None if row is None else TaxRule.of(row), samples=samples)
