"""Query.taxRuleTypes and Query.cancellationPolicySchema: what can be set."""

from strawberry.scalars import JSON

from engine.cancellation.policy import Policy
from engine.taxes.registry import TAXES
from resolvers.access import query
from schema.access import Access
from schema.tax import TaxRuleType


@query(Access.PUBLIC, description="The kinds of taxes that taxRuleSet knows, each with what its parameters may be.")
async def tax_rule_types() -> list[TaxRuleType]:
    """All there are."""
    return [TaxRuleType.of(kind) for kind in TAXES.values()]


@query(
    Access.PUBLIC,
    description="What the parameters of a cancellation policy must be, as a JSON Schema (draft 2020-12).",
)
async def cancellation_policy_schema() -> JSON:
    """The same for all."""
    return JSON(Policy.model_json_schema())
