"""What a process keeps of the catalog, and that nobody books by what is no longer true."""

import asyncio

import asyncpg
import pytest

from engine.availability import Wish
from engine.facts import known_facts, load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.database import Database
from models.errors import Refused
from models.keys import VenueKey
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT
from models.price import CancellationPolicy, TaxRule
from models.resource import BookingRule, Resource
from tests.support.factories import at, between, key_of, make_choices, make_requirement, make_resource, make_venue
from tests.support.settings import VAT, put
from tests.support.statements import recorded_statements

NOW = at("2030-05-31 12:00")
OFF_THE_GRID = between("10:10", "11:00")


async def test_facts_are_read_once(database: Database) -> None:
    resource = await make_resource(database)
    with recorded_statements(database) as statements:
        first = await load_facts(database, [key_of(resource)])
        again = await load_facts(database, [key_of(resource)])
        assert len(statements) == 10
        await known_facts(database, [key_of(resource)])
        assert len(statements) == 10
    assert again == first


TWENTY_AT_MOST = 2 * 7  # one is alone with its statements, all others share theirs


async def test_who_asks_at_the_same_time_is_answered_together(database: Database) -> None:
    first = await make_resource(database)
    keys = [key_of(first)] + [key_of(await make_resource(database, beside=first)) for _ in range(19)]

    with recorded_statements(database) as statements:
        found = await asyncio.gather(*(known_facts(database, [key]) for key in keys))

    assert [list(each) for each in found] == [[key] for key in keys]
    assert len(statements) <= TWENTY_AT_MOST


@pytest.mark.parametrize(
    ("change", "decides"),
    [
        ("UPDATE venue SET name = 'Other'", False),
        ("UPDATE venue SET check_in_time = '16:00'", True),
        ("UPDATE venue SET is_published = NOT is_published", True),
        ("UPDATE resource SET name = 'Other'", False),
        ("UPDATE resource SET hold_seconds = 60", False),
        ("UPDATE resource SET sharing = 'EXCLUSIVE'", True),
        ("UPDATE booking_rule SET is_removed = true", True),
        ("UPDATE booking_rule SET priority = 7", True),
        ("UPDATE resource_requirement SET per_unit = 7", True),
        ("DELETE FROM resource_requirement", True),
        ("DELETE FROM resource_choice", True),
        ("UPDATE tax_rule SET is_removed = true", False),
        ("UPDATE tax_rule SET priority = 7", False),
        ("UPDATE cancellation_policy SET is_removed = true", False),
        ("UPDATE cancellation_policy SET name = 'Other'", False),
    ],
)
async def test_every_change_of_what_is_kept_is_seen(
    database: Database, owner: asyncpg.Connection, change: str, decides: bool
) -> None:
    """And makes one version if it decides over what can be booked, whatever the number of rows that changed."""
    tour, _ = await _tour(database)
    before = (await load_facts(database, [key_of(tour)]))[key_of(tour)]
    await owner.execute(change)
    after = (await load_facts(database, [key_of(tour)]))[key_of(tour)]
    assert after.catalog_version > before.catalog_version
    assert after != before
    assert after.version - before.version == decides
    assert await owner.fetchval("SELECT max(version) FROM outbox WHERE entity_id = $1", tour.id) == after.version


async def test_what_is_required_decides_too(database: Database, owner: asyncpg.Connection) -> None:
    tour, guide = await _tour(database)
    before = (await load_facts(database, [key_of(tour)]))[key_of(tour)]
    await owner.execute("UPDATE resource SET sharing = 'EXCLUSIVE' WHERE id = $1", guide.id)
    after = (await load_facts(database, [key_of(tour)]))[key_of(tour)]
    assert after.requirements[0].resource.sharing == "EXCLUSIVE"
    assert after.version == before.version + 1


async def test_how_a_member_is_shared_decides_for_who_chooses_from_it(
    database: Database, owner: asyncpg.Connection
) -> None:
    tour, _ = await _tour(database)
    before = (await load_facts(database, [key_of(tour)]))[key_of(tour)]
    await owner.execute("UPDATE resource SET sharing = 'EXCLUSIVE' WHERE id = $1", before.choices[0].id)
    after = (await load_facts(database, [key_of(tour)]))[key_of(tour)]
    assert after.choices[0].sharing == "EXCLUSIVE"
    assert after.version == before.version + 1


async def test_a_rule_that_another_process_has_set_refuses(database: Database, owner: asyncpg.Connection) -> None:
    resource = await _with_known_facts(database, grid=5)
    await _set_grid(owner, 60)
    with pytest.raises(Refused) as refusal:
        await _hold(database, resource)
    assert [error.code for error in refusal.value.errors] == ["OFF_GRID"]


async def test_a_rule_that_another_process_has_relaxed_allows(database: Database, owner: asyncpg.Connection) -> None:
    resource = await _with_known_facts(database, grid=60)
    await _set_grid(owner, 5)
    assert (await _hold(database, resource)).booking.status == "ON_HOLD"


async def test_without_the_comparison_under_the_lock_an_old_rule_admits(
    database: Database, owner: asyncpg.Connection
) -> None:
    """The control: what the two tests before guard against does happen."""
    resource = await _with_known_facts(database, grid=5)
    await owner.execute(
        "CREATE OR REPLACE FUNCTION ledger_is_current(p_organization_id uuid, p_requests jsonb) RETURNS boolean"
        " LANGUAGE sql AS 'SELECT true'"
    )
    await _set_grid(owner, 60)
    assert (await _hold(database, resource)).booking.status == "ON_HOLD"


async def _with_known_facts(database: Database, *, grid: int) -> Resource:
    resource = await make_resource(database, rules={"START_GRID": {"minutes": grid}})
    await load_facts(database, [key_of(resource)])
    return resource


async def _set_grid(owner: asyncpg.Connection, minutes: int) -> None:
    await owner.execute("UPDATE booking_rule SET parameters = jsonb_build_object('minutes', $1::int)", minutes)


async def _hold(database: Database, resource: Resource) -> BookingRecord:
    item = ItemRequest(key_of(resource), Wish(window=OFF_THE_GRID))
    return await hold(database, GUEST, HoldRequest("k" * 16, b"hash", (item,), NO_CONTACT, {}), now=NOW)


async def _tour(database: Database) -> tuple[Resource, Resource]:
    venue = await make_venue(database)
    tour = await make_resource(database, venue=venue, rules={"START_GRID": {"minutes": 30}})
    guide = await make_resource(database, venue=venue)
    await make_requirement(database, tour, guide, per_booking=1)
    await make_choices(database, tour, await make_resource(database, venue=venue))
    async with database.writing(venue.organization_id) as session:
        session.add(
            BookingRule(
                organization_id=venue.organization_id, venue_id=venue.id, type="START_GRID", parameters={"minutes": 15}
            )
        )
    of_venue = VenueKey(venue.organization_id, venue.id)
    await put(database, TaxRule, of_venue, identity="PERCENT", parameters=VAT)
    await put(database, CancellationPolicy, of_venue, identity="NONE", parameters={})
    return tour, guide
