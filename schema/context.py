"""What every resolver can reach: who asks, and the ports. One Context per operation."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from engine.ports import BookingTokens, Clock, LiveFeed, OnlinePayments, TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from engine.viewer import Viewer
from models.database import Database
from models.keys import BookingKey, EntryKey, SeriesKey
from schema.loaders import Loaders

TOKEN_LENGTH_MAX = 1_000


@dataclass(frozen=True)
class Context:
    """Made at the edge. `loaders` live as long as one operation: what one asks, another reads anew."""

    viewer: Viewer
    database: Database
    clock: Clock
    tokens: BookingTokens
    feed: LiveFeed
    loaders: Loaders
    taxes: TaxProvider = NO_TAX_PROVIDER
    payments: OnlinePayments | None = None
    """None where nothing is collected online."""

    def opened_by(self, token: str | None) -> BookingKey | None:
        """The booking that a shown token opens; None without one, and for what is no token of ours."""
        if token is None or len(token) > TOKEN_LENGTH_MAX:
            return None
        return self.tokens.verify(token)

    def entry_opened_by(self, token: str | None) -> EntryKey | None:
        """The same of an entry of a waitlist."""
        if token is None or len(token) > TOKEN_LENGTH_MAX:
            return None
        return self.tokens.verify_entry(token)

    def series_opened_by(self, token: str | None) -> SeriesKey | None:
        """The same of a series."""
        if token is None or len(token) > TOKEN_LENGTH_MAX:
            return None
        return self.tokens.verify_series(token)


def for_operation(
    *,
    viewer: Viewer,
    database: Database,
    clock: Clock,
    tokens: BookingTokens,
    feed: LiveFeed,
    taxes: TaxProvider = NO_TAX_PROVIDER,
    payments: OnlinePayments | None = None,
) -> Context:
    """The Context of one operation. Opens nothing: connections are taken where they are needed, and given back."""
    return Context(viewer, database, clock, tokens, feed, Loaders(database, viewer), taxes, payments)


Info: TypeAlias = strawberry.Info[Context, None]
"""The type of a resolver's `info` argument: `info.context` is the Context."""
