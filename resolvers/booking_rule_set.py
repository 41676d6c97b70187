"""bookingRuleSet."""

from datetime import date
from typing import cast

import strawberry
from strawberry.scalars import JSON

from engine.booking_rules import SetBookingRule, plan, set_rule
from engine.rule_fields import RuleFields
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.booking_hold import BookingItemInput
from resolvers.booking_rule_answers import AS_OF, DRY_RUN, EXPECTED_VERSION, SAMPLE, done, planned, question_of
from resolvers.changes import changed
from resolvers.targets import exactly_one
from schema.access import Access
from schema.booking_rule_payload import BookingRulePayload
from schema.context import Info
from schema.global_id import resource_key, rule_key, venue_key
from schema.scalars import Long


@strawberry.input(
    description=(
        "The rule to change, or what a new one is of: exactly one of ruleId, venueId and resourceId; else "
        "INVALID_INPUT. Of a rule that is changed, what is left out stays."
    )
)
class BookingRuleSetInput:
    """Which rule, and what it says."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    rule_id: strawberry.ID | None = strawberry.field(
        default=None, description="The rule to change; NOT_FOUND if there is none, or none any more."
    )
    venue_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a rule for all resources of this venue, those to come too; else NOT_FOUND."
    )
    resource_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a rule for this resource; NOT_FOUND if there is none."
    )
    type: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Its kind, of bookingRuleTypes: a new rule needs one, and of another it does not change. INVALID_INPUT for "
            "one that has no say on this resource."
        ),
    )
    parameters: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "All of its parameters, as parametersSchema of its kind has them; a new rule needs them. INVALID_INPUT, "
            "with the path of the first that does not fit."
        ),
    )
    priority: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="From -1,000 to 1,000, else INVALID_INPUT; of a new rule 0 if not given. The highest decides.",
    )
    valid_from: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The first civil day, at the venue, of which it has a say on what begins. Null: no bound.",
    )
    valid_until: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The first civil day after; INVALID_INPUT unless later than validFrom. Null: no bound.",
    )
    expected_version: Long | None = strawberry.field(
        default=None, description=EXPECTED_VERSION + " INVALID_INPUT with a new rule."
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    as_of: date | None = strawberry.field(default=None, description=AS_OF)
    sample: BookingItemInput | None = strawberry.field(default=None, description=SAMPLE)


@mutation(
    Access.MANAGER,
    description=(
        "Make or change a rule of a venue or a resource; at most 200 of each. It has its say on every hold from then "
        "on, and never on what is held or booked already: `breaks` tells of that. Who watches the resources is told "
        "to look again. The hours, grid and sessions of resourceCreate and resourceUpdate are rules too, of priority 0 "
        "and always valid, and can be changed here. Setting what is set already changes nothing."
    ),
)
async def booking_rule_set(info: Info, input: BookingRuleSetInput) -> BookingRulePayload:
    """Once per key."""
    context = info.context
    question = question_of(input.as_of, input.sample)
    request = SetBookingRule(
        key=input.idempotency_key,
        request_hash=input_hash("bookingRuleSet", input),
        target=exactly_one(
            ("ruleId", input.rule_id, rule_key),
            ("venueId", input.venue_id, venue_key),
            ("resourceId", input.resource_id, resource_key),
        ),
        fields=_fields(input),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        return await planned(context, await plan(context.database, context.viewer, request), question)
    return await done(context, await set_rule(context.database, context.viewer, request))


def _fields(input: BookingRuleSetInput) -> RuleFields:
    return cast(
        "RuleFields",
        changed(input, replaced=("type", "parameters", "priority"), removable=("valid_from", "valid_until")),
    )
