"""What the inputs of rate plans, price rules, taxes and cancellation policies have in common, and their samples."""

from collections.abc import Sequence
from datetime import date
from typing import cast

import strawberry

from engine.price_fields import PriceFields
from engine.price_preview import PriceSample
from resolvers.access import KEY_DESCRIPTION
from resolvers.booking_hold import BookingItemInput
from resolvers.changes import changed
from schema.global_id import resource_key
from schema.inputs import wish_of
from schema.scalars import Long

EXPECTED_VERSION = "The version that was looked at: VERSION_CONFLICT if it has changed since."
PRIORITY = "From -1,000 to 1,000, else INVALID_INPUT; of a new one 0 if not given."


@strawberry.input(description="A request to be priced as a sample.")
class PriceSampleInput:
    """One item, and how it is asked for."""

    item: BookingItemInput = strawberry.field(description="What is asked for, as in bookingHold.")
    promo_code: str | None = strawberry.field(
        default=None, description="As if this promo code was entered and held, whether there is such a one or not."
    )


@strawberry.input
class PriceInput:
    """How it is asked for: once, or to try it. Each mutation has a type of its own, with what is set or removed."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    expected_version: Long | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    dry_run: bool = strawberry.field(
        default=False,
        description=(
            "True: write nothing, not even the key, and answer with `samples`. The same call without it does it."
        ),
    )
    samples: list[PriceSampleInput] | None = strawberry.field(
        default=None,
        description=(
            "For a dry run: at most 10 requests, to see what each costs before and after, asked for now. Of the "
            "resource that this is of, or of one of its venue; else NOT_FOUND."
        ),
    )


@strawberry.input
class PriceSetInput(PriceInput):
    """What a new one is of, and when it counts; a mutation's own type has the id of one to change, and what is set."""

    expected_version: Long | None = strawberry.field(
        default=None, description=EXPECTED_VERSION + " INVALID_INPUT with a new one."
    )
    venue_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a new one for all resources of this venue, those to come too; else NOT_FOUND."
    )
    resource_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a new one for this resource; NOT_FOUND if there is none."
    )
    valid_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="The first civil day, at the venue, on which it counts. Null: no bound."
    )
    valid_until: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The first civil day after; INVALID_INPUT unless later than validFrom. Null: no bound.",
    )


def samples_of(samples: Sequence[PriceSampleInput] | None) -> list[PriceSample]:
    """The samples of a dry run; checked whether it is one or not."""
    found = []
    for position, sample in enumerate(samples or ()):
        path = ("input", "samples", str(position))
        found.append(
            PriceSample(
                resource=resource_key(sample.item.resource_id, (*path, "item", "resourceId")),
                wish=wish_of(sample.item, (*path, "item")),
                plan=sample.item.rate_plan,
                promo=sample.promo_code,
            )
        )
    return found


def fields_of(input: PriceSetInput, identity: str) -> PriceFields:
    """What is to be set; `identity` is the input's field for the code or the type."""
    replaced = (identity, "name", "parameters", "priority")
    found = changed(input, replaced=replaced, removable=("valid_from", "valid_until"))
    if identity in found:
        found["identity"] = found.pop(identity)
    return cast("PriceFields", found)
