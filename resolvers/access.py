"""How a root field is made: its access rule declared and enforced, and for mutations every refusal in the payload."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast

import strawberry
from strawberry.types.field import StrawberryField

from models.errors import BookingError
from models.ledger.failures import translate
from models.ledger.requests import hash_request
from schema.access import Access, AccessRule
from schema.errors import user_errors
from schema.fields import Resolver

KEY_DESCRIPTION = (
    "16 to 128 printable characters; else INVALID_INPUT. A fresh random UUID for each thing that is meant to be done, "
    "and the same one again to repeat a call whose answer was lost: the same key and input give the same answer, and "
    "have one effect. The same key with another input is IDEMPOTENCY_CONFLICT. A call that was refused leaves no "
    "trace of its key. Remembered for 7 days."
)
"""Of the field `idempotency_key` of every input."""


def query(access: Access, *, description: str) -> Callable[[Resolver], Resolver]:
    """Declare a field of Query: who may ask, and what it answers. Refusals become errors of the request."""
    declared = strawberry.field(description=f"{description}\n\n{access.value}", extensions=[AccessRule(access)])
    return cast("Callable[[Resolver], Resolver]", declared)


def mutation(access: Access, *, description: str) -> Callable[[Resolver], Resolver]:
    """Declare a mutation: `async def name(info: Info, input: NameInput) -> NamePayload`.

    The payload class derives from `schema.payload.Payload`. A BookingError that the function raises, and what
    PostgreSQL says when it is too busy, become the payload's `errors`, with nothing else in the payload; anything else
    is a defect, and masked.
    """
    declared = strawberry.mutation(description=f"{description}\n\n{access.value}", extensions=[MutationRule(access)])
    return cast("Callable[[Resolver], Resolver]", declared)


def input_hash(name: str, input: Any) -> bytes:
    """What tells a repetition from another request under the same key: the mutation's name and its whole input.

    Without the key itself, and without the token, which proves who asks but is no part of what is asked.
    """
    asked = {field.name: getattr(input, field.name) for field in fields(input)}
    asked.pop("idempotency_key")
    asked.pop("token", None)
    return hash_request(name, {name: _plain(value) for name, value in asked.items()})


class MutationRule(AccessRule):
    """The access rule of a mutation; refusals, its own and the engine's, are answered in the payload."""

    payload: type[Any]

    def apply(self, field: StrawberryField) -> None:
        """Remember the payload's class when the schema is built."""
        assert isinstance(field.type, type), f"{field.name} needs a payload"
        self.payload = field.type

    async def resolve_async(self, next_: Any, source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        """Answer with the payload, or with a payload that has nothing but errors."""
        # What the payload of the mutation before has loaded is not true any more once this one is done.
        info.context.loaders.renew()
        try:
            return await super().resolve_async(next_, source, info, **arguments)
        except BookingError as error:
            return self.payload(errors=user_errors(error))
        except Exception as error:
            refusal = translate(error)
            if refusal is None:
                raise
            return self.payload(errors=user_errors(refusal))
        finally:
            # What was loaded before is not true any more: the payload's own fields are read anew.
            info.context.loaders.renew()


def _plain(value: Any) -> Any:
    """Of dataclasses and lists, dictionaries and lists; a field that is not there differs from one that is null."""
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if value is strawberry.UNSET:
        return {"is": "unset"}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return value
