"""Run by test_plugins.py where the package is installed: its rule refuses and offers, reading and booking."""

import asyncio
import os
import secrets
from functools import partial

from engine.availability import Wish, availability
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.database import Database, connect
from models.errors import Refused
from models.ledger.requests import NO_CONTACT
from models.queries.timelines import read_timelines
from models.resource import Resource
from schema.error_codes import code_of
from tests.support.factories import at, between, key_of, make_resource, make_venue

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


async def main() -> None:
    """A boat with a rule of the package."""
    database = await connect(os.environ["DATABASE_URL"], pool_size=2)
    try:
        venue = await make_venue(database, slug="port", time_zone="UTC")
        boat = await make_resource(
            database, venue=venue, slug="boat", capacity=2, rules={"TIDE_TABLE": {"highTide": "12:00"}}
        )
        for when in TIMES:
            await tell(database, boat, when)
        for when in TIMES:
            await try_to_hold(database, boat, when)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
