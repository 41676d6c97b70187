"""A rule of a venue or a resource, its history, and the kinds of rules, as clients see them."""

from datetime import date, datetime
from typing import TypeAlias

import strawberry
from strawberry.scalars import JSON

from engine.rule_changes import key_of_rule
from engine.rules import registry
from engine.rules.base import Rule
from engine.viewer import Role
from models.keys import RuleKey
from models.queries.rules import RuleChangePage
from models.resource import BookingRule as BookingRuleRow
from models.resource import BookingRuleChange as BookingRuleChangeRow
from schema.connections import After, Connection, First, connection, number_from_cursor, page_size
from schema.context import Info
from schema.enums import AvailabilityType, BookingRuleScope
from schema.fields import field
from schema.global_id import GlobalKind, encode
from schema.node import Node
from schema.scalars import LONG_MAX, Long

RuleClass: TypeAlias = type[Rule]

PARAMETERS = "Its numbers and times; which ones there are tells bookingRuleTypes."
FROM = "The first civil day, at the venue, of which it has a say on what begins. Null: no bound."
UNTIL = "The first civil day of which it has none any more. Null: no bound."


@strawberry.type(description="One change of a rule: the rule as it was from then on. Never altered.")
class BookingRuleChange:
    """One line of the history."""

    version: Long = strawberry.field(description="The rule's version that this change made: 1, 2, 3, without gaps.")
    parameters: JSON = strawberry.field(description=PARAMETERS)
    priority: int = strawberry.field(description="Of several of one type and scope, the highest decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)
    is_removed: bool = strawberry.field(description="Whether this change took the rule away; then it is the last.")
    actor: str = strawberry.field(description='Who did it: role and subject, "manager:ada".')
    created_at: datetime = strawberry.field(description="When, by the database's clock.")

    @classmethod
    def of(cls, row: BookingRuleChangeRow) -> "BookingRuleChange":
        """The row, for clients."""
        return cls(
            version=Long(row.version),
            parameters=JSON(row.parameters),
            priority=row.priority,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            is_removed=row.is_removed,
            actor=row.actor,
            created_at=row.created_at,
        )


@strawberry.type(description="One page of a rule's history, oldest first.")
class BookingRuleChangeConnection(Connection[BookingRuleChange]):
    """Changes of one rule."""


@strawberry.type(
    description=(
        "A rule of a venue or of one resource, as data: what a booking must be like. On a civil day one rule of a type "
        "decides: of those valid that day the resource's own goes before the venue's, then the higher priority, then "
        "the younger. Of a cumulative type (see bookingRuleTypes) all that are valid decide. A rule has its say on "
        "what is held from then on; what is booked already stays as it is."
    )
)
class BookingRule(Node):
    """One rule."""

    key: strawberry.Private[RuleKey]

    type: str = strawberry.field(description="Its kind, such as OPENING_HOURS; never changes.")
    parameters: JSON = strawberry.field(description=PARAMETERS)
    description: str = strawberry.field(description="What rules of this kind refuse, in words.")
    scope: BookingRuleScope = strawberry.field(description="Whether it is of one resource, or of the whole venue.")
    priority: int = strawberry.field(description="Of several of one type and scope, the highest decides.")
    valid_from: date | None = strawberry.field(description=FROM)
    valid_until: date | None = strawberry.field(description=UNTIL)
    version: Long = strawberry.field(description="Grows by exactly one with every change; for expectedVersion.")
    is_removed: bool = strawberry.field(description="Whether it was removed: then only staff find it, by its id.")

    @classmethod
    def of(cls, row: BookingRuleRow) -> "BookingRule":
        """The row, for clients."""
        return cls(
            id=encode(GlobalKind.BOOKING_RULE, row.organization_id, row.id),
            key=key_of_rule(row),
            type=row.type,
            parameters=JSON(row.parameters),
            description=registry.summary(row.type),
            scope=BookingRuleScope.of(row),
            priority=row.priority,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            version=Long(row.version),
            is_removed=row.is_removed,
        )

    @field("Who changed what, append-only, oldest first. For the organization's staff; null for others.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> BookingRuleChangeConnection | None:
        """A page of it."""
        if not info.context.viewer.may(Role.STAFF, self.key.organization_id):
            return None
        size = page_size(first)
        page = RuleChangePage(self.key, size + 1, number_from_cursor(after, maximum=LONG_MAX))
        return connection(
            BookingRuleChangeConnection,
            await info.context.loaders.rule_change_pages.load(page),
            size=size,
            is_first=after is None,
            position=lambda row: str(row.version),
            node=BookingRuleChange.of,
            budget=info.context.loaders.budget,
        )


@strawberry.type(description="A kind of rule that can be set, with what its parameters may be.")
class BookingRuleType:
    """One kind."""

    type: str = strawberry.field(description="Its name, as in BookingRuleSetInput.type.")
    description: str = strawberry.field(description="What rules of this kind refuse, in words, and with which codes.")
    applies_to: list[AvailabilityType] = strawberry.field(
        description="The resources that it has a say on; others it neither allows nor refuses."
    )
    is_cumulative: bool = strawberry.field(
        description="Whether all valid rules of this kind decide at once, and not just one of them."
    )
    parameters_schema: JSON = strawberry.field(
        description="What its parameters must be, as a JSON Schema (draft 2020-12)."
    )

    @classmethod
    def of(cls, rule: RuleClass) -> "BookingRuleType":
        """The kind, for clients."""
        return cls(
            type=rule.type,
            description=rule.summary,
            applies_to=[kind for kind in AvailabilityType if kind in rule.applies_to],
            is_cumulative=rule.is_cumulative,
            parameters_schema=JSON(rule.model_json_schema()),
        )
