"""The Query root: a table of contents."""

import strawberry

from resolvers.availability import availability
from resolvers.booking_cancel_quote import booking_cancel_quote
from resolvers.booking_change import booking_change_quote
from resolvers.booking_item_cancel import booking_item_cancel_quote
from resolvers.booking_rule_types import booking_rule_types
from resolvers.bookings import booking, bookings
from resolvers.node import node, nodes
from resolvers.price_rule_types import price_rule_types, rate_plan_schema
from resolvers.quote import quote
from resolvers.series_preview import series_preview
from resolvers.tax_rule_types import cancellation_policy_schema, tax_rule_types
from resolvers.venues import venue, venues
from resolvers.viewer import viewer
from resolvers.waitlist import waitlist_entries, waitlist_entry


@strawberry.type(
    description=(
        "What can be asked. A refusal is an error of the request whose `extensions.code` is an ErrorCode and whose "
        "`extensions.path` tells the argument."
    )
)
class Query:
    """Every field declares who may ask, in its description and to the server."""

    node = node
    nodes = nodes
    venue = venue
    venues = venues
    availability = availability
    quote = quote
    series_preview = series_preview
    booking = booking
    booking_cancel_quote = booking_cancel_quote
    booking_change_quote = booking_change_quote
    booking_item_cancel_quote = booking_item_cancel_quote
    bookings = bookings
    booking_rule_types = booking_rule_types
    price_rule_types = price_rule_types
    tax_rule_types = tax_rule_types
    cancellation_policy_schema = cancellation_policy_schema
    rate_plan_schema = rate_plan_schema
    waitlist_entry = waitlist_entry
    waitlist_entries = waitlist_entries
    viewer = viewer
