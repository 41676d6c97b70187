"""Taxes that are set, their kinds, and what they come to, as clients see them."""

from datetime import date

import strawberry
from strawberry.scalars import JSON

from engine.taxes import base
from engine.taxes.registry import TaxClass
from models.keys import PriceKey
from models.price import TaxRule as TaxRuleRow
from schema.connections import After, First
from schema.context import Info
from schema.enums import BookingRuleScope, TaxCollection
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.money import Money
from schema.node import Node
from schema.price import FROM, PARAMETERS, SCOPE, UNTIL, VERSION, PriceChangeConnection, history_of, placed
from schema.scalars import Long


@strawberry.type(
    description=(
        "A tax of a venue or of one resource, as its managers have set it: no advice on what is owed. Of the rules of "
        "one code that are valid on a day, the resource's own decides before the venue's, then the higher priority, "
        "then the younger; taxes of different codes are all owed."
    )
)
class TaxRule(Node):
    """One tax."""

    key: strawberry.Private[PriceKey]

    id: strawberry.ID = strawberry.field(description="For taxRuleSet and taxRuleRemove.")
    type: str = strawberry.field(description="Its kind, of taxRuleTypes. Never changes.")
    name: str = strawberry.field(description="As guests read it, beside its amount.")
    parameters: JSON = strawberry.field(description="As parametersSchema of its kind has them. " + PARAMETERS)
    scope: BookingRuleScope = strawberry.field(description=SCOPE)
    priority: int = strawberry.field(description="Of several of one code and scope, the highest decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)
    version: Long = strawberry.field(description=VERSION)

    @classmethod
    def of(cls, row: TaxRuleRow) -> "TaxRule":
        """The row, for clients."""
        return cls(
            key=PriceKey(row.organization_id, row.id),
            id=encode(GlobalKind.TAX_RULE, row.organization_id, row.id),
            type=row.type,
            name=row.name,
            **placed(row),
        )

    @field("Who changed what, append-only, oldest first. For the organization's staff; null for others.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> PriceChangeConnection | None:
        """A page of it."""
        return await history_of(info, self.key, first, after)


@strawberry.type(description="A kind of tax that can be set, with what its parameters may be.")
class TaxRuleType:
    """One kind."""

    type: str = strawberry.field(description="Its name, as in TaxRuleSetInput.type.")
    description: str = strawberry.field(description="What taxes of this kind are taken of.")
    parameters_schema: JSON = strawberry.field(
        description="What its parameters must be, as a JSON Schema (draft 2020-12)."
    )
    example: JSON = strawberry.field(description="Parameters that make sense; no tax that is owed anywhere.")

    @classmethod
    def of(cls, kind: TaxClass) -> "TaxRuleType":
        """The kind, for clients."""
        return cls(
            type=kind.type,
            description=kind.summary,
            parameters_schema=JSON(kind.model_json_schema()),
            example=JSON(dict(kind.example)),
        )


@strawberry.type(description="What one tax comes to.")
class TaxLine:
    """One line."""

    label: str = strawberry.field(description="The name that the venue has given it.")
    code: str = strawberry.field(description="Its short name, the same in all seasons: IVA.")
    amount: Money = strawberry.field(description="All of it, over all items.")
    rate: str | None = strawberry.field(description='How it was counted: "6 %", or "€4.00 × 14".')
    included: bool = strawberry.field(
        description="Whether prices hold it already; else it comes on top of the subtotal."
    )
    collect: TaxCollection = strawberry.field(description="When it is paid.")

    @classmethod
    def of(cls, line: base.TaxLine, currency: str) -> "TaxLine":
        """The engine's line, for clients."""
        return cls(
            label=line.label,
            code=line.code,
            amount=Money.of(line.amount, currency),
            rate=line.rate,
            included=line.included,
            collect=line.collect,
        )
