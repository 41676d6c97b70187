"""What every mutation answers."""

import strawberry

from schema.errors import UserError


@strawberry.type
class Payload:
    """Base of the payloads: what was made or changed, or why nothing was."""

    errors: list[UserError] = strawberry.field(
        default_factory=list,
        description=(
            "Why nothing was done; empty when it was. More than one: every rule that refuses, at once. BUSY alone "
            "leaves open whether it was done."
        ),
    )
