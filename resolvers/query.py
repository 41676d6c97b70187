"""The Query root: a table of contents."""

import strawberry

from resolvers.availability import availability
from resolvers.booking_rule_types import booking_rule_types
from resolvers.bookings import booking, bookings
from resolvers.node import node, nodes
from resolvers.series_preview import series_preview
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
    series_preview = series_preview
    booking = booking
    bookings = bookings
    booking_rule_types = booking_rule_types
    waitlist_entry = waitlist_entry
    waitlist_entries = waitlist_entries
    viewer = viewer
