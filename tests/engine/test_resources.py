import asyncio
import uuid
from dataclasses import replace
from datetime import time
from typing import Any
from unittest.mock import ANY

import asyncpg
import pytest

from engine.requirements import RequirementRequest
from engine.resources import CreateResource, ResourceChanges, UpdateResource, create_resource, update_resource
from engine.schedules import Hours, Schedule, Session
from engine.viewer import Role, Viewer
from models.database import Database
from models.errors import BookingError, Forbidden, InvalidInput, NotFound, Unauthenticated
from models.keys import ResourceKey, VenueKey
from models.ledger import calls
from models.ledger.requests import BookingAction, hash_request
from models.resource import AvailabilityType, Resource, Sharing
from models.venue import Organization, Venue
from tests.support.audits import assert_audit_clean
from tests.support.factories import (
    change_of,
    hold_of,
    key_of,
    make_hold,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.ledger import StepRow, count_of, taken_of, timeline_of
from tests.support.staff import BELOW_MANAGER, fresh_key, viewer_of

HOURS = (Hours(1, time(9), time(18)), Hours(5, time(22), time(2)))
LESSONS = (Session(2, time(18, 30), 90), Session(4, time(7), 60))


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_venue(database, check_in_time=time(15), check_out_time=time(11))


@pytest.fixture
def manager(venue: Venue) -> Viewer:
    return viewer_of(Role.MANAGER, venue.organization_id)


def creation(venue: Venue, *, key: str | None = None, **more: Any) -> CreateResource:
    asked: dict[str, Any] = {
        "slug": "desk-hall",
        "name": "Desk hall",
        "availability_type": AvailabilityType.OPENING_HOURS,
        "capacity": 40,
    } | more
    hashed = hash_request("resourceCreate", asked)
    return CreateResource(key or fresh_key(), hashed, VenueKey(venue.organization_id, venue.id), **asked)


def update(resource: ResourceKey, schedule: Schedule | None = None, **changes: Any) -> UpdateResource:
    asked = ResourceChanges(**changes)  # type: ignore[typeddict-item]  # what is named is up to each test
    return UpdateResource(fresh_key(), hash_request("resourceUpdate", asked), resource, asked, schedule or Schedule())


def requiring(*resources: Resource, per_unit: int = 0, per_booking: int = 1) -> tuple[RequirementRequest, ...]:
    return tuple(RequirementRequest(key_of(resource), per_unit, per_booking) for resource in resources)


async def stored(owner: "asyncpg.Connection", key: ResourceKey) -> dict[str, Any]:
    return dict(await owner.fetchrow("SELECT * FROM resource WHERE organization_id = $1 AND id = $2", *key))


async def rules_of(owner: "asyncpg.Connection", key: ResourceKey) -> dict[str, str]:
    rows = await owner.fetch(
        "SELECT type, parameters::text FROM booking_rule"
        " WHERE organization_id = $1 AND resource_id = $2 AND NOT is_removed",
        *key,
    )
    return {row["type"]: row["parameters"] for row in rows}


async def required_by(owner: "asyncpg.Connection", key: ResourceKey) -> dict[uuid.UUID, tuple[int, int]]:
    rows = await owner.fetch(
        "SELECT required_id, per_unit, per_booking FROM resource_requirement"
        " WHERE organization_id = $1 AND resource_id = $2",
        *key,
    )
    return {row["required_id"]: (row["per_unit"], row["per_booking"]) for row in rows}


async def test_a_resource_is_made_with_its_timeline(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    key = await create_resource(database, manager, creation(venue, description="By the window.", hold_minutes=45))
    row = await stored(owner, key)
    assert (row["venue_id"], row["slug"], row["name"]) == (venue.id, "desk-hall", "Desk hall")
    assert (row["sharing"], row["capacity"], row["version"]) == ("SHARED", 40, 0)
    assert (row["hold_seconds"], row["hold_ceiling_seconds"]) == (2700, 2700)
    resource = Resource(**row)
    assert await timeline_of(owner, resource) == [StepRow("dawn", 40, 0, None, False)]
    await make_hold(database, resource, quantity=40)
    assert await taken_of(owner, resource) == [("dawn", 0), ("10:00", 40), ("12:00", 0)]


async def test_holds_last_ten_minutes_and_thirty_at_most_unless_it_is_said(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    row = await stored(owner, await create_resource(database, manager, creation(venue)))
    assert (row["hold_seconds"], row["hold_ceiling_seconds"]) == (600, 1800)


async def test_a_repetition_makes_no_second_resource(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    room = await make_resource(database, venue=venue)
    request = creation(venue, requirements=requiring(room), schedule=Schedule(opening_hours=HOURS))
    keys = await asyncio.gather(*(create_resource(database, manager, request) for _ in range(4)))
    assert len(set(keys)) == 1
    assert await count_of(owner, "resource") == 2
    assert await count_of(owner, "resource_requirement") == await count_of(owner, "booking_rule") == 1


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("slug", {"slug": "Desk Hall"}),
        ("name", {"name": " "}),
        ("description", {"description": "\0"}),
        ("capacity", {"capacity": -1}),
        ("capacity", {"capacity": 1_000_001}),
        ("holdMinutes", {"hold_minutes": 0}),
        ("holdMinutes", {"hold_minutes": 1441}),
        ("holdCeilingMinutes", {"hold_minutes": 20, "hold_ceiling_minutes": 19}),
        ("holdCeilingMinutes", {"hold_ceiling_minutes": 0}),
        ("holdCeilingMinutes", {"hold_ceiling_minutes": 1441}),
        ("sessions", {"availability_type": AvailabilityType.START_TIME}),
        ("sessions", {"availability_type": AvailabilityType.START_TIME, "schedule": Schedule(sessions=())}),
        ("sessions", {"schedule": Schedule(sessions=LESSONS)}),
        ("openingHours", {"availability_type": AvailabilityType.NIGHTLY, "schedule": Schedule(opening_hours=HOURS)}),
        ("startGridMinutes", {"availability_type": AvailabilityType.NIGHTLY, "schedule": {"start_grid_minutes": 15}}),
        ("startGridMinutes", {"schedule": Schedule(start_grid_minutes=7)}),
        ("startGridMinutes", {"schedule": Schedule(start_grid_minutes=0)}),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_field(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue, field: str, more: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await create_resource(database, manager, creation(venue, **more))
    assert refusal.value.path[:2] == ("input", field)
    assert await count_of(owner, "resource") == await count_of(owner, "idempotency") == 0


async def test_a_bad_part_of_a_schedule_is_named_to_the_field(
    database: Database, manager: Viewer, venue: Venue
) -> None:
    hours = Schedule(opening_hours=(*HOURS, Hours(8, time(9), time(10))))
    with pytest.raises(InvalidInput) as refusal:
        await create_resource(database, manager, creation(venue, schedule=hours))
    assert refusal.value.path == ("input", "openingHours", "2", "weekday")
    lessons = Schedule(sessions=(Session(1, time(9), 0),))
    request = creation(venue, availability_type=AvailabilityType.START_TIME, schedule=lessons)
    with pytest.raises(InvalidInput) as refusal:
        await create_resource(database, manager, request)
    assert refusal.value.path == ("input", "sessions", "0", "durationMinutes")


async def test_a_slug_is_taken_once_in_a_venue(database: Database, manager: Viewer, venue: Venue) -> None:
    await create_resource(database, manager, creation(venue))
    with pytest.raises(InvalidInput) as refusal:
        await create_resource(database, manager, creation(venue))
    assert refusal.value.path == ("input", "slug")


@pytest.mark.parametrize("missing", ["check_in_time", "check_out_time"])
async def test_nights_need_check_in_and_check_out(database: Database, missing: str) -> None:
    times: dict[str, time | None] = {"check_in_time": time(15), "check_out_time": time(11), missing: None}
    venue = await make_venue(database, **times)  # type: ignore[arg-type]  # only times are in there
    with pytest.raises(InvalidInput) as refusal:
        await create_resource(
            database,
            viewer_of(Role.MANAGER, venue.organization_id),
            creation(venue, availability_type=AvailabilityType.NIGHTLY),
        )
    assert refusal.value.path == ("input", "availabilityType")


async def test_a_schedule_is_stored_as_rules(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    schedule = Schedule(opening_hours=HOURS, start_grid_minutes=15)
    hall = await create_resource(database, manager, creation(venue, schedule=schedule))
    assert await rules_of(owner, hall) == {
        "OPENING_HOURS": '{"weekly": [{"opens": "09:00", "closes": "18:00", "weekday": 1},'
        ' {"opens": "22:00", "closes": "02:00", "weekday": 5}]}',
        "START_GRID": '{"minutes": 15}',
    }
    lessons = Schedule(sessions=LESSONS)
    yoga = await create_resource(
        database,
        manager,
        creation(venue, slug="yoga", availability_type=AvailabilityType.START_TIME, schedule=lessons),
    )
    assert await rules_of(owner, yoga) == {
        "SESSION_TIMES": '{"weekly": [{"starts": "18:30", "weekday": 2, "durationMinutes": 90},'
        ' {"starts": "07:00", "weekday": 4, "durationMinutes": 60}]}'
    }


async def test_other_weekly_hours_leave_the_exceptions(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    """Exceptions are no part of a schedule: they are set as a rule, on the one that the schedule made."""
    key = await create_resource(database, manager, creation(venue, schedule=Schedule(opening_hours=HOURS)))
    await owner.execute(
        """UPDATE booking_rule SET parameters = parameters || '{"exceptions": [{"date": "2026-12-25", "hours": []}]}'"""
    )
    await update_resource(database, manager, update(key, Schedule(opening_hours=HOURS[:1])))
    assert await rules_of(owner, key) == {
        "OPENING_HOURS": '{"weekly": [{"opens": "09:00", "closes": "18:00", "weekday": 1}],'
        ' "exceptions": [{"date": "2026-12-25", "hours": []}]}'
    }


async def test_an_update_sets_and_removes_only_the_named_parts_of_a_schedule(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    schedule = Schedule(opening_hours=HOURS, start_grid_minutes=15)
    key = await create_resource(database, manager, creation(venue, schedule=schedule))
    before = await rules_of(owner, key)
    await update_resource(database, manager, update(key, Schedule(start_grid_minutes=30), name="Hall"))
    assert await rules_of(owner, key) == before | {"START_GRID": '{"minutes": 30}'}
    await update_resource(database, manager, update(key, Schedule(opening_hours=None)))
    assert await rules_of(owner, key) == {"START_GRID": '{"minutes": 30}'}
    with pytest.raises(InvalidInput):
        await update_resource(database, manager, update(key, Schedule(sessions=LESSONS)))


@pytest.mark.parametrize("sessions", [None, ()])
async def test_a_class_keeps_at_least_one_session(
    database: Database, manager: Viewer, venue: Venue, sessions: tuple[Session, ...] | None
) -> None:
    yoga = creation(venue, availability_type=AvailabilityType.START_TIME, schedule=Schedule(sessions=LESSONS))
    key = await create_resource(database, manager, yoga)
    with pytest.raises(InvalidInput) as refusal:
        await update_resource(database, manager, update(key, Schedule(sessions=sessions)))
    assert refusal.value.path == ("input", "sessions")


async def test_an_update_changes_what_it_names_and_nothing_else(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    key = await create_resource(database, manager, creation(venue, description="By the window."))
    before = await stored(owner, key)
    await update_resource(
        database, manager, update(key, name="Hall", description=None, sharing=Sharing.EXCLUSIVE, hold_minutes=20)
    )
    assert await stored(owner, key) == before | {
        "name": "Hall",
        "description": None,
        "sharing": "EXCLUSIVE",
        "hold_seconds": 1200,
        "version": 1,  # another sharing decides what can be booked
        "catalog_version": 2,
        "foldable_from": ANY,
    }
    with pytest.raises(InvalidInput) as refusal:
        await update_resource(database, manager, update(key, hold_minutes=31))
    assert refusal.value.path == ("input", "holdCeilingMinutes")


@pytest.mark.parametrize("role", BELOW_MANAGER)
async def test_only_managers_write_and_a_denied_call_writes_nothing(
    database: Database, owner: "asyncpg.Connection", venue: Venue, role: Role
) -> None:
    resource = key_of(await make_resource(database, venue=venue))
    before = await stored(owner, resource)
    viewer = viewer_of(role, venue.organization_id)
    denied: type[BookingError] = Unauthenticated if role is Role.GUEST else Forbidden
    with pytest.raises(denied):
        await create_resource(database, viewer, creation(venue))
    with pytest.raises(denied):
        await update_resource(database, viewer, update(resource, name="Taken over"))
    assert await stored(owner, resource) == before
    assert await count_of(owner, "resource") == 1
    assert await count_of(owner, "idempotency") == 0


async def test_another_organization_is_not_found(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    theirs = await make_resource(database)
    before = await stored(owner, key_of(theirs))
    their_venue = await make_venue(database)
    with pytest.raises(NotFound):
        await create_resource(database, manager, creation(their_venue))
    for key in (key_of(theirs), ResourceKey(venue.organization_id, theirs.id)):
        with pytest.raises(NotFound) as refusal:
            await update_resource(database, manager, update(key, name="Taken over"))
        assert refusal.value.path == ("input", "resourceId")
    with pytest.raises(NotFound) as refusal:
        await create_resource(database, manager, creation(venue, requirements=requiring(theirs)))
    assert refusal.value.path == ("input", "requirements", "0", "resourceId")
    assert await stored(owner, key_of(theirs)) == before
    assert await count_of(owner, "resource") == 1


async def test_sharing_stays_while_something_is_booked(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue, owner_url: str
) -> None:
    resource = await make_resource(database, venue=venue, capacity=5)
    held = await make_hold(database, resource)
    with pytest.raises(InvalidInput) as refusal:
        await update_resource(database, manager, update(key_of(resource), sharing=Sharing.EXCLUSIVE))
    assert refusal.value.path == ("input", "sharing")
    await update_resource(database, manager, update(key_of(resource), sharing=Sharing.SHARED, name="Same sharing"))
    await calls.change_booking(database, change_of(held, BookingAction.RELEASE))
    await update_resource(database, manager, update(key_of(resource), sharing=Sharing.EXCLUSIVE))
    assert (await stored(owner, key_of(resource)))["sharing"] == "EXCLUSIVE"
    await assert_audit_clean(owner_url)


async def test_a_hold_and_a_change_of_sharing_come_one_after_the_other(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue, owner_url: str
) -> None:
    for _ in range(10):
        resource = await make_resource(database, venue=venue, capacity=5)
        _, changed = await asyncio.gather(
            calls.hold(database, hold_of(resource)),
            update_resource(database, manager, update(key_of(resource), sharing=Sharing.EXCLUSIVE)),
            return_exceptions=True,
        )
        sharing = (await stored(owner, key_of(resource)))["sharing"]
        shared_key = await owner.fetchval("SELECT sharing_key FROM claim WHERE resource_id = $1", resource.id)
        assert isinstance(changed, InvalidInput) == (sharing == "SHARED") == (shared_key is None)
    await assert_audit_clean(owner_url)


async def test_requirements_are_replaced_as_a_whole(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    first, second = [await make_resource(database, venue=venue) for _ in range(2)]
    key = await create_resource(database, manager, creation(venue, requirements=requiring(first, per_unit=2)))
    assert await required_by(owner, key) == {first.id: (2, 1)}
    await update_resource(database, manager, update(key, name="Hall"))
    assert await required_by(owner, key) == {first.id: (2, 1)}
    await update_resource(database, manager, update(key, requirements=requiring(first, second)))
    assert await required_by(owner, key) == {first.id: (0, 1), second.id: (0, 1)}
    await update_resource(database, manager, update(key, requirements=()))
    assert await required_by(owner, key) == {}


async def test_requirements_count_for_later_bookings_only(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue, owner_url: str
) -> None:
    house, room = [await make_resource(database, venue=venue, capacity=2) for _ in range(2)]
    await make_hold(database, house)
    await update_resource(database, manager, update(key_of(house), requirements=requiring(room)))
    assert await taken_of(owner, room) == [("dawn", 0)]
    await make_hold(database, house)
    assert await taken_of(owner, room) == [("dawn", 0), ("10:00", 1), ("12:00", 0)]
    await assert_audit_clean(owner_url)


async def test_what_can_not_be_required_is_refused(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    house, room, bed = [await make_resource(database, venue=venue) for _ in range(3)]
    await make_requirement(database, room, bed, per_booking=1)
    elsewhere = await make_resource(
        database, venue=await make_venue(database, organization=await organization_of(database, venue))
    )
    many = tuple(RequirementRequest(ResourceKey(venue.organization_id, uuid.uuid4()), 1) for _ in range(51))
    refused: list[tuple[ResourceKey, tuple[RequirementRequest, ...], type[BookingError]]] = [
        (key_of(house), requiring(room), InvalidInput),  # has requirements itself
        (key_of(bed), requiring(house), InvalidInput),  # is required itself
        (key_of(house), requiring(house), InvalidInput),
        (key_of(house), requiring(elsewhere), InvalidInput),
        (key_of(house), requiring(bed, bed), InvalidInput),
        (key_of(house), requiring(bed, per_booking=0), InvalidInput),
        (key_of(house), requiring(bed, per_booking=-1, per_unit=2), InvalidInput),
        (key_of(house), requiring(bed, per_unit=10_001), InvalidInput),
        (key_of(house), many, InvalidInput),
        (key_of(house), many[:1], NotFound),
    ]
    for key, requirements, error in refused:
        with pytest.raises(error) as refusal:
            await update_resource(database, manager, update(key, requirements=requirements, name="Not written"))
        assert refusal.value.path[:2] == ("input", "requirements")
    assert await count_of(owner, "resource_requirement") == 1
    assert await owner.fetchval("SELECT count(*) FROM resource WHERE name = 'Not written'") == 0


async def test_chains_never_come_about_from_two_sides_at_once(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    for _ in range(10):
        first, middle, last = [await make_resource(database, venue=venue) for _ in range(3)]
        answers = await asyncio.gather(
            update_resource(database, manager, update(key_of(first), requirements=requiring(middle))),
            update_resource(database, manager, update(key_of(middle), requirements=requiring(last))),
            return_exceptions=True,
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["InvalidInput", "ResourceKey"]
    chains = """
        SELECT count(*) FROM resource_requirement a
          JOIN resource_requirement b ON b.organization_id = a.organization_id AND b.resource_id = a.required_id
    """
    assert await owner.fetchval(chains) == 0


async def test_two_updates_that_require_each_other_end_without_a_deadlock(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    for _ in range(10):
        one, other = [await make_resource(database, venue=venue) for _ in range(2)]
        answers = await asyncio.gather(
            update_resource(database, manager, update(key_of(one), requirements=requiring(other))),
            update_resource(database, manager, update(key_of(other), requirements=requiring(one))),
            return_exceptions=True,
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["InvalidInput", "ResourceKey"]
    assert await count_of(owner, "resource_requirement") == 10


async def test_an_update_that_is_refused_late_leaves_rules_and_requirements_alone(
    database: Database, owner: "asyncpg.Connection", manager: Viewer, venue: Venue
) -> None:
    room, other = [await make_resource(database, venue=venue) for _ in range(2)]
    taken = await make_resource(database, venue=venue, slug="taken-slug")
    schedule = Schedule(start_grid_minutes=15)
    request = update(key_of(room), schedule, slug=taken.slug, requirements=requiring(other))
    with pytest.raises(InvalidInput) as refusal:
        await update_resource(database, manager, request)
    assert refusal.value.path == ("input", "slug")
    assert await count_of(owner, "resource_requirement") == await count_of(owner, "booking_rule") == 0
    fine = replace(request, changes=ResourceChanges(slug="free-slug", requirements=requiring(other)))
    assert await update_resource(database, manager, fine) == key_of(room)


async def organization_of(database: Database, venue: Venue) -> Organization:
    async with database.reading() as session:
        organization = await session.get(Organization, venue.organization_id)
    assert organization is not None
    return organization
