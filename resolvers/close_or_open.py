"""What closing a resource and opening it again have in common."""

import strawberry

from engine.capacity import CloseOrOpen
from resolvers.access import KEY_DESCRIPTION, input_hash
from resolvers.open_window import OpenWindowInput, open_window
from schema.global_id import resource_key
from schema.scalars import Long


@strawberry.input
class CloseOrOpenInput:
    """Which, and when. Each mutation has a type of its own."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    resource_id: strawberry.ID = strawberry.field(description="Which resource; NOT_FOUND if there is none.")
    window: OpenWindowInput | None = strawberry.field(default=None, description="When. Not given: from now on.")
    expected_version: Long | None = strawberry.field(
        default=None, description="The resource's version that was looked at: VERSION_CONFLICT if it moved since."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why, for the organization's records: at most 500 characters."
    )


def request_of(mutation: str, input: CloseOrOpenInput) -> CloseOrOpen:
    """As the engine has it; `mutation` tells the hashes of two inputs that read the same apart."""
    return CloseOrOpen(
        key=input.idempotency_key,
        request_hash=input_hash(mutation, input),
        resource=resource_key(input.resource_id, ("input", "resourceId")),
        window=open_window(input.window),
        expected_version=input.expected_version,
        reason=input.reason,
    )
