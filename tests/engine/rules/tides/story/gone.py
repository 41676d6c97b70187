"""Run by test_plugins.py after story.py, where the package is not installed."""

import asyncio
import os
from functools import partial

from sqlmodel import select

from engine.availability import slots
from engine.facts import load_facts
from engine.rules import registry
from models.database import connect
from models.queries.timelines import read_timelines
from models.resource import Resource
from tests.engine.rules.tides.story.story import NOW, tell, tell_price, try_to_hold
from tests.support.factories import between, key_of


async def main() -> None:
    """The boat of story.py."""
    database = await connect(os.environ["DATABASE_URL"], pool_size=2)
    try:
        async with database.reading() as session:
            boat = (await session.exec(select(Resource).where(Resource.slug == "boat"))).one()
        facts = (await load_facts(database, [key_of(boat)]))[key_of(boat)]
        print(f"summary: {registry.summary(facts.stored_rules[0].type)}")  # noqa: T201
        await tell(database, boat, "high tide")
        await try_to_hold(database, boat, "high tide")
        await tell_price(database, boat)
        found = await slots(facts, between("00:00", "12:00"), load=partial(read_timelines, database), now=NOW)
        print(f"slots: {len(found)}, bookable {sum(slot.bookable for slot in found)}")  # noqa: T201
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
