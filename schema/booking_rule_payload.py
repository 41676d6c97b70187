"""What the mutations of rules answer: the rule, what would come of it, and who would not fit any more."""

from datetime import date

import strawberry
from strawberry.scalars import JSON

from engine import rule_preview
from engine.facts import ResourceFacts
from models.resource import BookingRule as BookingRuleRow
from schema.booking_rule import FROM, PARAMETERS, UNTIL, BookingRule
from schema.enums import BookingRuleScope
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.payload import Payload
from schema.refusal import Refusal
from schema.resource import Resource


@strawberry.type(description="A rule that decides, as a dry run has it.")
class DecidingRule:
    """One rule, which may not be there yet."""

    rule_id: strawberry.ID | None = strawberry.field(
        description="The rule's id. Null: it is the one that would be made."
    )
    type: str = strawberry.field(description="Its kind.")
    parameters: JSON = strawberry.field(description=PARAMETERS)
    scope: BookingRuleScope = strawberry.field(description="Whether it is of the resource, or of the whole venue.")
    priority: int = strawberry.field(description="Of several of one type and scope, the highest decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)

    @classmethod
    def of(cls, row: BookingRuleRow, new: BookingRuleRow | None) -> "DecidingRule":
        """The row, for clients; `new` is the one that would be made."""
        is_new = new is not None and row.id == new.id
        return cls(
            rule_id=None if is_new else encode(GlobalKind.BOOKING_RULE, row.organization_id, row.id),
            type=row.type,
            parameters=JSON(row.parameters),
            scope=BookingRuleScope.of(row),
            priority=row.priority,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )


@strawberry.type(description="The rules that decide over what begins on a day at one resource, highest priority first.")
class BookingRuleDecision:
    """Before the change and after."""

    facts: strawberry.Private[ResourceFacts]

    before: list[DecidingRule] = strawberry.field(description="As it is now.")
    after: list[DecidingRule] = strawberry.field(description="As it would be.")

    @field("The resource.")
    def resource(self) -> Resource:
        """Loaded with the preview."""
        return Resource.of_facts(self.facts)


@strawberry.type(description="What the sample request would be answered; empty: it could be booked.")
class BookingRuleSample:
    """Before the change and after."""

    before: list[Refusal] = strawberry.field(description="Every reason why it can not be booked now.")
    after: list[Refusal] = strawberry.field(description="Every reason why it could not be booked with the change.")

    @classmethod
    def of(cls, sample: rule_preview.Sample) -> "BookingRuleSample":
        """The engine's answer, for clients."""
        return cls(
            before=[Refusal.of(refusal) for refusal in sample.before],
            after=[Refusal.of(refusal) for refusal in sample.after],
        )


@strawberry.type(description="What a change would do. Nothing of it is done.")
class BookingRulePreview:
    """Of a dry run."""

    as_of: date = strawberry.field(description="The civil day, at the venue, that decisions is about.")
    resource_count: int = strawberry.field(description="How many resources the rule has a say on, or could have.")
    decisions: list[BookingRuleDecision] = strawberry.field(
        description="Of each of these resources the rules that decide on asOf, by slug; of at most 100."
    )
    sample: BookingRuleSample | None = strawberry.field(description="Null if no sample was given.")

    @classmethod
    def of(cls, preview: rule_preview.Preview, new: BookingRuleRow | None) -> "BookingRulePreview":
        """The engine's answer, for clients; `new` is the rule that would be made."""
        return cls(
            as_of=preview.day,
            resource_count=preview.resource_count,
            decisions=[
                BookingRuleDecision(
                    facts=decision.facts,
                    before=[DecidingRule.of(row, new) for row in decision.before],
                    after=[DecidingRule.of(row, new) for row in decision.after],
                )
                for decision in preview.decisions
            ],
            sample=None if preview.sample is None else BookingRuleSample.of(preview.sample),
        )


@strawberry.type(
    description=(
        "Bookings to come that the rules would not admit any more, because of this change: to tell their guests, or to "
        "leave them as they are. They stay as they were admitted: no rule ever cancels, shortens or moves a booking. "
        "Each is judged as of the time when it was booked, so that its notice has gone by meanwhile breaks no rule."
    )
)
class BookingRuleBreaks:
    """How many, and which."""

    count: int = strawberry.field(description="How many bookings, of those that were looked at.")
    references: list[str] = strawberry.field(description="Their references, earliest first, at most 20.")
    is_complete: bool = strawberry.field(
        description="Whether all bookings to come were looked at. False: their next 2,000 items were."
    )

    @classmethod
    def of(cls, breaks: rule_preview.Breaks) -> "BookingRuleBreaks":
        """The engine's answer, for clients."""
        return cls(count=breaks.count, references=list(breaks.references), is_complete=breaks.is_complete)


@strawberry.type(description="The rule, and what the change means for what is booked; or why nothing was done.")
class BookingRulePayload(Payload):
    """What was done, or of a dry run, what would be."""

    rule: BookingRule | None = strawberry.field(
        default=None, description="The rule as this call left it. Null in a dry run, and if there are errors."
    )
    breaks: BookingRuleBreaks | None = strawberry.field(
        default=None,
        description="What is booked and would not be admitted any more; as information. Null if there are errors.",
    )
    preview: BookingRulePreview | None = strawberry.field(
        default=None, description="What would be done. Null unless it is a dry run without errors."
    )
