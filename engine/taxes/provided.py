"""PROVIDED: a share of the price that a tax provider counts, by its own tables."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from engine.rules.parameters import wrong
from engine.taxes.base import Tax, TaxCollection


class Provided(Tax):
    """What a tax provider says that is owed of the price, by where the venue is and what is sold there.

    It takes the place of all percentages: beside it only amounts are counted here, a tourist tax say. Who looks at many
    prices is told those that include it, without what part of them it is; of those that it is added to, none, since a
    provider is asked for a quote or a hold only.
    """

    type: ClassVar[str] = "PROVIDED"
    summary: ClassVar[str] = "A share of the price that the tax provider counts, included in it or added to it."
    is_owed_for_the_stay: ClassVar[bool] = False
    example: ClassVar[Mapping[str, object]] = {"code": "VAT", "included": True, "product": "txcd_10000000"}

    included: bool = Field(default=False, strict=True, description="Whether prices are told with it.")
    product: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,50}$")] | None = Field(
        default=None, description="The provider's code of what is sold: of Stripe a tax code. None: its default."
    )
    state: Annotated[str, Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="The state in which the venue is, where taxes of its country depend on that."
    )
    postal_code: Annotated[str, Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="The venue's postal code, where taxes of its country depend on that."
    )

    @model_validator(mode="after")
    def _is_collected_now(self) -> Self:
        if self.collect is TaxCollection.AT_VENUE:
            raise wrong("what a provider counts is collected with the price, NOW")
        return self

    @property
    def is_included(self) -> bool:
        return self.included


class CountedTax(NamedTuple):
    """The tax on one line of a bill, in minor units; `rate` says how it was counted: "23 %"."""

    amount: int
    rate: str


@dataclass(frozen=True, slots=True)
class ProvidedTaxes:
    """What a provider has counted: by rule and item, and its reference of all of it."""

    reference: str
    taxes: Mapping[tuple[uuid.UUID, int], CountedTax]
