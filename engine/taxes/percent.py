"""PERCENT: a share of the price, included in it or added to it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from engine.money import Rounding
from engine.pricing.charges import ChargeKind
from engine.rules.parameters import distinct, wrong
from engine.taxes.base import Tax, TaxCollection
from engine.taxes.lines import PRICED_KINDS
from engine.taxes.parameters import Codes, Rate


class Percent(Tax):
    """So many percent of the price without tax.

    Of an `included` tax the price that is shown holds it already: of 106.00 with 6 % included, 100.00 is the price
    without tax. Several included taxes are taken out together. An added tax is counted on what remains without them.
    With `onTaxes` the amounts of those taxes count too: tax on tax. An included tax can be on included percentages
    only, an added one on any.

    `kinds` are the charges that it is on; discounts and surcharges belong to the charges that they change. Per TOTAL,
    the exact sum over the booking is rounded once; per LINE, each charge's tax is rounded by itself.
    """

    type: ClassVar[str] = "PERCENT"
    summary: ClassVar[str] = "A share of the price, included in it or added to it."
    is_owed_for_the_stay: ClassVar[bool] = False
    example: ClassVar[Mapping[str, object]] = {
        "code": "IVA",
        "rate": "6",
        "included": True,
        "kinds": ["NIGHT", "PERSON", "EXTRA_GUEST"],
    }

    rate: Rate = Field(description='In percent, as decimal text from "0" to "100" with at most four decimals: "8.875".')
    included: bool = Field(default=False, strict=True, description="Whether prices are told with it.")
    on_taxes: Codes = Field(default=(), description="Codes of taxes that it is taken of as well, at most 20.")
    kinds: Annotated[tuple[ChargeKind, ...], Field(max_length=len(PRICED_KINDS)), AfterValidator(distinct)] = Field(
        default=(), description=f"Only of charges of these kinds, of {', '.join(PRICED_KINDS)}; none named: of all."
    )
    rounding: Rounding = Field(default=Rounding.HALF_UP, description="How a fraction of a minor unit is made whole.")
    rounded_per: Literal["TOTAL", "LINE"] = Field(
        default="TOTAL", description="Once, over the TOTAL of the booking; or each LINE by itself."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.included and self.collect is TaxCollection.AT_VENUE:
            raise wrong("an included tax is collected with the price, NOW")
        if not set(self.kinds) <= set(PRICED_KINDS):
            raise wrong(f"kinds should be of {', '.join(PRICED_KINDS)}")
        if self.code in self.on_taxes:
            raise wrong("onTaxes should not name the tax itself")
        return self

    @property
    def depends_on(self) -> tuple[str, ...]:
        return self.on_taxes

    @property
    def is_included(self) -> bool:
        return self.included

    def is_on(self, kind: ChargeKind) -> bool:
        """Whether it is taken of charges of this kind."""
        return not self.kinds or kind in self.kinds
