"""Every operation of the schema that takes an id or a name, about what belongs to somebody else.

An id is foreign in two ways: as it is, and forged: their row's id under our organization, which any client can write
down, since an id carries both. Whoever trusts the organization in an id and forgets it in a statement answers that.
"""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schema.global_id import GlobalKind, encode
from tests.isolation.tenants import Tenant

WINDOW = {"startsAt": "2030-06-01T14:00:00Z", "endsAt": "2030-06-01T15:00:00Z"}
WEEKLY = "FREQ=WEEKLY;COUNT=2"

BOOKING = "id reference contact { name email } items { resource { slug name } } events { edges { cursor } }"
BOOKING_PAYLOAD = f"{{ booking {{ {BOOKING} }} token errors {{ code }} }}"
SERIES_PAYLOAD = f"{{ series {{ bookings {{ {BOOKING} }} occurrences {{ token }} }} errors {{ code }} }}"
SERIES_CHANGE_PAYLOAD = f"""{{ changes {{ booking {{ {BOOKING} }} }}
    errors {{ code ... on SeriesUnchanged {{ changes {{ booking {{ {BOOKING} }} }} }} }} }}"""
ENTRY = "id contact { name email } resource { slug name }"
WAITLIST_PAYLOAD = f"{{ entry {{ {ENTRY} }} token errors {{ code }} }}"
RESOURCE_PAYLOAD = "{ resource { id slug name } errors { code } }"
RULE_PAYLOAD = "{ rule { id parameters } breaks { count references } preview { resourceCount } errors { code } }"
CODE_PAYLOAD = "{ promoCode { id code } errors { code } }"
QUOTE_PAYLOAD = "{ quote { id promoCode lines { label } } errors { code } }"
VENUE_PAYLOAD = "{ venue { id slug name } errors { code } }"
RESOURCE = "id slug name rules { id type } requirements { perUnit resource { slug name } } choices { slug name }"

NODE = "query ($id: ID!) { node(id: $id) { id __typename } }"

ACTIONS = ("bookingExtend", "bookingRelease", "bookingConfirm", "bookingCancel", "bookingCheckoutComplete")
DECISIONS = ("bookingApprove", "bookingReject")
OF_A_RESOURCE: dict[str, dict[str, Any]] = {
    "resourceUpdate": {"name": "Taken over", "holdMinutes": 1, "requirements": [], "choices": []},
    "capacitySet": {"capacity": 1},
    "resourceClose": {"window": WINDOW},
    "resourceOpen": {"window": WINDOW},
}


@dataclass(frozen=True, slots=True)
class Ask:
    """An operation, and whether it watches."""

    name: str
    operation: str
    variables: dict[str, Any]
    watches: bool = False


def asks_about(theirs: Tenant, ours: Tenant) -> Iterator[Ask]:
    """Each operation with ids of theirs, and with ids of their rows under our organization."""
    for way, organization_id in (("foreign", theirs.id), ("forged", ours.id)):
        for ask in _queries(theirs, organization_id):
            yield Ask(f"{ask.name} ({way})", ask.operation, ask.variables, ask.watches)
        for ask in _mutations(theirs, ours, organization_id):
            yield Ask(f"{ask.name} ({way})", ask.operation, ask.variables)
    yield from _lists(theirs)


def _queries(theirs: Tenant, organization_id: uuid.UUID) -> Iterator[Ask]:
    def of(kind: GlobalKind, id_: uuid.UUID) -> str:
        return encode(kind, organization_id, id_)

    hidden = of(GlobalKind.RESOURCE, theirs.hidden.id)
    venue = of(GlobalKind.VENUE, theirs.hidden_venue.id)
    bookings = [of(GlobalKind.BOOKING, record.booking.id) for record in (theirs.booked, theirs.held)]
    node = f"""query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename id
        ... on Venue {{ slug name resources {{ edges {{ node {{ {RESOURCE} }} }} }} }}
        ... on Resource {{ {RESOURCE} }}
        ... on Booking {{ reference contact {{ name email }} }} }} }}"""
    yield Ask("nodes", node, {"ids": [hidden, venue, *bookings]})
    booking = "query ($id: ID!) { booking(id: $id) { id reference contact { name email } } }"
    cancelled = f"query ($id: ID!) {{ bookingCancelQuote(bookingId: $id) {{ booking {{ {BOOKING} }} until }} }}"
    for id_ in bookings:
        yield Ask("booking", booking, {"id": id_})
        yield Ask("bookingCancelQuote", cancelled, {"id": id_})
    availability = """query ($input: AvailabilityInput!) { availability(input: $input) {
        resource { id slug name } vacancies } }"""
    asked = {"window": WINDOW, "quantity": 1}
    yield Ask("availability", availability, {"input": {**asked, "resourceIds": [hidden]}})
    yield Ask("availability", availability, {"input": {**asked, "venueId": venue}})
    preview = (
        "query ($input: SeriesPreviewInput!) { seriesPreview(input: $input) { occurrences { startsAt bookable } } }"
    )
    yield Ask("seriesPreview", preview, {"input": {"window": WINDOW, "recurrence": WEEKLY, "resourceId": hidden}})
    listed = f"query ($filter: BookingFilter!) {{ bookings(filter: $filter) {{ edges {{ node {{ {BOOKING} }} }} }} }}"
    yield Ask("bookings", listed, {"filter": {"venueId": venue}})
    yield Ask("bookings", listed, {"filter": {"resourceId": hidden}})
    capacity = """subscription ($ids: [ID!]!) { capacityChanged(resourceIds: $ids) {
        resource { slug name } version steps { capacity vacancies } } }"""
    yield Ask("capacityChanged", capacity, {"ids": [hidden]}, watches=True)
    changed = "subscription ($id: ID!) { bookingChanged(bookingId: $id) { reference contact { name email } } }"
    yield Ask("bookingChanged", changed, {"id": bookings[0]}, watches=True)
    entry = of(GlobalKind.WAITLIST_ENTRY, theirs.waiting.id)
    yield Ask("nodes of waitlists", "query ($id: ID!) { node(id: $id) { id } }", {"id": entry})
    yield Ask("waitlistEntry", f"query ($id: ID!) {{ waitlistEntry(id: $id) {{ {ENTRY} }} }}", {"id": entry})
    of_resource = f"""query ($id: ID!) {{ waitlistEntries(resourceId: $id) {{ edges {{ node {{ {ENTRY} }} }} }} }}"""
    yield Ask("waitlistEntries", of_resource, {"id": of(GlobalKind.RESOURCE, theirs.tour.id)})
    waiting = f"subscription ($id: ID!) {{ waitlistChanged(entryId: $id) {{ {ENTRY} }} }}"
    yield Ask("waitlistChanged", waiting, {"id": entry}, watches=True)


def _mutations(theirs: Tenant, ours: Tenant, organization_id: uuid.UUID) -> Iterator[Ask]:
    hidden = encode(GlobalKind.RESOURCE, organization_id, theirs.hidden.id)
    hall = encode(GlobalKind.RESOURCE, organization_id, theirs.hall.id)
    venue = encode(GlobalKind.VENUE, organization_id, theirs.hidden_venue.id)
    own_hall = encode(GlobalKind.RESOURCE, ours.id, ours.hall.id)
    held = [hidden] if organization_id == theirs.id else [hidden, hall]  # as it is, the hall is for anybody to hold
    for id_ in held:
        items = [{"resourceId": id_, "window": WINDOW}]
        yield mutation("bookingHold", "BookingHoldInput", BOOKING_PAYLOAD, items=items)
        weekly = {"resourceId": id_, "window": WINDOW, "recurrence": WEEKLY}
        yield mutation("seriesHold", "SeriesHoldInput", SERIES_PAYLOAD, **weekly)
        given = {"resourceId": id_, "window": WINDOW, "contact": {"email": "ada@example.com"}}
        yield mutation("waitlistJoin", "WaitlistJoinInput", WAITLIST_PAYLOAD, **given)
    entry = encode(GlobalKind.WAITLIST_ENTRY, organization_id, theirs.waiting.id)
    yield mutation("waitlistLeave", "WaitlistLeaveInput", WAITLIST_PAYLOAD, entryId=entry)
    for record in (theirs.booked, theirs.held):
        booking = encode(GlobalKind.BOOKING, organization_id, record.booking.id)
        for name in ACTIONS:
            yield mutation(name, "BookingActionInput", BOOKING_PAYLOAD, bookingId=booking)
        yield mutation("bookingCheckout", "BookingCheckoutInput", BOOKING_PAYLOAD, bookingId=booking)
        for name in DECISIONS:
            yield mutation(name, "BookingDecisionInput", BOOKING_PAYLOAD, bookingId=booking)
        yield from _changes(booking, {"resourceId": hall, "window": WINDOW})
    own = encode(GlobalKind.BOOKING, ours.id, ours.booked.booking.id)
    yield from _changes(own, {"resourceId": hidden, "window": WINDOW})
    for id_ in (hidden, hall):
        for name, given in OF_A_RESOURCE.items():
            kind = f"{name[0].upper()}{name[1:]}Input"
            yield mutation(name, kind, RESOURCE_PAYLOAD, resourceId=id_, **given)
    rule = {"ruleId": encode(GlobalKind.BOOKING_RULE, organization_id, theirs.rule.id)}
    grid = {"type": "START_GRID", "parameters": {"minutes": 60}}
    for dry_run in (False, True):
        for target in ({"resourceId": hidden}, {"resourceId": hall}, {"venueId": venue}, rule):
            yield mutation("bookingRuleSet", "BookingRuleSetInput", RULE_PAYLOAD, dryRun=dry_run, **grid, **target)
        yield mutation("bookingRuleRemove", "BookingRuleRemoveInput", RULE_PAYLOAD, dryRun=dry_run, **rule)
    yield from _settings(theirs, organization_id, [{"resourceId": hidden}, {"resourceId": hall}, {"venueId": venue}])
    yield from _quotes(theirs, organization_id, venue)
    needs = [{"resourceId": hidden, "perUnit": 1}]
    yield mutation("resourceUpdate", "ResourceUpdateInput", RESOURCE_PAYLOAD, resourceId=own_hall, requirements=needs)
    yield mutation("resourceUpdate", "ResourceUpdateInput", RESOURCE_PAYLOAD, resourceId=own_hall, choices=[hidden])
    made = {"slug": "mine", "name": "Mine", "availabilityType": "OPENING_HOURS", "capacity": 1}
    yield mutation("resourceCreate", "ResourceCreateInput", RESOURCE_PAYLOAD, venueId=venue, **made)
    changes = {"venueId": venue, "name": "Taken over", "isPublished": True}
    yield mutation("venueUpdate", "VenueUpdateInput", VENUE_PAYLOAD, **changes)
    series = encode(GlobalKind.SERIES, organization_id, theirs.series_id)
    yield mutation("seriesConfirm", "SeriesActionInput", SERIES_CHANGE_PAYLOAD, seriesId=series)
    yield mutation("seriesRelease", "SeriesActionInput", SERIES_CHANGE_PAYLOAD, seriesId=series)


def _changes(booking: str, item: dict[str, Any]) -> Iterator[Ask]:
    """A booking that is to be of something else, or a part of which is cancelled."""
    change = {"bookingId": booking, "items": [item]}
    part = {"bookingId": booking, "itemId": f"{booking}.7", "quantity": 1}
    for name, kind, given in (
        ("bookingChange", "BookingChange", change),
        ("bookingItemCancel", "BookingItemCancel", part),
    ):
        yield mutation(name, f"{kind}Input", BOOKING_PAYLOAD, **given)
        told = f"{{ {name}Quote(input: $input) {{ booking {{ {BOOKING} }} totalAfter {{ amount }} }} }}"
        yield Ask(f"{name}Quote", f"query ($input: {kind}QuoteInput!) {told}", {"input": given})


def _settings(theirs: Tenant, organization_id: uuid.UUID, places: list[dict[str, str]]) -> Iterator[Ask]:
    """Rate plans, price rules, taxes and cancellation policies, of places and by their own ids."""
    hour = {"code": "STANDARD", "parameters": {"amount": 1, "every": "MINUTES"}}
    monday = {"type": "WEEKDAY", "parameters": {"weekdays": [1], "percent": "-100"}}
    vat = {"type": "PERCENT", "parameters": {"code": "VAT", "rate": "1"}}
    free = {"code": "FREE", "parameters": {}}
    for name, kind, row, given in (
        ("ratePlan", GlobalKind.RATE_PLAN, theirs.plan, hour),
        ("priceRule", GlobalKind.PRICE_RULE, theirs.price_rule, monday),
        ("taxRule", GlobalKind.TAX_RULE, theirs.tax, vat),
        ("cancellationPolicy", GlobalKind.CANCELLATION_POLICY, theirs.policy, free),
    ):
        input_ = f"{name[0].upper()}{name[1:]}"
        payload = f"{{ {name} {{ id name }} samples {{ after {{ ratePlan }} }} errors {{ code }} }}"
        own = {f"{name}Id": encode(kind, organization_id, row.id)}
        for dry_run in (False, True):
            named = {"name": "Taken over", "dryRun": dry_run}
            for place in places:
                yield mutation(f"{name}Set", f"{input_}SetInput", payload, **given, **named, **place)
            yield mutation(f"{name}Set", f"{input_}SetInput", payload, **named, **own)
            yield mutation(f"{name}Remove", f"{input_}RemoveInput", payload, dryRun=dry_run, **own)
        yield Ask("nodes of prices", NODE, {"id": own[f"{name}Id"]})


def _quotes(theirs: Tenant, organization_id: uuid.UUID, venue: str) -> Iterator[Ask]:
    """Promo codes and quotes, of places and by their own ids."""
    code = {"promoCodeId": encode(GlobalKind.PROMO_CODE, organization_id, theirs.promo_code.id)}
    yield mutation("promoCodeSet", "PromoCodeSetInput", CODE_PAYLOAD, usesMax=1, **code)
    yield mutation("promoCodeSet", "PromoCodeSetInput", CODE_PAYLOAD, code="MINE", venueId=venue)
    hidden = encode(GlobalKind.RESOURCE, organization_id, theirs.hidden.id)
    items = [{"resourceId": hidden, "window": WINDOW}]
    quote = encode(GlobalKind.QUOTE, organization_id, theirs.quote.id)
    yield mutation("quoteCreate", "QuoteCreateInput", QUOTE_PAYLOAD, items=items)
    yield mutation("bookingHold", "BookingHoldInput", BOOKING_PAYLOAD, items=items, quoteId=quote)
    yield Ask(
        "quote", f"query ($input: QuoteInput!) {{ quote(input: $input) {QUOTE_PAYLOAD} }}", {"input": {"items": items}}
    )
    yield Ask("nodes of quotes", NODE, {"id": quote})
    yield Ask("nodes of prices", NODE, {"id": code["promoCodeId"]})


def mutation(field: str, kind: str, payload: str, /, **given: Any) -> Ask:
    """The mutation with this input, under a fresh key."""
    operation = f"mutation ($input: {kind}!) {{ {field}(input: $input) {payload} }}"
    return Ask(field, operation, {"input": {"idempotencyKey": secrets.token_hex(16), **given}})


def _lists(theirs: Tenant) -> Iterator[Ask]:
    """What is asked for without an id."""
    venues = "{ venues(first: 50) { edges { node { id slug name resources { edges { node { slug name } } } } } } }"
    yield Ask("venues", venues, {})
    yield Ask("venue", "query ($slug: String!) { venue(slug: $slug) { id name } }", {"slug": theirs.hidden_venue.slug})
    yield Ask("bookings", f"{{ bookings(first: 50) {{ edges {{ node {{ {BOOKING} }} }} }} }}", {})
    yield Ask("waitlistEntries of all", f"{{ waitlistEntries(first: 50) {{ edges {{ node {{ {ENTRY} }} }} }} }}", {})
    reference = "query ($reference: String!) { booking(reference: $reference) { id contact { name } } }"
    yield Ask("booking by reference", reference, {"reference": theirs.booked.booking.reference})
