"""What the mutations of prices answer: what was set, or what samples would cost."""

from datetime import datetime

import strawberry

from engine.costs import Cost
from engine.price_preview import SamplePrice
from engine.pricing.charges import folded
from models import price as rows
from schema.cancellation import CancellationPolicy, CancellationTerms
from schema.payload import Payload
from schema.price import PriceRule, PromoCode, RatePlan
from schema.quote import Quote, QuoteLine, Totals, totals_of
from schema.tax import TaxLine, TaxRule


@strawberry.type(description="What a sample costs, if it is booked now: taxes, what is due when, what comes back.")
class SampleTotal(Totals):
    """With its lines."""

    rate_plan: str = strawberry.field(description="The code of the rate plan by which it is priced.")
    lines: list[QuoteLine] = strawberry.field(description="What it is made of.")
    taxes: list[TaxLine] = strawberry.field(description="What is owed, each tax by itself.")
    cancellation: CancellationTerms = strawberry.field(description="What would come back until when.")

    @classmethod
    def of(cls, cost: Cost | None, booked_at: datetime) -> "SampleTotal | None":
        """The engine's answer, for clients: of one item."""
        if cost is None:
            return None
        [item] = cost.items
        assert item.plan is not None, "what has a price has it by a plan"
        return cls(
            rate_plan=item.plan,
            lines=[QuoteLine.of(line, cost.currency) for line in folded(item.charges)],
            **totals_of(cost, cost.due_later),
            taxes=[TaxLine.of(line, cost.currency) for line in cost.taxes.lines],
            cancellation=CancellationTerms.of(cost.terms, booked_at),
        )


@strawberry.type(description="What a sample request costs, asked for now.")
class PriceSample:
    """Before the change and after."""

    before: SampleTotal | None = strawberry.field(
        description="As it is now. Null: nothing is charged for it, or its rate plan is not to be had."
    )
    after: SampleTotal | None = strawberry.field(description="As it would be. Null: as `before`.")

    @classmethod
    def of(cls, sample: SamplePrice, asked_at: datetime) -> "PriceSample":
        """The engine's answer, for clients."""
        return cls(before=SampleTotal.of(sample.before, asked_at), after=SampleTotal.of(sample.after, asked_at))


SAMPLES = "Of a dry run: what each sample costs, in their order. Null unless it is a dry run without errors."


@strawberry.type(description="The rate plan, or what would come of it; or why nothing was done.")
class RatePlanPayload(Payload):
    """What was done, or of a dry run, what would be."""

    rate_plan: RatePlan | None = strawberry.field(
        default=None, description="As this call left it. Null in a dry run, and if there are errors."
    )
    samples: list[PriceSample] | None = strawberry.field(default=None, description=SAMPLES)

    @classmethod
    def of(cls, row: rows.RatePlan | None, samples: list[PriceSample] | None) -> "RatePlanPayload":
        """The row, or of a dry run the samples, for clients."""
        return cls(rate_plan=None if row is None else RatePlan.of(row), samples=samples)


@strawberry.type(description="The price rule, or what would come of it; or why nothing was done.")
class PriceRulePayload(Payload):
    """What was done, or of a dry run, what would be."""

    price_rule: PriceRule | None = strawberry.field(
        default=None, description="As this call left it. Null in a dry run, and if there are errors."
    )
    samples: list[PriceSample] | None = strawberry.field(default=None, description=SAMPLES)

    @classmethod
    def of(cls, row: rows.PriceRule | None, samples: list[PriceSample] | None) -> "PriceRulePayload":
        """The row, or of a dry run the samples, for clients."""
        return cls(price_rule=None if row is None else PriceRule.of(row), samples=samples)


@strawberry.type(description="The tax, or what would come of it; or why nothing was done.")
class TaxRulePayload(Payload):
    """What was done, or of a dry run, what would be."""

    tax_rule: TaxRule | None = strawberry.field(
        default=None, description="As this call left it. Null in a dry run, and if there are errors."
    )
    samples: list[PriceSample] | None = strawberry.field(default=None, description=SAMPLES)

    @classmethod
    def of(cls, row: rows.TaxRule | None, samples: list[PriceSample] | None) -> "TaxRulePayload":
        """The row, or of a dry run the samples, for clients."""
        return cls(tax_rule=None if row is None else TaxRule.of(row), samples=samples)


@strawberry.type(description="The cancellation policy, or what would come of it; or why nothing was done.")
class CancellationPolicyPayload(Payload):
    """What was done, or of a dry run, what would be."""

    cancellation_policy: CancellationPolicy | None = strawberry.field(
        default=None, description="As this call left it. Null in a dry run, and if there are errors."
    )
    samples: list[PriceSample] | None = strawberry.field(default=None, description=SAMPLES)

    @classmethod
    def of(cls, row: rows.CancellationPolicy | None, samples: list[PriceSample] | None) -> "CancellationPolicyPayload":
        """The row, or of a dry run the samples, for clients."""
        return cls(cancellation_policy=None if row is None else CancellationPolicy.of(row), samples=samples)


@strawberry.type(description="The promo code; or why nothing was done.")
class PromoCodePayload(Payload):
    """What was done."""

    promo_code: PromoCode | None = strawberry.field(
        default=None, description="As this call left it; null if there are errors."
    )


@strawberry.type(description="What it costs; or why that can not be told.")
class QuotePayload(Payload):
    """Either a quote, or errors."""

    quote: Quote | None = strawberry.field(
        default=None, description="Null if there are errors, and where nothing has a price: then it costs nothing."
    )
