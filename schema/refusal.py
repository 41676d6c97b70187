"""Why something can not be booked."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from engine.rules.base import Refusal as EngineRefusal
from models.keys import ResourceKey
from schema.context import Info
from schema.error_codes import ErrorCode, code_of
from schema.fields import field
from schema.visibility import may_see_venue

if TYPE_CHECKING:
    from schema.resource import Resource


@strawberry.type(
    description="Why not: the constraint that binds, in words for people and as code and numbers for programs."
)
class Refusal:
    """One reason."""

    key: strawberry.Private[ResourceKey | None]

    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="A sentence for people, in English.")
    rule: str | None = strawberry.field(
        description="Type of the rule that refuses, as in BookingRule.type; null: a limit of the platform, or capacity."
    )
    parameters: JSON | None = strawberry.field(
        description=(
            "What was asked, what is allowed and, where that can be told, the nearest that is: numbers, dates, and "
            "times as local text with the offset, by name. Null: none."
        )
    )

    @field(
        "Which resource has too little left, is closed or is in use: the one that was asked for, or one that it "
        "requires, such as the guide of a tour. Null if a rule or a limit of the platform refuses, if nothing is "
        "offered, and if you may not see it."
    )
    async def resource(self, info: Info) -> Annotated["Resource", strawberry.lazy("schema.resource")] | None:
        """The resource that binds."""
        # Resource knows Refusal by import, so Refusal must look Resource up later.
        from schema.resource import Resource

        found = None if self.key is None else await info.context.loaders.facts.load(self.key)
        if found is None or not may_see_venue(info.context.viewer, found.venue):
            return None
        info.context.loaders.budget.spend_elements(1)
        return Resource.of_facts(found)

    @classmethod
    def of(cls, refusal: EngineRefusal) -> "Refusal":
        """The engine's refusal, for clients."""
        parameters = JSON(dict(refusal.parameters)) if refusal.parameters else None
        return cls(
            key=refusal.resource,
            code=code_of(refusal.code),
            message=refusal.message,
            rule=refusal.rule,
            parameters=parameters,
        )
