"""quoteCreate: what something costs, kept so that it can be held by."""

import strawberry

from engine.quoting import QuoteRequest, create
from resolvers.access import KEY_DESCRIPTION, input_hash, mutation
from resolvers.booking_hold import items_of
from resolvers.quote import QuoteInput
from schema.access import Access
from schema.context import Info
from schema.price_payload import QuotePayload
from schema.quote import Quote


@strawberry.input(description="What is to be priced, and kept.")
class QuoteCreateInput(QuoteInput):
    """One booking, under one key."""

    idempotency_key: str = strawberry.field(description=KEY_DESCRIPTION)


@mutation(
    Access.PUBLIC,
    description=(
        "Price a request and keep that for 15 minutes: bookingHold of the same items with quoteId is at this price, "
        "whatever is set meanwhile. No place is taken, and no use of a promo code. Refused with INVALID_INPUT, "
        "INVALID_TIME, NOT_FOUND, PROMO_CODE_INVALID, PRICE_UNAVAILABLE, TAX_UNAVAILABLE, "
        "IDEMPOTENCY_CONFLICT, BUSY."
    ),
)
async def quote_create(info: Info, input: QuoteCreateInput) -> QuotePayload:
    """Once per key."""
    context, now = info.context, info.context.clock()
    row = await create(
        context.database,
        context.viewer,
        QuoteRequest(items_of(input.items), input.promo_code),
        key=input.idempotency_key,
        request_hash=input_hash("quoteCreate", input),
        now=now,
        taxes=context.taxes,
    )
    return QuotePayload(quote=None if row is None else Quote.of(row, now))
