"""Who may see an object of each type, once a root field was allowed: the rule of every type, and the functions behind.

The catalog of published venues is public; every other row is seen from its own organization only, and a booking only by
who holds it (`engine.bookings.may_see`).
"""

import uuid
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from engine.bookings import acting_in
from engine.viewer import Role, Viewer
from models.price import Quote
from models.resource import BookingRule
from models.venue import Organization, Venue


class Visibility(Enum):
    """How it is decided whether an object is shown."""

    PUBLIC = "Holds nothing of anybody."
    PUBLISHED = "Published venues, to anybody; others to the organization's staff: may_see_venue, may_see_organization."
    BOOKING_HOLDER = "engine.bookings.may_see: its staff, who made it, and who shows its token."
    ENTRY_HOLDER = "engine.waitlist.may_see_entry: its staff, who made it, and who shows its token."
    QUOTE_HOLDER = "may_see_quote: its staff and who made it; and everybody who is shown what it belongs to."
    SETTING = "may_see_setting, by its id alone: its staff; and everybody who is shown what it is set for."
    VIEWER = "The asker's own."
    PARENT = "Reached only through an object or a root field that has a rule, and shown with it."


TYPE_RULES: Mapping[str, Visibility] = MappingProxyType(
    {
        "Organization": Visibility.PUBLISHED,
        "Venue": Visibility.PUBLISHED,
        "Resource": Visibility.PUBLISHED,
        "BookingRule": Visibility.PUBLISHED,
        "Booking": Visibility.BOOKING_HOLDER,
        "BookingRuleType": Visibility.PUBLIC,
        "PriceRuleType": Visibility.PUBLIC,
        "TaxRuleType": Visibility.PUBLIC,
        "Quote": Visibility.QUOTE_HOLDER,
        **dict.fromkeys(("CancellationPolicy", "PriceRule", "PromoCode", "RatePlan", "TaxRule"), Visibility.SETTING),
        "WaitlistEntry": Visibility.ENTRY_HOLDER,
        "Viewer": Visibility.VIEWER,
        "PageInfo": Visibility.PUBLIC,
        **dict.fromkeys(
            (
                "Availability",
                "BookingCancelQuote",
                "BookingCheckoutPayload",
                "BookingConnection",
                "BookingEdge",
                "BookingEvent",
                "BookingEventConnection",
                "BookingEventEdge",
                "BookingItem",
                "BookingPayload",
                "BookingPriceChange",
                "BookingRuleBreaks",
                "BookingRuleChange",
                "BookingRuleChangeConnection",
                "BookingRuleChangeEdge",
                "BookingRuleDecision",
                "BookingRulePayload",
                "BookingRulePreview",
                "BookingRuleSample",
                "CalendarDay",
                "CancellationPolicyPayload",
                "CancellationStep",
                "CancellationTerms",
                "CapacityChange",
                "CapacityInUse",
                "Contact",
                "DecidingRule",
                "GuestCount",
                "HoldExpired",
                "InputError",
                "Money",
                "Payment",
                "PaymentDeclined",
                "PaymentDue",
                "PaymentEvent",
                "PriceChange",
                "PriceChangeConnection",
                "PriceChangeEdge",
                "PriceChanged",
                "PriceRulePayload",
                "PriceSample",
                "PromoCodePayload",
                "QuoteLine",
                "QuotePayload",
                "RatePlanPayload",
                "Refusal",
                "ResourceConnection",
                "ResourceEdge",
                "ResourcePayload",
                "ResourceRequirement",
                "RuleViolation",
                "SampleTotal",
                "Series",
                "SeriesChange",
                "SeriesChangePayload",
                "SeriesConflict",
                "SeriesDate",
                "SeriesOccurrence",
                "SeriesPayload",
                "SeriesPreview",
                "SeriesUnchanged",
                "Slot",
                "SoldOut",
                "TaxLine",
                "TaxRulePayload",
                "Timeline",
                "TimelineStep",
                "VenueConnection",
                "VenueEdge",
                "VenuePayload",
                "VersionConflict",
                "WaitlistEntryConnection",
                "WaitlistEntryEdge",
                "WaitlistPayload",
            ),
            Visibility.PARENT,
        ),
    }
)
"""The rule of every object type of the schema; a type without one fails a test. The roots declare theirs per field."""


def may_see_venue(viewer: Viewer, venue: Venue) -> bool:
    """Published venues are public; others are for the organization's staff. The same goes for their resources."""
    return venue.is_published or viewer.may(Role.STAFF, venue.organization_id)


def may_see_rule(viewer: Viewer, rule: BookingRule, venue: Venue) -> bool:
    """A rule is shown with its venue; once it was removed, to the organization's staff."""
    return viewer.may(Role.STAFF, venue.organization_id) or (venue.is_published and not rule.is_removed)


def may_see_quote(viewer: Viewer, quote: Quote) -> bool:
    """By its id alone, to the organization's staff, and to who made it with an account there."""
    acting = acting_in(viewer, quote.organization_id)
    made_it = acting.role is not Role.GUEST and acting.actor == quote.actor
    return made_it or viewer.may(Role.STAFF, quote.organization_id)


def may_see_setting(viewer: Viewer, organization_id: uuid.UUID) -> bool:
    """A rate plan, price rule, promo code, tax or policy by its id alone, removed or not: the organization's staff."""
    return viewer.may(Role.STAFF, organization_id)


def may_see_organization(viewer: Viewer, organization: Organization, has_published_venue: bool) -> bool:
    """With a published venue it is public; otherwise for everybody who belongs to it."""
    return has_published_venue or viewer.may(Role.CUSTOMER, organization.id)
