"""promoCodeSet."""

from datetime import date
from functools import partial
from typing import cast

import strawberry

from engine.promo_codes import PromoFields, SetPromoCode, set_promo_code
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.changes import changed
from resolvers.price_inputs import EXPECTED_VERSION
from resolvers.targets import exactly_one
from schema.access import Access
from schema.context import Info
from schema.global_id import GlobalKind, price_key, venue_key
from schema.price import PromoCode
from schema.price_payload import PromoCodePayload
from schema.scalars import Long


@strawberry.input(
    description=(
        "The promo code to change, or the venue that a new one is of: exactly one of promoCodeId and venueId; else "
        "INVALID_INPUT. Of a code that is changed, what is left out stays."
    )
)
class PromoCodeSetInput:
    """Which code, and how far it goes."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)
    promo_code_id: strawberry.ID | None = strawberry.field(
        default=None, description="The code to change; NOT_FOUND if there is none."
    )
    venue_id: strawberry.ID | None = strawberry.field(
        default=None, description="Make a code for this venue, at most 1,000; NOT_FOUND if there is none."
    )
    code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The word: 1 to 40 of A to Z, 0 to 9, - and _; else INVALID_INPUT, as for one that the venue has already. "
            "Guests may write it in small letters. It does not change."
        ),
    )
    uses_max: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "For how many bookings it holds, 1 to 1,000,000; else INVALID_INPUT. Null: any number. Bookings that "
            "came to nothing give their use back."
        ),
    )
    valid_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="It holds for who asks on this civil day, at the venue, or later."
    )
    valid_until: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="And before this day; INVALID_INPUT unless later than validFrom. A day that is over ends it.",
    )
    expected_version: Long | None = strawberry.field(
        default=None, description=EXPECTED_VERSION + " INVALID_INPUT with a new code."
    )


@mutation(
    Access.MANAGER,
    description=(
        "Make or change a promo code. What it does to a price is told by price rules of type PROMO_CODE that name it; "
        "how often it is used is counted under the locks of the hold, and never exceeded."
    ),
)
async def promo_code_set(info: Info, input: PromoCodeSetInput) -> PromoCodePayload:
    """Once per key."""
    fields = changed(input, replaced=("code",), removable=("uses_max", "valid_from", "valid_until"))
    request = SetPromoCode(
        key=input.idempotency_key,
        request_hash=input_hash("promoCodeSet", input),
        target=exactly_one(
            ("promoCodeId", input.promo_code_id, partial(price_key, GlobalKind.PROMO_CODE)),
            ("venueId", input.venue_id, venue_key),
        ),
        fields=cast("PromoFields", fields),
        expected_version=input.expected_version,
    )
    row = await set_promo_code(info.context.database, info.context.viewer, request)
    return PromoCodePayload(promo_code=PromoCode.of(row))
