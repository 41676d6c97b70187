"""Run by test_plugins.py where the package is installed: its rule refuses and offers, reading and booking."""

import asyncio
import os
import secrets
from functools import partial

from engine.availability import Wish, availability
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.quote_rows import lines_of, taxes_of
from engine.quoting import QuoteRequest, look
from engine.viewer import GUEST
from models.database import Database, connect
from models.errors import BookingError, Refused
from models.ledger.requests import NO_CONTACT
from models.price import PriceRule, RatePlan, TaxRule
from models.queries.timelines import read_timelines
from models.resource import Resource
from schema.error_codes import code_of
from tests.support.factories import at, between, key_of, make_resource, make_venue
from tests.support.settings import put

NOW = at("2030-05-30 12:00")
TIMES = {"low tide": between("16:00", "18:00"), "high tide": between("11:00", "13:00")}


async def tell(database: Database, resource: Resource, when: str) -> None:
    """What availability answers."""
    facts = (await load_facts(database, [key_of(resource)]))[key_of(resource)]
    answer = await availability(facts, Wish(TIMES[when]), load=partial(read_timelines, database), now=NOW)
    told = " ".join(f"{refusal.rule} {refusal.parameters}" for refusal in answer.refusals)
    print(f"availability at {when}: {[code_of(one.code).value for one in answer.refusals]} {told}".rstrip())  # noqa: T201


async def try_to_hold(database: Database, resource: Resource, when: str) -> None:
    """What a hold answers."""
    item = ItemRequest(key_of(resource), Wish(TIMES[when]))
    request = HoldRequest(secrets.token_hex(16), b"hash", (item,), NO_CONTACT, {})
    try:
        found = (await hold(database, GUEST, request, now=NOW)).booking.status
    except Refused as error:
        found = code_of(error.code).value
    print(f"hold at {when}: {found}")  # noqa: T201


async def tell_price(database: Database, resource: Resource) -> None:
    """What a quote answers."""
    request = QuoteRequest((ItemRequest(key_of(resource), Wish(TIMES["high tide"], quantity=2)),))
    try:
        row = await look(database, GUEST, request, now=NOW)
    except BookingError as error:
        print(f"quote: {error.code}")  # noqa: T201
        return
    assert row is not None
    lines = [f"{line.label} {line.amount}" for line in lines_of(row)]
    taxes = [f"{line.label} {line.amount} ({line.rate})" for line in taxes_of(row)]
    print(f"quote: {', '.join([*lines, *taxes])}: {row.total}")  # noqa: T201


async def set_prices(database: Database, resource: Resource) -> None:
    """A plan of ours, and a price rule and a tax of the package."""
    key = key_of(resource)
    await put(database, RatePlan, key, identity="STANDARD", name="Standard", parameters={"amount": 80_00})
    spring, dues = {"days": [1], "percent": "10"}, {"code": "DUES", "amount": 50, "meters": 8}
    await put(database, PriceRule, key, identity="SPRING_TIDE", name="Spring tide", parameters=spring)
    await put(database, TaxRule, key, identity="PORT_DUES", name="Dues", parameters=dues)


async def main() -> None:
    """A boat with a rule, a price rule and a tax of the package."""
    database = await connect(os.environ["DATABASE_URL"], pool_size=2)
    try:
        venue = await make_venue(database, slug="port", time_zone="UTC", currency="EUR")
        boat = await make_resource(
            database, venue=venue, slug="boat", capacity=2, rules={"TIDE_TABLE": {"highTide": "12:00"}}
        )
        for when in TIMES:
            await tell(database, boat, when)
        for when in TIMES:
            await try_to_hold(database, boat, when)
        await set_prices(database, boat)
        await tell_price(database, boat)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
