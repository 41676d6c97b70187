"""Why something can not be booked."""

import strawberry
from strawberry.scalars import JSON

from engine.rules.base import Refusal as EngineRefusal
from schema.error_codes import ErrorCode


@strawberry.type(
    description="Why not: the constraint that binds, in words for people and as code and numbers for programs."
)
class Refusal:
    """One reason."""

    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="A sentence for people, in English.")
    parameters: JSON | None = strawberry.field(
        description="The numbers and times of the message, by name; times as local text with the offset. Null: none."
    )

    @classmethod
    def of(cls, refusal: EngineRefusal) -> "Refusal":
        """The engine's refusal, for clients."""
        parameters = JSON(dict(refusal.parameters)) if refusal.parameters else None
        return cls(code=ErrorCode(refusal.code), message=refusal.message, parameters=parameters)
