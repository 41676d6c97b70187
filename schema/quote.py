"""Quotes, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from engine.cancellation.payments import Due
from engine.costs import Cost
from engine.pricing.charges import Charge, folded
from engine.quote_rows import due_later_of, lines_of, taxes_of, terms_of
from models.keys import QuoteKey
from models.price import Quote as QuoteRow
from schema.cancellation import CancellationTerms, PaymentDue
from schema.context import Info
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.money import Money
from schema.node import Node
from schema.tax import TaxLine


@strawberry.type(
    description=(
        "One line of a price: what is charged, how often, and why. Days that say the same are one line. unitPrice × "
        "quantity is amount."
    )
)
class QuoteLine:
    """One line."""

    item: int = strawberry.field(description="Of which item of the request, from 0.")
    label: str = strawberry.field(description="As guests read it: the name of the rate plan, or of the rule.")
    kind: str = strawberry.field(
        description=(
            "What is counted: NIGHT, INTERVAL, BOOKING, PERSON, UNIT, EXTRA_GUEST, FEE. Or what changes those: "
            "ADJUSTMENT, FLOOR, CEILING, MINIMUM. Of a booking that was changed: CANCELLED, what was cancelled of an "
            "item, and KEPT, what is owed nevertheless of what was cancelled or changed. More may come."
        )
    )
    quantity: int = strawberry.field(description="How often; of a line that changes others, on how many days.")
    unit_price: Money = strawberry.field(description="Of one.")
    amount: Money = strawberry.field(description="What the line adds; negative where it takes off.")
    rule: str | None = strawberry.field(description="The kind of the price rule behind it; null: the rate plan.")

    @classmethod
    def of(cls, charge: Charge, currency: str) -> "QuoteLine":
        """The engine's line, for clients."""
        return cls(
            item=charge.item,
            label=charge.label,
            kind=charge.kind,
            quantity=charge.quantity,
            unit_price=Money.of(charge.unit_amount, currency),
            amount=Money.of(charge.amount, currency),
            rule=charge.rule,
        )


@strawberry.type
class Totals:
    """What a price comes to, and when that is paid: the same of a quote and of a sample."""

    subtotal: Money = strawberry.field(description="The sum of the lines; taxes that prices include are in it.")
    tax: Money = strawberry.field(description="What taxes add to the subtotal; those that are included add nothing.")
    total: Money = strawberry.field(description="The subtotal and the tax: all that the guest pays, now or later.")
    due_now: Money = strawberry.field(description="What of it is to be paid with the booking.")
    due_later: list[PaymentDue] = strawberry.field(
        description="What of it is to be paid later, and by when: the balance of a deposit; mostly none."
    )
    due_at_venue: Money = strawberry.field(
        description="What of it is paid at the venue: balances without a day, and taxes that are paid there."
    )


@strawberry.type(
    description=(
        "What a request costs, line by line, at one instant; never altered. One that quoteCreate or a changed price "
        "has made can be held by until it expires, at this price whatever is set meanwhile, and stays with the booking."
    )
)
class Quote(Node, Totals):
    """All of a price."""

    row: strawberry.Private[QuoteRow]
    now: strawberry.Private[datetime]

    promo_code: str | None = strawberry.field(description="The promo code by which it is priced; null: none.")
    expires_at: datetime = strawberry.field(
        description="Until when it can be held by. Of a quote that was only looked at: the instant of asking."
    )

    @field("What the booking cost before it was changed, or cancelled in part. Null: this was its first quote.")
    async def replaces(self, info: Info) -> "Quote | None":
        """The snapshot before: each stays as long as its booking."""
        if self.row.replaces_id is None:
            return None
        found = await info.context.loaders.quotes.load(QuoteKey(self.row.organization_id, self.row.replaces_id))
        assert found is not None, "what is replaced stays as long as what replaces it"
        return Quote.of(found, self.now)

    @field("What is charged, and why, item by item.")
    def lines(self) -> list[QuoteLine]:
        """Made when asked for, like all lists here: a search over many resources mostly wants their totals."""
        return [QuoteLine.of(line, self.row.currency) for line in folded(lines_of(self.row))]

    @field("What is owed, each tax by itself.")
    def taxes(self) -> list[TaxLine]:
        """In the order in which they were counted."""
        return [TaxLine.of(line, self.row.currency) for line in taxes_of(self.row)]

    @field("What would come back until when.")
    def cancellation(self) -> CancellationTerms:
        """As of now, by the terms that were agreed on."""
        return CancellationTerms.of(terms_of(self.row), self.now)

    @classmethod
    def of(cls, row: QuoteRow, now: datetime, *, is_kept: bool = True) -> "Quote":
        """The row, for clients."""
        return cls(
            id=encode(GlobalKind.QUOTE, row.organization_id, row.id),
            row=row,
            now=now,
            **totals_of(row, due_later_of(row)),
            promo_code=row.inputs["promo"],
            expires_at=row.expires_at if is_kept else now,
        )


def totals_of(price: QuoteRow | Cost, due_later: Sequence[Due]) -> dict[str, Any]:
    """The fields of `Totals`."""
    names = ("subtotal", "tax", "total", "due_now", "due_at_venue")
    amounts: dict[str, Any] = {name: Money.of(getattr(price, name), price.currency) for name in names}
    return amounts | {"due_later": [PaymentDue.of(due, price.currency) for due in due_later]}
