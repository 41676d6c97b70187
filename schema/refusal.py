"""Why something can not be booked."""

import strawberry
from strawberry.scalars import JSON

from engine.rules.base import Refusal as EngineRefusal
from schema.error_codes import ErrorCode, code_of


@strawberry.type(
    description="Why not: the constraint that binds, in words for people and as code and numbers for programs."
)
class Refusal:
    """One reason."""

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

    @classmethod
    def of(cls, refusal: EngineRefusal) -> "Refusal":
        """The engine's refusal, for clients."""
        parameters = JSON(dict(refusal.parameters)) if refusal.parameters else None
        return cls(code=code_of(refusal.code), message=refusal.message, rule=refusal.rule, parameters=parameters)
