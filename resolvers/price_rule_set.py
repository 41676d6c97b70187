"""priceRuleSet."""

import strawberry
from strawberry.scalars import JSON

from resolvers.access import mutation
from resolvers.price_changes import PRICE_RULE, set_or_try
from resolvers.price_inputs import PRIORITY, PriceSetInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import PriceRulePayload


@strawberry.input(
    description=(
        "The price rule to change, or what a new one is of: exactly one of priceRuleId, venueId and resourceId; else "
        "INVALID_INPUT. Of a rule that is changed, what is left out stays."
    )
)
class PriceRuleSetInput(PriceSetInput):
    """Which rule, and how it moves prices."""

    price_rule_id: strawberry.ID | None = strawberry.field(
        default=None, description="The rule to change; NOT_FOUND if there is none, or none any more."
    )
    type: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its kind, of priceRuleTypes; else INVALID_INPUT. A new rule needs one; it does not change.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="As guests read it: 1 to 100 characters. A new rule needs one."
    )
    parameters: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All of its parameters, as parametersSchema of its kind has them; a new rule needs them. INVALID_INPUT, "
            "with the path of the first that does not fit. Amounts are whole minor units, percentages decimal text."
        ),
    )
    priority: int | None = strawberry.field(
        default=strawberry.UNSET, description=PRIORITY + " Of those that match the highest decides."
    )


@mutation(
    Access.MANAGER,
    description=(
        "Make or change a price rule of a venue or a resource; at most 100 of each. It has its say on what is charged "
        "for its days, in quotes and holds from then on: what is quoted or held already keeps its price. Of one kind "
        "one rule decides on each day: of those that match, the resource's own, then the higher priority, then the "
        "younger."
    ),
)
async def price_rule_set(info: Info, input: PriceRuleSetInput) -> PriceRulePayload:
    """Once per key."""
    return PriceRulePayload.of(*await set_or_try(info, input, PRICE_RULE))
