"""Query.quote: what something costs, looked at."""

from typing import Annotated

import strawberry

from engine.quoting import QuoteRequest, look
from models.errors import BookingError
from resolvers.access import query
from resolvers.booking_hold import BookingItemInput, items_of
from schema.access import Access
from schema.context import Info
from schema.errors import user_errors
from schema.price_payload import QuotePayload
from schema.quote import Quote


@strawberry.input(description="What is to be priced.")
class QuoteInput:
    """One booking."""

    items: list[BookingItemInput] = strawberry.field(
        description="1 to 20, of one organization and in one currency, as in bookingHold; else INVALID_INPUT."
    )
    promo_code: str | None = strawberry.field(
        default=None,
        description="As the guest has entered it. PROMO_CODE_INVALID if there is none, not now, or not any more.",
    )


@query(
    Access.PUBLIC,
    description=(
        "What a request costs, asked for now; whether it can be booked, tells `availability`. Nothing is kept: `node` "
        "does not find it, and it can not be held by. It is what quoteCreate would answer. Refused with INVALID_INPUT, "
        "INVALID_TIME, NOT_FOUND, PROMO_CODE_INVALID, PRICE_UNAVAILABLE, TAX_UNAVAILABLE."
    ),
)
async def quote(
    info: Info, input: Annotated[QuoteInput, strawberry.argument(description="What is to be priced.")]
) -> QuotePayload:
    """Without writing anything."""
    context, now = info.context, info.context.clock()
    try:
        request = QuoteRequest(items_of(input.items), input.promo_code)
        row = await look(context.database, context.viewer, request, now=now, taxes=context.taxes)
    except BookingError as error:
        return QuotePayload(errors=user_errors(error))
    return QuotePayload(quote=None if row is None else Quote.of(row, now, is_kept=False))
