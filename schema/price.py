"""Rate plans, price rules, promo codes and their history, as clients see them."""

from datetime import date, datetime
from typing import Any, TypeAlias

import strawberry
from strawberry.scalars import JSON

from engine.price_targets import SettingRow
from engine.pricing.base import PriceRule as PriceRuleClass
from engine.pricing.registry import PRICE_RULES
from engine.viewer import Role
from models.keys import PriceKey
from models.price import PriceChange as PriceChangeRow
from models.price import PriceRule as PriceRuleRow
from models.price import PromoCode as PromoCodeRow
from models.price import RatePlan as RatePlanRow
from models.queries.prices import PriceChangePage
from schema.connections import After, Connection, First, connection, number_from_cursor, page_size
from schema.context import Info
from schema.enums import BookingRuleScope
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.node import Node
from schema.scalars import LONG_MAX, Long

RuleClass: TypeAlias = type[PriceRuleClass]

PARAMETERS = "Amounts are in minor units of the venue's currency, percentages decimal text."
FROM = "The first civil day, at the venue, on which it counts. Null: no bound."
UNTIL = "The first civil day on which it counts no more. Null: no bound."
VERSION = "Grows by exactly one with every change; for expectedVersion."
SCOPE = "Whether it is of one resource, or of the whole venue."


@strawberry.type(description="One change of what something costs: what was set from then on. Never altered.")
class PriceChange:
    """One line of a history."""

    version: Long = strawberry.field(description="The version that this change made: 1, 2, 3, without gaps.")
    content: JSON = strawberry.field(description="All that was set, by name, as it is stored.")
    is_removed: bool = strawberry.field(description="Whether this change took it away; then it is the last.")
    actor: str = strawberry.field(description='Who did it: role and subject, "manager:ada".')
    created_at: datetime = strawberry.field(description="When, by the database's clock.")

    @classmethod
    def of(cls, row: PriceChangeRow) -> "PriceChange":
        """The row, for clients."""
        return cls(
            version=Long(row.version),
            content=JSON({name: value for name, value in row.content.items() if name in _TOLD}),
            is_removed=row.is_removed,
            actor=row.actor,
            created_at=row.created_at,
        )


@strawberry.type(description="One page of a history, oldest first.")
class PriceChangeConnection(Connection[PriceChange]):
    """Changes of one thing that was set."""


@strawberry.type(description="What a resource costs before price rules; guests choose between those that hold.")
class RatePlan(Node):
    """One rate plan."""

    key: strawberry.Private[PriceKey]

    id: strawberry.ID = strawberry.field(description="For ratePlanSet and ratePlanRemove.")
    code: str = strawberry.field(description="By what it is chosen: STANDARD. Never changes.")
    name: str = strawberry.field(description="As guests read it.")
    parameters: JSON = strawberry.field(description="What is charged, as in ratePlanSet. " + PARAMETERS)
    scope: BookingRuleScope = strawberry.field(description=SCOPE)
    priority: int = strawberry.field(description="The highest holds where none is named; of one code it decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)
    version: Long = strawberry.field(description=VERSION)

    @classmethod
    def of(cls, row: RatePlanRow) -> "RatePlan":
        """The row, for clients."""
        return cls(
            key=PriceKey(row.organization_id, row.id),
            id=encode(GlobalKind.RATE_PLAN, row.organization_id, row.id),
            code=row.code,
            name=row.name,
            **placed(row),
        )

    @field("Who changed what, append-only, oldest first. For the organization's staff; null for others.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> PriceChangeConnection | None:
        """A page of it."""
        return await history_of(info, self.key, first, after)


@strawberry.type(description="What moves a price, and when. For the organization's staff.")
class PriceRule(Node):
    """One price rule."""

    key: strawberry.Private[PriceKey]

    id: strawberry.ID = strawberry.field(description="For priceRuleSet and priceRuleRemove.")
    type: str = strawberry.field(description="Its kind, of priceRuleTypes. Never changes.")
    name: str = strawberry.field(description="As guests read it, beside what it adds or takes off.")
    parameters: JSON = strawberry.field(description="As parametersSchema of its kind has them. " + PARAMETERS)
    scope: BookingRuleScope = strawberry.field(description=SCOPE)
    priority: int = strawberry.field(description="Of several of one kind that match, the highest decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)
    version: Long = strawberry.field(description=VERSION)

    @classmethod
    def of(cls, row: PriceRuleRow) -> "PriceRule":
        """The row, for clients."""
        return cls(
            key=PriceKey(row.organization_id, row.id),
            id=encode(GlobalKind.PRICE_RULE, row.organization_id, row.id),
            type=row.type,
            name=row.name,
            **placed(row),
        )

    @field("Who changed what, append-only, oldest first.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> PriceChangeConnection | None:
        """A page of it."""
        return await history_of(info, self.key, first, after)


@strawberry.type(description="A kind of price rule that can be set, with what its parameters may be.")
class PriceRuleType:
    """One kind."""

    type: str = strawberry.field(description="Its name, as in PriceRuleSetInput.type.")
    description: str = strawberry.field(description="When rules of this kind have their say.")
    order: int = strawberry.field(description="Its place in the order in which kinds are asked, from 1.")
    parameters_schema: JSON = strawberry.field(
        description="What its parameters must be, as a JSON Schema (draft 2020-12)."
    )

    @classmethod
    def of(cls, rule: RuleClass) -> "PriceRuleType":
        """The kind, for clients."""
        return cls(
            type=rule.type,
            description=rule.summary,
            order=list(PRICE_RULES).index(rule.type) + 1,
            parameters_schema=JSON(rule.model_json_schema()),
        )


@strawberry.type(description="A word that guests enter for another price. For the organization's staff.")
class PromoCode(Node):
    """One promo code."""

    key: strawberry.Private[PriceKey]

    id: strawberry.ID = strawberry.field(description="For promoCodeSet.")
    code: str = strawberry.field(description="The word, in capitals. Never changes.")
    uses_max: int | None = strawberry.field(description="For how many bookings it holds. Null: any number.")
    valid_from: date | None = strawberry.field(
        description="It holds for who asks on this civil day, at the venue, or later. Null: no bound."
    )
    valid_until: date | None = strawberry.field(description="And before this day. Null: no bound.")
    version: Long = strawberry.field(description=VERSION)

    @classmethod
    def of(cls, row: PromoCodeRow) -> "PromoCode":
        """The row, for clients."""
        return cls(
            key=PriceKey(row.organization_id, row.id),
            id=encode(GlobalKind.PROMO_CODE, row.organization_id, row.id),
            code=row.code,
            uses_max=row.uses_max,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            version=Long(row.version),
        )

    @field("How many bookings use it now: held, confirmed, or gone by; those that came to nothing do not count.")
    async def uses(self, info: Info) -> int:
        """Counted when asked for."""
        return await info.context.loaders.promo_uses.load(self.key)

    @field("Who changed what, append-only, oldest first.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> PriceChangeConnection | None:
        """A page of it."""
        return await history_of(info, self.key, first, after)


_TOLD = frozenset(
    {"code", "type", "name", "parameters", "priority", "valid_from", "valid_until", "uses_max", "is_removed"}
)


def placed(row: SettingRow) -> dict[str, Any]:
    """The fields that all have which are set for a resource or a venue."""
    return {
        "parameters": JSON(row.parameters),
        "scope": BookingRuleScope.RESOURCE if row.resource_id is not None else BookingRuleScope.VENUE,
        "priority": row.priority,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "version": Long(row.version),
    }


async def history_of(info: Info, key: PriceKey, first: int | None, after: str | None) -> PriceChangeConnection | None:
    """A page of what was set under this key; None for whoever is not of the staff."""
    if not info.context.viewer.may(Role.STAFF, key.organization_id):
        return None
    size = page_size(first)
    page = PriceChangePage(key, size + 1, number_from_cursor(after, maximum=LONG_MAX))
    return connection(
        PriceChangeConnection,
        await info.context.loaders.price_change_pages.load(page),
        size=size,
        is_first=after is None,
        position=lambda row: str(row.version),
        node=PriceChange.of,
        budget=info.context.loaders.budget,
    )
