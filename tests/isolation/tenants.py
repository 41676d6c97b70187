"""Two organizations of the same shape, with rows in every table: one asks, the other must not be seen or touched."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg

from engine.availability import Wish
from engine.hold_prices import AskedPrice
from engine.holds import HoldRequest, ItemRequest, hold
from engine.quoting import QuoteRequest, create
from engine.viewer import Role, Viewer
from models.base import new_id
from models.database import Database
from models.keys import BookingKey
from models.ledger import calls, payments
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction, Command, Contact
from models.ledger.webhooks import take_event
from models.payment import PaymentDispute, PaymentRefundRow, RefundReason
from models.price import CancellationPolicy, PriceRule, PromoCode, Quote, RatePlan, TaxRule
from models.resource import BookingRule, Resource
from models.venue import Organization, Venue
from models.waitlist import WaitlistEntry
from tests.support import settings
from tests.support.factories import (
    adjust_of,
    at,
    between,
    change_of,
    hold_of,
    key_of,
    make_booking,
    make_choices,
    make_entry,
    make_organization,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.prices import put_promo_code
from tests.support.rules import put
from tests.support.staff import fresh_key, viewer_of
from tests.support.taxes import FlatTaxes

RULES = {"START_GRID": {"minutes": 30}}
CATALOG = (
    "booking_rule",
    "cancellation_policy",
    "directory",
    "organization",
    "price_rule",
    "rate_plan",
    "resource",
    "resource_choice",
    "resource_requirement",
    "tax_rule",
    "venue",
)
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
NOT_OF_AN_ORGANIZATION = "alembic_version"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization with a published venue and one that is not, resources, bookings and a change of capacity."""

    organization: Organization
    venue: Venue
    hall: Resource
    tour: Resource
    hidden_venue: Venue
    hidden: Resource
    booked: BookingRecord
    held: BookingRecord
    waiting: WaitlistEntry
    secrets: tuple[str, ...]
    rule: BookingRule
    tax: TaxRule
    policy: CancellationPolicy
    plan: RatePlan
    price_rule: PriceRule
    promo_code: PromoCode
    quote: Quote

    @property
    def id(self) -> uuid.UUID:
        return self.organization.id

    @property
    def series_id(self) -> uuid.UUID:
        """Of the booking that is held."""
        assert self.held.booking.series_id is not None
        return self.held.booking.series_id


async def make_tenant(database: Database, name: str) -> Tenant:
    """Everything private carries the organization's name, so that it is known again wherever it turns up."""
    organization = await make_organization(database, name=name)
    venue = await make_venue(database, organization=organization, time_zone="UTC")
    hall = await make_resource(database, venue=venue, capacity=5, rules=RULES)
    tour = await make_resource(database, venue=venue, capacity=5, rules=RULES)
    await make_requirement(database, tour, hall, per_unit=1)
    any_room = await make_resource(database, venue=venue, capacity=1, rules=RULES)
    await make_choices(database, any_room, await make_resource(database, venue=venue, capacity=1, rules=RULES))
    hidden_venue = await make_venue(
        database, organization=organization, name=f"{name} hidden", is_published=False, time_zone="UTC"
    )
    hidden = await make_resource(database, venue=hidden_venue, name=f"{name} cellar", capacity=3, rules=RULES)
    other = await make_resource(database, venue=hidden_venue, name=f"{name} attic", rules=RULES)
    await make_requirement(database, other, hidden, per_unit=1)
    either = await make_resource(database, venue=hidden_venue, name=f"{name} either", rules=RULES)
    await make_choices(database, either, hidden)
    contact = Contact(name=f"{name} guest", email=f"{name}@example.com", phone="+213 000")
    booked = await make_booking(database, tour, contact=contact, customer_id="customer:ada")
    grid = await put(database, key_of(hidden), type="START_GRID", parameters={"minutes": 1}, priority=-1)
    tax, policy = await _terms(database, tour, hidden, name)
    series = replace(hold_of(hidden, contact=contact), series_id=new_id(), series_position=0)
    held = await calls.hold(database, series)
    waiting = await make_entry(database, tour, quantity=5, email=f"{name}@example.org")
    await calls.adjust(database, adjust_of(hall, "18:00", "20:00", capacity=4))
    secrets = (
        f"{name} ",
        f"{name}@",
        hidden_venue.slug,
        hidden.slug,
        *(record.booking.reference for record in (booked, held)),
    )
    prices = await _prices(database, tour, hidden, hidden_venue, name)
    await _book_with_provided_tax(database, other)
    terms = (tax, policy, *prices)
    return Tenant(
        organization, venue, hall, tour, hidden_venue, hidden, booked, held, waiting, secrets, grid.rule, *terms
    )


async def _prices(
    database: Database, shown: Resource, hidden: Resource, venue: Venue, name: str
) -> tuple[RatePlan, PriceRule, PromoCode, Quote]:
    """Prices of a resource that everybody sees; of one that nobody else does those that are returned, and a quote."""
    hour: dict[str, Any] = {"identity": "STANDARD", "parameters": {"amount": 8_00, "every": "MINUTES"}}
    monday: dict[str, Any] = {"identity": "WEEKDAY", "parameters": {"weekdays": [1], "percent": "10"}}
    await settings.put(database, RatePlan, key_of(shown), name=f"{name} rate", **hour)
    await settings.put(database, PriceRule, key_of(shown), name=f"{name} Mondays", **monday)
    plan = await settings.put(database, RatePlan, key_of(hidden), name=f"{name} rate", **hour)
    rule = await settings.put(database, PriceRule, key_of(hidden), name=f"{name} Mondays", **monday)
    code = await put_promo_code(database, venue, uses_max=5)
    wish = Wish(window=between("2030-06-01 14:00", "2030-06-01 15:00"))
    staff = viewer_of(Role.MANAGER, hidden.organization_id)
    request = QuoteRequest((ItemRequest(key_of(hidden), wish),), promo=code.code)
    now = at("2030-05-31 12:00")
    quote = await create(database, staff, request, key=fresh_key(), request_hash=b"", now=now)
    assert quote is not None
    await _payment(database, staff, request, quote)
    return plan, rule, code, quote


async def _book_with_provided_tax(database: Database, resource: Resource) -> None:
    """A booking that a tax provider is to be told of."""
    await settings.put(database, RatePlan, key_of(resource), identity="STANDARD", parameters={"amount": 1_00})
    await settings.put(database, TaxRule, key_of(resource), identity="PROVIDED", parameters={"code": "VAT"})
    item = ItemRequest(key_of(resource), Wish(window=between("2030-06-01 14:00", "2030-06-01 15:00")))
    key, staff = fresh_key(), viewer_of(Role.MANAGER, resource.organization_id)
    request = HoldRequest(key, key.encode(), (item,), NO_CONTACT, {})
    record = await hold(database, staff, request, now=at("2030-05-31 12:00"), taxes=FlatTaxes())
    await calls.change_booking(database, change_of(record, BookingAction.CONFIRM))


async def _payment(database: Database, staff: Viewer, request: QuoteRequest, quote: Quote) -> None:
    """A booking that is being paid, what the provider has told of it, money that is to go back, and a dispute."""
    asked = HoldRequest(fresh_key(), b"", request.items, NO_CONTACT, {}, asked_price=AskedPrice(quote.id))
    record = await hold(database, staff, asked, now=quote.expires_at - timedelta(minutes=1))
    booking = record.booking
    command = Command(booking.organization_id, staff.actor, fresh_key(), b"")
    _, payment = await payments.checkout(database, payments.Checkout(command, booking.id, payments.PaymentPeriod()))
    key = BookingKey(booking.organization_id, booking.id)
    await take_event(database, key, f"evt_{booking.id.hex}", "payment_intent.created", at("2030-05-31 12:00"))
    async with database.writing(booking.organization_id) as session:
        session.add(
            PaymentRefundRow(
                organization_id=booking.organization_id,
                booking_id=booking.id,
                number=1,
                payment_number=payment.number,
                amount=payment.amount,
                currency=payment.currency,
                reason=RefundReason.PART,
            )
        )
        session.add(
            PaymentDispute(
                organization_id=booking.organization_id,
                booking_id=booking.id,
                reference="dp_1",
                payment_number=payment.number,
                amount=payment.amount,
                currency=payment.currency,
            )
        )


async def _terms(
    database: Database, shown: Resource, hidden: Resource, name: str
) -> tuple[TaxRule, CancellationPolicy]:
    """A tax and a policy of a resource that everybody sees, and of one that nobody else does: those are returned."""
    vat: dict[str, Any] = {"identity": "PERCENT", "parameters": settings.VAT}
    none: dict[str, Any] = {"identity": "NONE", "parameters": {}}
    await settings.put(database, TaxRule, key_of(shown), name=f"{name} tax", **vat)
    await settings.put(database, CancellationPolicy, key_of(shown), name=f"{name} terms", **none)
    tax = await settings.put(database, TaxRule, key_of(hidden), name=f"{name} tax", **vat)
    policy = await settings.put(database, CancellationPolicy, key_of(hidden), name=f"{name} terms", **none)
    return tax, policy


async def tables_of(owner: "asyncpg.Connection") -> list[str]:
    """Every table that has rows of organizations, as the database knows them."""
    rows = await owner.fetch(TABLES)
    return sorted(row["relname"] for row in rows if row["relname"] != NOT_OF_AN_ORGANIZATION)


def key_column(table: str) -> str:
    """The column that tells whose a row is."""
    return "id" if table == "organization" else "organization_id"


async def rows_of(owner: "asyncpg.Connection", tenant: Tenant) -> dict[str, list[str]]:
    """All rows of an organization, as the owner sees them."""
    return {
        table: [
            row[0]
            for row in await owner.fetch(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE {key_column(table)} = $1 ORDER BY 1", tenant.id
            )
        ]
        for table in await tables_of(owner)
    }
