"""What a mutation refuses, as types: the one place where a BookingError becomes part of a payload."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from engine.availability import Wish
from engine.facts import ResourceFacts
from engine.holds import ItemRequest
from models import errors
from models.errors import BookingError
from models.keys import QuoteKey, ResourceKey
from schema.alternatives import AlternativesFirst, alternatives, alternatives_count
from schema.availability import Availability, elsewhere
from schema.context import Info
from schema.error_codes import ErrorCode, code_of
from schema.fields import field
from schema.quote import Quote
from schema.resource import Resource
from schema.scalars import Long
from schema.slot import Slot


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
        count = alternatives_count(first)
        asked = await self._asked(info)
        return [] if asked is None else await alternatives(info, *asked, count)

    @field(
        "Other resources of the venue that are sold in the same way as the asked one and can take it at the same time, "
        "by slug. Of the venue's first 100 resources."
    )
    async def elsewhere(self, info: Info, first: AlternativesFirst = 3) -> list[Availability]:
        """Instead of the first item that needs what is sold out."""
        count = alternatives_count(first)
        asked = await self._asked(info)
        return [] if asked is None else await elsewhere(info, *asked, count)

    async def _asked(self, info: Info) -> tuple[ResourceFacts, Wish] | None:
        """What was asked for where too little is left."""
        found = await info.context.loaders.facts.load_many([item.resource for item in self.items])
        for item, facts in zip(self.items, found, strict=True):
            if facts is not None and self.key in facts.needed:
                return facts, item.wish
        return None


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


@strawberry.type(description="The last attempt to pay has failed (PAYMENT_DECLINED), and nothing was taken.")
class PaymentDeclined(UserError):
    """Why, and how long there is for another."""

    reason: str = strawberry.field(
        description='The payment provider\'s word for it: "insufficient_funds", "generic_decline".'
    )
    retry_until: datetime | None = strawberry.field(
        description="The places are kept so long for another attempt. Null: there is no time for one."
    )


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

    @field(
        "What it costs now, kept so that it can be held by. Null: it has no price any more, and costs nothing; and of "
        "bookingChange, for which bookingChangeQuote tells."
    )
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
        case errors.PaymentDeclined():
            return PaymentDeclined(**about, reason=error.reason, retry_until=error.until)
        case errors.CapacityInUse():
            return CapacityInUse(**about, references=list(error.references))
    return InputError(**about)
