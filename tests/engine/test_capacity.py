import asyncio
import uuid
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from engine.capacity import ALWAYS, CloseOrOpen, OpenWindow, SetCapacity, close_resource, open_resource, set_capacity
from engine.viewer import Role, Viewer
from models.database import Database
from models.errors import (
    BookingError,
    CapacityInUse,
    Closed,
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Unauthenticated,
    VersionConflict,
)
from models.keys import ResourceKey
from models.resource import Resource
from tests.support.audits import assert_audit_clean
from tests.support.factories import at, key_of, make_booking, make_hold, make_resource
from tests.support.ledger import count_of, timeline_of, version_of
from tests.support.staff import BELOW_STAFF, fresh_key, viewer_of

NOW = at("2030-05-31 12:00")
TEN_TO_TWELVE = OpenWindow(at("10:00"), at("12:00"))


@pytest.fixture
async def resource(database: Database) -> Resource:
    return await make_resource(database, capacity=10)


@pytest.fixture
def staff(resource: Resource) -> Viewer:
    return viewer_of(Role.STAFF, resource.organization_id)


def capacity(resource: Resource | ResourceKey, units: int, window: OpenWindow = ALWAYS, **more: Any) -> SetCapacity:
    key = key_of(resource) if isinstance(resource, Resource) else resource
    return SetCapacity(
        **{"key": fresh_key(), "request_hash": b"hash"} | more, resource=key, capacity=units, window=window
    )


def closing(resource: Resource | ResourceKey, window: OpenWindow = ALWAYS, **more: Any) -> CloseOrOpen:
    key = key_of(resource) if isinstance(resource, Resource) else resource
    return CloseOrOpen(**{"key": fresh_key(), "request_hash": b"hash"} | more, resource=key, window=window)


async def steps(owner: "asyncpg.Connection", resource: Resource) -> list[tuple[str, int, bool]]:
    return [(step.at, step.capacity, step.closed) for step in await timeline_of(owner, resource)]


async def base_capacity(owner: "asyncpg.Connection", resource: Resource) -> int:
    units: int = await owner.fetchval("SELECT capacity FROM resource WHERE id = $1", resource.id)
    return units


async def test_capacity_over_a_window(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource
) -> None:
    key = await set_capacity(database, staff, capacity(resource, 4, TEN_TO_TWELVE, reason="Cleaning"), now=NOW)
    assert key == key_of(resource)
    assert await steps(owner, resource) == [("dawn", 10, False), ("10:00", 4, False), ("12:00", 10, False)]
    assert await base_capacity(owner, resource) == 10
    row = await owner.fetchrow("SELECT actor, reason, version FROM adjustment")
    assert tuple(row) == ("staff:amina", "Cleaning", 1)


async def test_without_a_window_it_is_from_now_on_and_the_base_capacity(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource
) -> None:
    before = await owner.fetchval("SELECT clock_timestamp()")
    await set_capacity(database, staff, capacity(resource, 25), now=NOW)
    assert await base_capacity(owner, resource) == 25
    row = await owner.fetchrow("SELECT starts_at, ends_at FROM adjustment")
    assert before <= row["starts_at"] <= await owner.fetchval("SELECT clock_timestamp()")
    assert row["ends_at"] is None


async def test_what_is_taken_can_not_be_taken_away(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource, owner_url: str
) -> None:
    booked = await make_booking(database, resource, quantity=6)
    held = await make_hold(database, resource, "11:00", "13:00", quantity=2)
    request = capacity(resource, 7, TEN_TO_TWELVE)
    with pytest.raises(CapacityInUse) as refusal:
        await set_capacity(database, staff, request, now=NOW)
    assert refusal.value.references == tuple(sorted((booked.booking.reference, held.booking.reference)))
    assert await count_of(owner, "adjustment") == 0
    await set_capacity(database, staff, capacity(resource, 8, TEN_TO_TWELVE), now=NOW)
    await assert_audit_clean(owner_url)


async def test_closing_keeps_what_is_booked_and_takes_nothing_new(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource, owner_url: str
) -> None:
    await make_booking(database, resource, quantity=6)
    await close_resource(database, staff, closing(resource, OpenWindow(at("11:00"), None), reason="Storm"), now=NOW)
    with pytest.raises(Closed):
        await make_hold(database, resource, "11:00", "12:00")
    await make_hold(database, resource, "10:00", "11:00")
    await open_resource(database, staff, closing(resource, OpenWindow(at("12:00"), at("14:00"))), now=NOW)
    assert [(when, closed) for when, _, closed in await steps(owner, resource)] == [
        ("dawn", False),
        ("10:00", False),
        ("11:00", True),
        ("12:00", False),
        ("14:00", True),
    ]
    await make_hold(database, resource, "12:00", "14:00")
    await assert_audit_clean(owner_url)


async def test_a_repetition_has_no_second_effect(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource
) -> None:
    request = capacity(resource, 4, TEN_TO_TWELVE)
    answers = await asyncio.gather(*(set_capacity(database, staff, request, now=NOW) for _ in range(4)))
    assert set(answers) == {key_of(resource)}
    assert await version_of(owner, resource) == 1
    other = capacity(resource, 5, TEN_TO_TWELVE, key=request.key, request_hash=b"other")
    with pytest.raises(IdempotencyConflict):
        await set_capacity(database, staff, other, now=NOW)


async def test_an_expected_version_is_compared(database: Database, staff: Viewer, resource: Resource) -> None:
    await close_resource(database, staff, closing(resource, TEN_TO_TWELVE, expected_version=0), now=NOW)
    for change in (
        set_capacity(database, staff, capacity(resource, 4, TEN_TO_TWELVE, expected_version=0), now=NOW),
        open_resource(database, staff, closing(resource, TEN_TO_TWELVE, expected_version=0), now=NOW),
    ):
        with pytest.raises(VersionConflict) as refusal:
            await change
        assert refusal.value.current == 1


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (OpenWindow(NOW - timedelta(days=1, seconds=1), None), "startsAt"),
        (OpenWindow(NOW - timedelta(days=3), NOW - timedelta(days=2)), "startsAt"),
        (OpenWindow(NOW + timedelta(days=730, seconds=1), None), "startsAt"),
        (OpenWindow(at("12:00"), at("12:00")), "endsAt"),
        (OpenWindow(at("12:00"), at("10:00")), "endsAt"),
        (OpenWindow(None, NOW), "endsAt"),
        (OpenWindow(at("12:00"), at("12:00") + timedelta(days=366, seconds=1)), "endsAt"),
        (OpenWindow(None, NOW + timedelta(days=366, seconds=1)), "endsAt"),
    ],
)
async def test_windows_have_bounds(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource, window: OpenWindow, field: str
) -> None:
    for change in (
        set_capacity(database, staff, capacity(resource, 4, window), now=NOW),
        close_resource(database, staff, closing(resource, window), now=NOW),
        open_resource(database, staff, closing(resource, window), now=NOW),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await change
        assert refusal.value.path == ("input", "window", field)
    assert await version_of(owner, resource) == 0


@pytest.mark.parametrize(
    "window",
    [
        OpenWindow(NOW - timedelta(days=1), NOW - timedelta(hours=20)),
        OpenWindow(NOW + timedelta(days=730), None),
        OpenWindow(at("12:00"), at("12:00") + timedelta(days=366)),
    ],
)
async def test_windows_up_to_the_bounds_are_taken(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource, window: OpenWindow
) -> None:
    await set_capacity(database, staff, capacity(resource, 4, window), now=NOW)
    await close_resource(database, staff, closing(resource, window), now=NOW)
    assert await version_of(owner, resource) == 2


async def test_a_window_that_ended_by_the_database_s_clock_is_refused(
    database: Database, staff: Viewer, resource: Resource, owner: "asyncpg.Connection"
) -> None:
    now = await owner.fetchval("SELECT clock_timestamp()")
    slow_clock = now - timedelta(minutes=5)
    window = OpenWindow(None, now - timedelta(minutes=1))
    with pytest.raises(InvalidInput):
        await set_capacity(database, staff, capacity(resource, 4, window), now=slow_clock)
    assert await version_of(owner, resource) == 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"units": -1}, "capacity"),
        ({"units": 1_000_001}, "capacity"),
        ({"reason": "r" * 501}, "reason"),
        ({"reason": "nul\0"}, "reason"),
        ({"key": "short"}, "idempotencyKey"),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_field(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource, more: dict[str, Any], field: str
) -> None:
    request = capacity(resource, **{"units": 4} | more)
    with pytest.raises(InvalidInput) as refusal:
        await set_capacity(database, staff, request, now=NOW)
    assert refusal.value.path == ("input", field)
    assert await count_of(owner, "idempotency") == 0


@pytest.mark.parametrize("role", BELOW_STAFF)
async def test_only_staff_and_a_denied_call_writes_nothing(
    database: Database, owner: "asyncpg.Connection", resource: Resource, role: Role
) -> None:
    viewer = viewer_of(role, resource.organization_id)
    denied: type[BookingError] = Unauthenticated if role is Role.GUEST else Forbidden
    for change in (
        set_capacity(database, viewer, capacity(resource, 4), now=NOW),
        close_resource(database, viewer, closing(resource), now=NOW),
        open_resource(database, viewer, closing(resource), now=NOW),
    ):
        with pytest.raises(denied):
            await change
    assert await version_of(owner, resource) == 0
    assert await count_of(owner, "adjustment") == await count_of(owner, "idempotency") == 0


async def test_another_organization_is_not_found(
    database: Database, owner: "asyncpg.Connection", staff: Viewer, resource: Resource
) -> None:
    theirs = await make_resource(database)
    assert staff.organization_id is not None
    for key in (
        key_of(theirs),
        ResourceKey(staff.organization_id, theirs.id),
        ResourceKey(staff.organization_id, uuid.uuid4()),
    ):
        for change in (
            set_capacity(database, staff, capacity(key, 4), now=NOW),
            close_resource(database, staff, closing(key), now=NOW),
            open_resource(database, staff, closing(key), now=NOW),
        ):
            with pytest.raises(NotFound) as refusal:
                await change
            assert refusal.value.path == ("input", "resourceId")
    assert await count_of(owner, "adjustment") == 0
