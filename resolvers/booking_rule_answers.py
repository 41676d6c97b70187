"""What bookingRuleSet and bookingRuleRemove have in common: the question of a dry run, and the two answers."""

from datetime import date

from engine.booking_rules import Outcome
from engine.rule_changes import RuleChange
from engine.rule_preview import Question, breaks, preview
from resolvers.booking_hold import BookingItemInput
from schema.booking_rule import BookingRule
from schema.booking_rule_payload import BookingRuleBreaks, BookingRulePayload, BookingRulePreview
from schema.context import Context
from schema.global_id import resource_key
from schema.inputs import wish_of

DRY_RUN = "True: write nothing, not even the key, and answer with `preview`. The same call without it does it."
AS_OF = "For a dry run: the civil day on which it is told who decides. Not given: today, at the venue."
SAMPLE = (
    "For a dry run: a request, to see what it would be answered before and after. Of the resource that the rule is of, "
    "or one of its venue; else NOT_FOUND."
)
EXPECTED_VERSION = "The rule's version that was looked at: VERSION_CONFLICT if it has changed since."


def question_of(as_of: date | None, sample: BookingItemInput | None) -> Question:
    """What is asked of a dry run; checked whether it is one or not."""
    if sample is None:
        return Question(as_of)
    path = ("input", "sample")
    return Question(as_of, resource_key(sample.resource_id, (*path, "resourceId")), wish_of(sample, path))


async def planned(context: Context, change: RuleChange, question: Question) -> BookingRulePayload:
    """What would be done."""
    now = context.clock()
    found = await preview(context.database, change, question, load=context.loaders.timelines_anew, now=now)
    return BookingRulePayload(
        preview=BookingRulePreview.of(found, change.after if change.before is None else None),
        breaks=BookingRuleBreaks.of(await breaks(context.database, change, now=now)),
    )


async def done(context: Context, outcome: Outcome) -> BookingRulePayload:
    """What was done, and which bookings break it now."""
    return BookingRulePayload(
        rule=BookingRule.of(outcome.rule),
        breaks=BookingRuleBreaks.of(await breaks(context.database, outcome.change, now=context.clock())),
    )
