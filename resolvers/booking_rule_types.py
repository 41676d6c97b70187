"""Query.bookingRuleTypes: what can be set."""

from engine.rules.registry import RULES
from resolvers.access import query
from schema.access import Access
from schema.booking_rule import BookingRuleType


@query(
    Access.PUBLIC,
    description="The kinds of rules that bookingRuleSet knows, by name, each with what its parameters may be.",
)
async def booking_rule_types() -> list[BookingRuleType]:
    """Of this server: all that are installed."""
    return [BookingRuleType.of(RULES[type_]) for type_ in sorted(RULES)]
