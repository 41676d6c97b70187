"""bookingRuleRemove."""

from datetime import date

import strawberry

from engine.booking_rules import RemoveBookingRule, plan, remove_rule
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.booking_hold import BookingItemInput
from resolvers.booking_rule_answers import AS_OF, DRY_RUN, EXPECTED_VERSION, SAMPLE, done, planned, question_of
from schema.access import Access
from schema.booking_rule_payload import BookingRulePayload
from schema.context import Info
from schema.global_id import rule_key
from schema.scalars import Long


@strawberry.input(description="The rule that is to decide nothing any more.")
class BookingRuleRemoveInput:
    """Which rule."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    rule_id: strawberry.ID = strawberry.field(description="Which rule; NOT_FOUND if there is none, or none any more.")
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    as_of: date | None = strawberry.field(default=None, description=AS_OF)
    sample: BookingItemInput | None = strawberry.field(default=None, description=SAMPLE)


@mutation(
    Access.MANAGER,
    description=(
        "Remove a rule for good: the next in rank of its type decides then, if there is one. Its history stays, and "
        "staff find it by its id. Without any SESSION_TIMES nothing of a START_TIME resource can be booked."
    ),
)
async def booking_rule_remove(info: Info, input: BookingRuleRemoveInput) -> BookingRulePayload:
    """Once per key."""
    context = info.context
    question = question_of(input.as_of, input.sample)
    request = RemoveBookingRule(
        key=input.idempotency_key,
        request_hash=input_hash("bookingRuleRemove", input),
        target=rule_key(input.rule_id, ("input", "ruleId")),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        return await planned(context, await plan(context.database, context.viewer, request), question)
    return await done(context, await remove_rule(context.database, context.viewer, request))
