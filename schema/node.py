"""The interface of everything that has an id of its own."""

import strawberry


@strawberry.interface(
    description=(
        "Something that `node(id)` finds (Relay global object identification). Ids are opaque: keep them as they are; "
        "none is longer than 64 characters."
    )
)
class Node:
    """Base of the types that `node(id)` finds."""

    id: strawberry.ID = strawberry.field(description="Opaque, the same for ever, and unlike every other.")
