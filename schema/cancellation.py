"""Cancellation policies that are set, and terms as they are agreed on, as clients see them."""

from datetime import date, datetime

import strawberry
from strawberry.scalars import JSON

from engine.cancellation.payments import Due
from engine.cancellation.refunds import refund, timeline
from engine.cancellation.terms import Terms
from models.keys import PriceKey
from models.price import CancellationPolicy as CancellationPolicyRow
from schema.connections import After, First
from schema.context import Info
from schema.enums import BookingRuleScope
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.money import Money
from schema.node import Node
from schema.price import FROM, PARAMETERS, SCOPE, UNTIL, VERSION, PriceChangeConnection, history_of, placed
from schema.scalars import Long


@strawberry.type(
    description=(
        "What comes back until when, and what is to be paid when. Over what begins on a day and is priced by a rate "
        "plan one policy decides: of those that are valid, one that names the plan before one that names none, then "
        "the resource's own before the venue's, then the higher priority, then the younger."
    )
)
class CancellationPolicy(Node):
    """One policy."""

    key: strawberry.Private[PriceKey]

    id: strawberry.ID = strawberry.field(description="For cancellationPolicySet and cancellationPolicyRemove.")
    code: str = strawberry.field(description="Its short name: FLEXIBLE. Never changes.")
    name: str = strawberry.field(description="As guests read it.")
    parameters: JSON = strawberry.field(description="As Query.cancellationPolicySchema has them. " + PARAMETERS)
    scope: BookingRuleScope = strawberry.field(description=SCOPE)
    priority: int = strawberry.field(description="Of several of one scope, the highest decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)
    version: Long = strawberry.field(description=VERSION)

    @classmethod
    def of(cls, row: CancellationPolicyRow) -> "CancellationPolicy":
        """The row, for clients."""
        return cls(
            key=PriceKey(row.organization_id, row.id),
            id=encode(GlobalKind.CANCELLATION_POLICY, row.organization_id, row.id),
            code=row.code,
            name=row.name,
            **placed(row),
        )

    @field("Who changed what, append-only, oldest first. For the organization's staff; null for others.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> PriceChangeConnection | None:
        """A page of it."""
        return await history_of(info, self.key, first, after)


@strawberry.type(description="Until an instant so much comes back.")
class CancellationStep:
    """One step."""

    until: datetime = strawberry.field(description="The first instant at which it is too late for this.")
    refund: Money = strawberry.field(description="What comes back before it, of all that is paid with the booking.")


@strawberry.type(
    description=(
        "What comes back when a booking is cancelled, as it was promised when it was booked; later changes of a policy "
        "do not matter. After the last step nothing does, and never from the start on. What is paid at the venue is "
        "not in it."
    )
)
class CancellationTerms:
    """From the first deadline to the last."""

    steps: list[CancellationStep] = strawberry.field(description="In order of time; none: nothing ever comes back.")
    refund_now: Money | None = strawberry.field(
        description=(
            "What comes back of all that is paid with the booking, if it is cancelled now; of a booking that was "
            "cancelled, what came back."
        )
    )

    @classmethod
    def of(cls, terms: Terms, now: datetime) -> "CancellationTerms":
        """What still may come back."""
        steps = [
            CancellationStep(until=step.until, refund=Money.of(step.amount, terms.currency))
            for step in timeline(terms, now)
        ]
        return cls(steps=steps, refund_now=Money.of(refund(terms, now), terms.currency))

    @classmethod
    def done(cls, terms: Terms, cancelled_at: datetime) -> "CancellationTerms":
        """What has come back."""
        return cls(steps=[], refund_now=Money.of(refund(terms, cancelled_at), terms.currency))


@strawberry.type(description="So much is to be paid by an instant.")
class PaymentDue:
    """One payment."""

    by: datetime = strawberry.field(description="Until when.")
    amount: Money = strawberry.field(description="How much.")

    @classmethod
    def of(cls, due: Due, currency: str) -> "PaymentDue":
        """The engine's, for clients."""
        return cls(by=due.at, amount=Money.of(due.amount, currency))
