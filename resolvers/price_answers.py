"""What the mutations of rate plans and price rules have in common: their target, their samples, and a dry run."""

from collections.abc import Sequence
from typing import Any, cast

import strawberry

from engine.price_fields import PriceFields
from engine.price_preview import PriceSample, preview
from engine.price_settings import PriceEdit
from engine.price_targets import Target
from models.errors import InvalidInput
from resolvers.booking_hold import BookingItemInput
from resolvers.changes import changed
from schema import price_payload
from schema.context import Context
from schema.global_id import GlobalKind, price_key, resource_key, venue_key
from schema.inputs import wish_of

DRY_RUN = "True: write nothing, not even the key, and answer with `samples`. The same call without it does it."
SAMPLES = (
    "For a dry run: at most 10 requests, to see what each costs before and after, asked for now. Of the resource that "
    "this is of, or of one of its venue; else NOT_FOUND."
)
EXPECTED_VERSION = "The version that was looked at: VERSION_CONFLICT if it has changed since."
PRIORITY = "From -1,000 to 1,000, else INVALID_INPUT; of a new one 0 if not given."
FROM = "The first civil day, at the venue, on which it counts. Null: no bound."
UNTIL = "The first civil day after; INVALID_INPUT unless later than validFrom. Null: no bound."


@strawberry.input(description="A request to be priced as a sample.")
class PriceSampleInput:
    """One item, and how it is asked for."""

    item: BookingItemInput = strawberry.field(description="What is asked for, as in bookingHold.")
    promo_code: str | None = strawberry.field(
        default=None, description="As if this promo code was entered and held, whether there is such a one or not."
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


def target_of(kind: GlobalKind, own: tuple[str, str | None], venue_id: str | None, resource_id: str | None) -> Target:
    """What is to change, or what a new one is of; `own` is the field of its id, and the id. Exactly one is given."""
    field, text = own
    given = sum(one is not None for one in (text, venue_id, resource_id))
    if given != 1:
        raise InvalidInput(f"Give exactly one of {field}, venueId and resourceId.", path=("input",))
    if text is not None:
        return price_key(kind, text, ("input", field))
    if venue_id is not None:
        return venue_key(venue_id, ("input", "venueId"))
    assert resource_id is not None, "one of the three is given"
    return resource_key(resource_id, ("input", "resourceId"))


def fields_of(input: Any, identity: str) -> PriceFields:
    """What is to be set; `identity` is the input's field for the code or the type."""
    replaced = (identity, "name", "parameters", "priority")
    found = changed(input, replaced=replaced, removable=("valid_from", "valid_until"))
    if identity in found:
        found["identity"] = found.pop(identity)
    return cast("PriceFields", found)


async def priced_samples(
    context: Context, edit: PriceEdit, samples: Sequence[PriceSample]
) -> list[price_payload.PriceSample]:
    """What the samples would cost."""
    load, now = context.loaders.timelines_anew, context.clock()
    found = await preview(context.database, edit, samples, load=load, now=now, taxes=context.taxes)
    return [price_payload.PriceSample.of(sample, now) for sample in found]
