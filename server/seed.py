"""Example data, so that nothing looks empty: three organizations, and some hundreds of bookings around today.

    organization  venue            resources
    atlas         atlas-algiers    desk-hall, pool-lanes, meeting-room-casbah, meeting-room-djurdjura,
                                   meeting-room-hoggar, yoga-class, whole-floor
    mirante       casa-do-mirante  double-room, twin-room, family-room, single-room, whole-house
    lagoon        lagoon-kayaks    kayaks, guides, lagoon-tour

Ids, names and dates are made from the calendar alone (`server.examples`), so every machine has the same. A second run
on a day does nothing; a run on a later day adds the days that have come into view. What is there is never changed, and
where people have booked in the meantime an example stays out.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

from engine.idempotency import commit_once
from models.database import Database, WriteSession, connect
from models.errors import InvalidInput
from models.ledger.requests import Command, hash_request
from models.ledger.tables import Idempotency
from server.examples import EXAMPLES
from server.examples.catalog import write_catalog
from server.examples.kinds import ACTOR, Example, ExampleAdjustment, ExampleBooking
from server.examples.placing import adjust_all, book_all

BOOKED_DAYS_BEHIND: Final = 6
BOOKED_DAYS_AHEAD: Final = 35
# Far enough behind for a season that is on, and far enough ahead for the next one.
ADJUSTED_DAYS_BEHIND: Final = 100
ADJUSTED_DAYS_AHEAD: Final = 366

POOL_SIZE: Final = 8


async def seed(database_url: str, *, say: Callable[[str], None]) -> None:
    """Put the example data into a migrated database, with a line for each organization.

    May be interrupted and run again, and run twice at once. Raises Busy when the database does not keep up.
    """
    database = await connect(database_url, pool_size=POOL_SIZE)
    try:
        now = datetime.now(UTC)
        for example in EXAMPLES:
            said = await seed_example(database, example, today=example.today(now))
            say(f"  {example.venue.name} ({example.venue.slug}): {said}")
    finally:
        await database.close()


async def seed_example(database: Database, example: Example, *, today: date) -> str:
    """Put in one example as it looks on the civil day `today` of its venue, and say in words what was done."""
    bookings = bookings_around(example, today)
    seen = f"seed-{today}-{_digest(example, bookings)}"
    if await _is_done(database, example, seen):
        return "is up to date"
    try:
        await _once(database, example, f"{seen}-catalog", partial(_write_catalog, example=example))
    except InvalidInput as refusal:  # somebody else has an organization or a venue of this name
        return f"left out: {refusal.message}"
    await adjust_all(database, example, adjustments_around(example, today))
    added = await book_all(database, example, bookings)

    async def done(session: WriteSession) -> dict[str, Any]:
        return {"added": added}

    await _once(database, example, seen, done)
    return f"{len(example.resources)} resources, {added} bookings added"


def bookings_around(example: Example, today: date) -> list[ExampleBooking]:
    """Every booking that is in view on that day, in the order of time; all of them fit together."""
    days = _days(today, BOOKED_DAYS_BEHIND, BOOKED_DAYS_AHEAD)
    found = [booking for day in days for booking in example.bookings(day)]
    return sorted(found, key=lambda booking: (booking.interval, booking.name))


def adjustments_around(example: Example, today: date) -> list[ExampleAdjustment]:
    """Every closure and season that is in view on that day, in the order of time."""
    days = _days(today, ADJUSTED_DAYS_BEHIND, ADJUSTED_DAYS_AHEAD)
    return [adjustment for day in days for adjustment in example.adjustments(day)]


def _days(today: date, behind: int, ahead: int) -> Iterable[date]:
    return (today + timedelta(days=n) for n in range(-behind, ahead + 1))


def _digest(example: Example, bookings: list[ExampleBooking]) -> str:
    """Another one for other data: a newer version of the examples is put in on the same day too."""
    looks = {"venue": repr(example.venue), "resources": repr(example.resources), "bookings": repr(bookings)}
    looks |= {"taxes": repr(example.taxes), "policies": repr(example.policies)}
    return hash_request("seed", looks).hex()[:16]


async def _is_done(database: Database, example: Example, key: str) -> bool:
    async with database.reading(example.id) as session:
        return await session.get(Idempotency, (example.id, ACTOR, key)) is not None


async def _once(
    database: Database,
    example: Example,
    key: str,
    work: Callable[[WriteSession], Awaitable[dict[str, Any]]],
) -> None:
    await commit_once(database, Command(example.id, ACTOR, key, hash_request(key, {})), work)


async def _write_catalog(session: WriteSession, *, example: Example) -> dict[str, Any]:
    return {"resources_added": await write_catalog(session, example)}
