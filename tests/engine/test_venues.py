import asyncio
import uuid
from dataclasses import replace
from datetime import time
from typing import Any

import asyncpg
import pytest

from engine.resources import CreateResource, create_resource
from engine.venues import CreateVenue, UpdateVenue, VenueChanges, VenueFields, create_venue, update_venue
from engine.viewer import Role, Viewer
from models.database import Database
from models.errors import BookingError, Forbidden, IdempotencyConflict, InvalidInput, NotFound, Unauthenticated
from models.keys import VenueKey
from models.ledger.requests import hash_request
from models.resource import AvailabilityType
from models.venue import Organization, Venue
from tests.support.factories import make_organization, make_resource, make_venue
from tests.support.ledger import count_of
from tests.support.staff import BELOW_MANAGER, fresh_key, viewer_of
from tests.support.waiting import waits_for_a_lock

HOUSE = VenueFields(
    slug="casa-do-rio",
    name="Casa do Rio",
    description="By the river.\nTwo houses.",
    time_zone="Europe/Lisbon",
    currency="EUR",
    country="PT",
    check_in_time=time(15),
    check_out_time=time(11),
)


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await make_organization(database)


@pytest.fixture
def manager(organization: Organization) -> Viewer:
    return viewer_of(Role.MANAGER, organization.id)


def creation(fields: VenueFields = HOUSE, *, key: str | None = None, **more: Any) -> CreateVenue:
    return CreateVenue(key or fresh_key(), hash_request("venueCreate", {"fields": fields}), fields, **more)


def update(venue: VenueKey, *, key: str | None = None, **changes: Any) -> UpdateVenue:
    asked = VenueChanges(**changes)  # type: ignore[typeddict-item]  # what is named is up to each test
    return UpdateVenue(key or fresh_key(), hash_request("venueUpdate", asked), venue, asked)


def key_of(venue: Venue) -> VenueKey:
    return VenueKey(venue.organization_id, venue.id)


async def stored(owner: "asyncpg.Connection", key: VenueKey) -> dict[str, Any]:
    return dict(await owner.fetchrow("SELECT * FROM venue WHERE organization_id = $1 AND id = $2", *key))


async def listed(owner: "asyncpg.Connection", key: VenueKey) -> tuple[str, bool]:
    row = await owner.fetchrow(
        "SELECT slug, is_published FROM directory WHERE kind = 'VENUE' AND organization_id = $1 AND venue_id = $2", *key
    )
    return row["slug"], row["is_published"]


async def test_a_venue_is_made_with_its_entry_in_the_directory(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    key = await create_venue(database, manager, creation())
    row = await stored(owner, key)
    assert key.organization_id == manager.organization_id
    assert {name: row[name] for name in HOUSE.__dataclass_fields__} == {
        name: getattr(HOUSE, name) for name in HOUSE.__dataclass_fields__
    }
    assert await listed(owner, key) == ("casa-do-rio", True)


async def test_an_unpublished_venue_is_unpublished_in_the_directory(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    key = await create_venue(database, manager, creation(replace(HOUSE, is_published=False)))
    assert await listed(owner, key) == ("casa-do-rio", False)


async def test_a_repetition_makes_no_second_venue(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    request = creation()
    calls = await asyncio.gather(*(create_venue(database, manager, request) for _ in range(4)))
    assert len(set(calls)) == 1
    assert await count_of(owner, "venue") == 1
    with pytest.raises(IdempotencyConflict):
        await create_venue(database, manager, creation(replace(HOUSE, name="Another"), key=request.key))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "ab"),
        ("slug", "a" * 61),
        ("slug", "Casa"),
        ("slug", "casa--rio"),
        ("slug", "-casa"),
        ("slug", "casa-"),
        ("slug", "casa rio"),
        ("slug", "casà"),
        ("slug", "casa\n"),
        ("name", ""),
        ("name", "   "),
        ("name", "n" * 201),
        ("name", "two\nlines"),
        ("name", "nul\0"),
        ("name", "half \ud83d"),
        ("description", "d" * 5001),
        ("description", "nul\0"),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", ""),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("currency", "EU€"),
        ("country", "Portugal"),
        ("country", "pt"),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_field(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, field: str, value: str
) -> None:
    change: dict[str, Any] = {field: value}
    camel = {"time_zone": "timeZone"}.get(field, field)
    with pytest.raises(InvalidInput) as refusal:
        await create_venue(database, manager, creation(replace(HOUSE, **change)))
    assert refusal.value.path == ("input", camel)
    venue = key_of(await make_venue(database))
    before = await stored(owner, venue)
    with pytest.raises(InvalidInput) as refusal:
        await update_venue(database, viewer_of(Role.MANAGER, venue.organization_id), update(venue, **change))
    assert refusal.value.path == ("input", camel)
    assert await stored(owner, venue) == before
    assert await count_of(owner, "idempotency") == 0


@pytest.mark.parametrize("name", ["مقهى الميناء", "خانه‌ی دوست", "👩‍👩‍👧 House", "n" * 200])
async def test_names_of_every_script_are_taken(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, name: str
) -> None:
    key = await create_venue(database, manager, creation(replace(HOUSE, name=name)))
    assert (await stored(owner, key))["name"] == name


async def test_a_slug_is_taken_once_over_all_organizations(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    theirs = await make_venue(database)
    for viewer in (manager, viewer_of(Role.MANAGER, theirs.organization_id)):
        with pytest.raises(InvalidInput) as refusal:
            await create_venue(database, viewer, creation(replace(HOUSE, slug=theirs.slug)))
        assert refusal.value.path == ("input", "slug")
    assert await count_of(owner, "venue") == 1
    assert await count_of(owner, "idempotency") == 0


async def test_of_many_who_want_a_slug_at_once_one_gets_it(database: Database, owner: "asyncpg.Connection") -> None:
    organizations = [await make_organization(database) for _ in range(6)]
    viewers = [viewer_of(Role.MANAGER, organization.id) for organization in organizations]
    answers = await asyncio.gather(
        *(create_venue(database, viewer, creation()) for viewer in viewers), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidInput"] * 5 + ["VenueKey"]
    assert await count_of(owner, "venue") == 1


@pytest.mark.parametrize("role", BELOW_MANAGER)
async def test_only_managers_write_and_a_denied_call_writes_nothing(
    database: Database, owner: "asyncpg.Connection", organization: Organization, role: Role
) -> None:
    venue = key_of(await make_venue(database, organization=organization))
    before = await stored(owner, venue), await listed(owner, venue)
    viewer = viewer_of(role, organization.id)
    denied: type[BookingError] = Unauthenticated if role is Role.GUEST else Forbidden
    with pytest.raises(denied):
        await create_venue(database, viewer, creation())
    with pytest.raises(denied):
        await update_venue(database, viewer, update(venue, name="Taken over"))
    assert (await stored(owner, venue), await listed(owner, venue)) == before
    assert await count_of(owner, "venue") == 1
    assert await count_of(owner, "idempotency") == 0


async def test_another_organization_is_not_found(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    theirs = key_of(await make_venue(database))
    before = await stored(owner, theirs)
    with pytest.raises(NotFound):
        await create_venue(database, manager, creation(organization_id=theirs.organization_id))
    with pytest.raises(NotFound):
        await update_venue(database, manager, update(theirs, name="Taken over"))
    assert manager.organization_id is not None
    as_ours = VenueKey(manager.organization_id, theirs.id)
    with pytest.raises(NotFound):
        await update_venue(database, manager, update(as_ours, name="Taken over"))
    assert await stored(owner, theirs) == before
    assert await count_of(owner, "venue") == 1


async def test_an_operator_names_the_organization(
    database: Database, owner: "asyncpg.Connection", organization: Organization
) -> None:
    operator = Viewer(Role.OPERATOR, None, "root")
    with pytest.raises(InvalidInput) as refusal:
        await create_venue(database, operator, creation())
    assert refusal.value.path == ("input", "organizationId")
    with pytest.raises(NotFound):
        await create_venue(database, operator, creation(organization_id=uuid.uuid4()))
    key = await create_venue(database, operator, creation(organization_id=organization.id))
    await update_venue(database, operator, update(key, name="Renamed"))
    assert (await stored(owner, key))["name"] == "Renamed"
    assert await count_of(owner, "venue") == 1


async def test_an_update_changes_what_it_names_and_nothing_else(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    key = await create_venue(database, manager, creation())
    before = await stored(owner, key)
    await update_venue(database, manager, update(key, name="Casa Nova", description=None, check_in_time=time(16)))
    assert await stored(owner, key) == before | {
        "name": "Casa Nova",
        "description": None,
        "check_in_time": time(16),
    }
    assert await listed(owner, key) == ("casa-do-rio", True)


async def test_the_directory_keeps_step(database: Database, owner: "asyncpg.Connection", manager: Viewer) -> None:
    key = await create_venue(database, manager, creation())
    await update_venue(database, manager, update(key, slug="casa-nova", is_published=False))
    assert await listed(owner, key) == ("casa-nova", False)
    await create_venue(database, manager, creation())  # the old slug is free
    with pytest.raises(InvalidInput) as refusal:
        await update_venue(database, manager, update(key, slug="casa-do-rio"))
    assert refusal.value.path == ("input", "slug")
    assert await listed(owner, key) == ("casa-nova", False)


async def test_the_time_zone_changes_only_before_there_are_resources(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, organization: Organization
) -> None:
    venue = await make_venue(database, organization=organization, time_zone="Africa/Algiers")
    await update_venue(database, manager, update(key_of(venue), time_zone="Europe/Lisbon"))
    await make_resource(database, venue=venue)
    with pytest.raises(InvalidInput) as refusal:
        await update_venue(database, manager, update(key_of(venue), time_zone="Africa/Algiers"))
    assert refusal.value.path == ("input", "timeZone")
    # Naming the zone that it has is no change.
    await update_venue(database, manager, update(key_of(venue), time_zone="Europe/Lisbon", name="Renamed"))
    row = await stored(owner, key_of(venue))
    assert (row["time_zone"], row["name"]) == ("Europe/Lisbon", "Renamed")


async def test_a_new_time_zone_waits_for_a_resource_that_is_being_made(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, organization: Organization
) -> None:
    venue = key_of(await make_venue(database, organization=organization, time_zone="Africa/Algiers"))
    hall = CreateResource(fresh_key(), b"hash", venue, "hall", "Hall", AvailabilityType.OPENING_HOURS, capacity=1)
    in_the_way = owner.transaction()
    await in_the_way.start()
    # Somebody is about to take the slug, so the hall waits in the middle of being made; the venue is empty still.
    await owner.execute(
        "INSERT INTO resource (organization_id, id, venue_id, slug, name, availability_type, sharing, capacity)"
        " VALUES ($1, $2, $3, 'hall', 'Hall', 'OPENING_HOURS', 'SHARED', 1)",
        venue.organization_id,
        uuid.uuid4(),
        venue.id,
    )
    making = asyncio.create_task(create_resource(database, manager, hall))
    await waits_for_a_lock(owner)
    moving = asyncio.create_task(update_venue(database, manager, update(venue, time_zone="Europe/Lisbon")))
    done, _ = await asyncio.wait([moving], timeout=0.3)
    assert not done
    await in_the_way.rollback()
    await making
    with pytest.raises(InvalidInput) as refusal:
        await moving
    assert refusal.value.path == ("input", "timeZone")
    assert (await stored(owner, venue))["time_zone"] == "Africa/Algiers"


async def test_nights_keep_their_check_in_and_check_out(
    database: Database, manager: Viewer, organization: Organization
) -> None:
    venue = await make_venue(database, organization=organization, check_in_time=time(15), check_out_time=time(11))
    await make_resource(database, venue=venue)
    await update_venue(database, manager, update(key_of(venue), check_in_time=None))
    await update_venue(database, manager, update(key_of(venue), check_in_time=time(14)))
    await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY)
    for field, camel in (("check_in_time", "checkInTime"), ("check_out_time", "checkOutTime")):
        with pytest.raises(InvalidInput) as refusal:
            await update_venue(database, manager, update(key_of(venue), **{field: None}))
        assert refusal.value.path == ("input", camel)
    await update_venue(database, manager, update(key_of(venue), check_in_time=time(16)))


async def test_a_repeated_update_is_not_carried_out_again(
    database: Database, owner: "asyncpg.Connection", manager: Viewer
) -> None:
    key = await create_venue(database, manager, creation())
    request = update(key, name="First")
    await update_venue(database, manager, request)
    await update_venue(database, manager, update(key, name="Second"))
    await update_venue(database, manager, request)
    assert (await stored(owner, key))["name"] == "Second"
