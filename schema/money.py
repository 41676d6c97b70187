"""Money, as clients see it."""

from typing import Annotated

import strawberry

from engine import money
from schema.fields import field
from schema.scalars import Long

Locale = Annotated[
    str | None,
    strawberry.argument(
        description=(
            'A language tag (BCP 47), such as "pt-PT"; English if not given or not known. Of one that is not known in '
            "that country, the language alone counts."
        )
    ),
]


@strawberry.type(description="An amount of one currency; negative where it is taken off.")
class Money:
    """Whole minor units."""

    amount: Long = strawberry.field(
        description="In minor units of the currency, by ISO 4217: cents of EUR, yen of JPY, thousandths of TND."
    )
    currency: str = strawberry.field(description='ISO 4217 code: "EUR".')

    @classmethod
    def of(cls, amount: int, currency: str) -> "Money":
        """So many minor units."""
        return cls(amount=Long(amount), currency=currency)

    @field('As people write it: "12,50 €" in "pt-PT", "€12.50" in "en".')
    def text(self, locale: Locale = None) -> str:
        """By the language's customs, with all digits of the minor unit."""
        return money.Money(self.amount, self.currency).text(locale)
