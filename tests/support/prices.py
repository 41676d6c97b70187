"""A guesthouse with prices, for tests."""

from datetime import date, time
from typing import Any

from engine.promo_codes import PromoFields, SetPromoCode, set_promo_code
from models.database import Database
from models.keys import VenueKey
from models.ledger.requests import hash_request
from models.price import PriceRule, PromoCode, RatePlan
from models.resource import AvailabilityType, Resource
from models.venue import Organization, Venue
from tests.support.factories import key_of, make_resource, make_venue
from tests.support.settings import manager_of, put
from tests.support.staff import fresh_key

NIGHTLY: dict[str, Any] = {"amount": 100_00, "every": "NIGHT"}
WEEKEND: dict[str, Any] = {"weekdays": [5, 6], "percent": "15"}
SPRING: dict[str, Any] = {"codes": ["SPRING"], "percent": "-20"}
FRIDAY = date(2030, 6, 7)


async def make_guesthouse(
    database: Database, *, organization: Organization | None = None, currency: str = "EUR"
) -> Venue:
    """A venue in Lisbon where guests stay from 15:00 to 11:00."""
    return await make_venue(
        database,
        organization=organization,
        time_zone="Europe/Lisbon",
        currency=currency,
        country="PT",
        check_in_time=time(15),
        check_out_time=time(11),
    )


async def make_room(database: Database, venue: Venue, *, capacity: int = 2, priced: bool = True) -> Resource:
    """Rooms of one kind, 100.00 a night with the plan Standard unless they have no price."""
    room = await make_resource(
        database, venue=venue, capacity=capacity, availability_type=AvailabilityType.NIGHTLY, rules={}
    )
    if priced:
        await put(database, RatePlan, key_of(room), identity="STANDARD", name="Standard", parameters=NIGHTLY)
    return room


async def find_organization(database: Database, venue: Venue) -> Organization:
    """Whose venue it is."""
    async with database.reading(venue.organization_id) as session:
        found = await session.get(Organization, venue.organization_id)
    assert found is not None
    return found


async def put_promo_code(database: Database, venue: Venue, code: str = "SPRING", **fields: Any) -> PromoCode:
    """A promo code of the venue, and a rule that takes a fifth off for it."""
    key = VenueKey(venue.organization_id, venue.id)
    given = PromoFields(code=code, **fields)  # type: ignore[typeddict-item]
    request = SetPromoCode(fresh_key(), hash_request("promoCodeSet", {"code": code}), key, given)
    row = await set_promo_code(database, manager_of(key), request)
    await put(database, PriceRule, key, identity="PROMO_CODE", name="Spring", parameters={**SPRING, "codes": [code]})
    return row
