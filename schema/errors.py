"""What a mutation refuses, as types: the one place where a BookingError becomes part of a payload."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from engine import alternatives as engine
from engine.availability import Wish
from engine.facts import ResourceFacts
from engine.holds import ItemRequest
from engine.vacancies import views_needed
from models import errors
from models.errors import BookingError, InvalidInput
from models.keys import QuoteKey, ResourceKey
from schema.context import Info
from schema.error_codes import ErrorCode, code_of
from schema.fields import field
from schema.quote import Quote
from schema.resource import Resource
from schema.scalars import Long
from schema.slot import Slot

AlternativesFirst = Annotated[
    int | None, strawberry.argument(description="How many at most: 1 to 10, 3 if not given; else INVALID_INPUT.")
]


@strawberry.interface(description="Why a mutation did nothing. Where nothing more is to be said, it is an InputError.")
class UserError:
    """Base of the errors."""

    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="A sentence for people, in English.")
    path: list[str] = strawberry.field(
        description='Where in the arguments: ["input", "items", "0", "quantity"]. Empty if it is about all of them.'
    )
    retryable: bool = strawberry.field(
        description="Whether the very same call, with the same key, may succeed when repeated a little later."
    )


@strawberry.type(description="Everything that needs no more than a code and a message.")
class InputError(UserError):
    """The plain one."""


@strawberry.type(description="Less is left than was asked for (SOLD_OUT).")
class SoldOut(UserError):
    """What is left, and when else."""

    key: strawberry.Private[ResourceKey]
    items: strawberry.Private[Sequence[ItemRequest]]

    vacancies: int = strawberry.field(
        description=(
            "Units left at the fullest instant of the interval; of what is chosen from, how many are free all the time."
        )
    )

    @field("What is sold out: the asked resource, or one that it requires.")
    async def resource(self, info: Info) -> Resource:
        """The resource that has too little left."""
        return await Resource.load(info.context, self.key)

    @field("The bookable times nearest to the one that was asked for, of the asked resource.")
    async def alternatives(self, info: Info, first: AlternativesFirst = 3) -> list[Slot]:
        """Of the first item that needs what is sold out."""
        asked = await info.context.loaders.facts.load_many([item.resource for item in self.items])
        for item, facts in zip(self.items, asked, strict=True):
            if facts is not None and self.key in views_needed(facts):
                return await alternatives(info, facts, item.wish, first)
        return []


@strawberry.type(description="A rule of the venue, or a limit of the platform, refuses; `code` says in which way.")
class RuleViolation(UserError):
    """Which rule, and by how much."""

    rule: str = strawberry.field(
        description="Type of the rule, as in BookingRule.type; PLATFORM_LIMIT for the platform's."
    )
    parameters: JSON | None = strawberry.field(description="The numbers and times of the message, by name.")


@strawberry.type(description="The hold is over, and its place may be somebody else's (HOLD_EXPIRED): hold again.")
class HoldExpired(UserError):
    """Too late."""


@strawberry.type(description="It changed since the version that was expected (VERSION_CONFLICT).")
class VersionConflict(UserError):
    """What it is now."""

    current: Long = strawberry.field(description="The version now.")


@strawberry.type(description="Some bookings take more than this capacity (CAPACITY_IN_USE).")
class CapacityInUse(UserError):
    """Who is in the way."""

    references: list[str] = strawberry.field(description="References of the bookings in the way, at most 20.")


@strawberry.type(
    description=(
        "The price is not the one that was expected, or the quote is over (PRICE_CHANGED): look at the new quote, and "
        "hold by it."
    )
)
class PriceChanged(UserError):
    """What it costs now."""

    key: strawberry.Private[QuoteKey | None]

    @field("What it costs now, kept so that it can be held by. Null: it has no price any more, and costs nothing.")
    async def quote(self, info: Info) -> Quote | None:
        """The new quote."""
        row = None if self.key is None else await info.context.loaders.quotes.load(self.key)
        return None if row is None else Quote.of(row, info.context.clock())


def user_errors(error: BookingError, items: Sequence[ItemRequest] = ()) -> list[UserError]:
    """The payload's errors for a refusal: one, or for `Refused` each of several. `items` is what was to be held."""
    if isinstance(error, errors.Refused):
        return [_user_error(one, items) for one in error.errors]
    return [_user_error(error, items)]


def _user_error(error: BookingError, items: Sequence[ItemRequest]) -> UserError:
    about: dict[str, Any] = {
        "code": code_of(error.code),
        "message": error.message,
        "path": list(error.path),
        "retryable": error.retryable,
    }
    match error:
        case errors.SoldOut() if items:
            key = ResourceKey(items[0].resource.organization_id, error.resource_id)
            return SoldOut(**about, key=key, items=items, vacancies=error.vacancies)
        case errors.RuleViolation():
            return RuleViolation(
                **about, rule=error.rule, parameters=JSON(error.parameters) if error.parameters else None
            )
        case errors.HoldExpired():
            return HoldExpired(**about)
        case errors.VersionConflict():
            return VersionConflict(**about, current=Long(error.current))
        case errors.PriceChanged():
            return PriceChanged(**about, key=error.quote)
        case errors.CapacityInUse():
            return CapacityInUse(**about, references=list(error.references))
    return InputError(**about)


def alternatives_count(first: int | None) -> int:
    """How many alternatives are asked for; InvalidInput unless from 1 to 10."""
    count = 3 if first is None else first
    if not 1 <= count <= engine.ALTERNATIVES_MAX:
        raise InvalidInput(f"From 1 to {engine.ALTERNATIVES_MAX} alternatives can be asked for.", path=("first",))
    return count


async def alternatives(info: Info, facts: ResourceFacts, wish: Wish, first: int | None) -> list[Slot]:
    """The nearest bookable times; InvalidInput unless `first` is from 1 to 10."""
    count = alternatives_count(first)
    context = info.context
    loaders = context.loaders
    found = await engine.alternatives(
        facts, wish, first=count, load=loaders.timelines, counts=loaders.counts, now=context.clock()
    )
    context.loaders.budget.spend_elements(len(found))
    return [Slot.of(answer, facts.zone) for answer in found]
