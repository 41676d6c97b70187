"""What a hold takes, and every reason for which it is refused."""

import uuid

import asyncpg
import pytest

from models.booking import BookingStatus
from models.database import Database
from models.errors import Closed, NotFound, SoldOut, VersionConflict
from models.ledger import calls
from models.ledger.requests import Contact
from tests.support.factories import (
    adjust_of,
    at,
    hold_of,
    item_of,
    let_run_out,
    make_hold,
    make_resource,
)
from tests.support.ledger import count_of, status_of, taken_of, timeline_of, version_of

EVERYTHING = ("booking", "booking_item", "booking_event", "claim", "idempotency", "outbox")


async def test_a_hold_takes_its_quantity_over_its_interval(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)

    record = await make_hold(database, resource, "10:00", "12:00", quantity=3, customer_id="customer-7")

    assert record.booking.status == BookingStatus.ON_HOLD
    assert record.booking.version == 1
    assert record.booking.customer_id == "customer-7"
    assert [(item.starts_at, item.ends_at, item.quantity) for item in record.items] == [(at("10:00"), at("12:00"), 3)]
    assert await taken_of(owner, resource) == [("dawn", 0), ("10:00", 3), ("12:00", 0)]


async def test_a_hold_lasts_as_long_as_its_most_hurried_resource(database: Database) -> None:
    patient = await make_resource(database, hold_seconds=600, hold_ceiling_seconds=1800)
    hurried = await make_resource(database, beside=patient, hold_seconds=60, hold_ceiling_seconds=120)

    record = await make_hold(database, patient, also=(item_of(hurried),))

    assert record.booking.hold_expires_at is not None
    assert (record.booking.hold_expires_at - record.booking.created_at).total_seconds() == 60
    assert (record.booking.hold_ceiling_at - record.booking.created_at).total_seconds() == 120


async def test_contacts_are_kept_with_the_booking_alone(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    contact = Contact(name="Nora Example", email="nora@example.com", phone="+351 000")

    record = await make_hold(database, resource, contact=contact)

    assert (record.booking.contact_name, record.booking.contact_email, record.booking.contact_phone) == (
        "Nora Example",
        "nora@example.com",
        "+351 000",
    )
    for table in ("booking_event", "outbox", "idempotency", "booking_item", "claim"):
        assert "Nora" not in str(await owner.fetch(f"SELECT t::text FROM {table} t"))


@pytest.mark.parametrize(
    ("start", "end"), [("08:00", "10:00"), ("12:00", "14:00")], ids=["ends where it starts", "starts where it ends"]
)
async def test_neighbours_do_not_overlap(database: Database, start: str, end: str) -> None:
    resource = await make_resource(database, capacity=1)
    await make_hold(database, resource, "10:00", "12:00")

    await make_hold(database, resource, start, end)


@pytest.mark.parametrize(
    ("start", "end"),
    [("10:00", "12:00"), ("11:59", "12:01"), ("09:59", "10:01"), ("10:30", "11:00"), ("08:00", "16:00")],
    ids=["the same", "its end", "its start", "within", "around"],
)
async def test_an_overlap_is_sold_out(database: Database, start: str, end: str) -> None:
    resource = await make_resource(database, capacity=1)
    await make_hold(database, resource, "10:00", "12:00")

    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, resource, start, end)

    assert (refusal.value.resource_id, refusal.value.vacancies) == (resource.id, 0)


async def test_vacancies_are_of_the_fullest_instant_and_not_of_the_sum(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=3)
    await make_hold(database, resource, "10:00", "11:00", quantity=2)
    await make_hold(database, resource, "11:00", "12:00", quantity=2)

    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, resource, "10:00", "12:00", quantity=2)
    await make_hold(database, resource, "10:00", "12:00", quantity=1)

    assert refusal.value.vacancies == 1
    assert max(taken for _, taken in await taken_of(owner, resource)) == 3


async def test_items_that_overlap_each_other_are_summed(database: Database) -> None:
    resource = await make_resource(database, capacity=3)

    with pytest.raises(SoldOut):
        await make_hold(database, resource, quantity=2, also=(item_of(resource, "11:00", "13:00", quantity=2),))
    await make_hold(database, resource, quantity=2, also=(item_of(resource, "11:00", "13:00", quantity=1),))


async def test_all_items_or_none(database: Database, owner: asyncpg.Connection) -> None:
    free = await make_resource(database, capacity=5)
    full = await make_resource(database, beside=free, capacity=0)

    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, free, also=(item_of(full),))

    assert refusal.value.resource_id == full.id
    assert [await count_of(owner, table) for table in EVERYTHING] == [0] * len(EVERYTHING)
    assert await taken_of(owner, free) == [("dawn", 0)]


async def test_closed_is_told_before_sold_out(database: Database) -> None:
    resource = await make_resource(database, capacity=1)
    await make_hold(database, resource, "10:00", "12:00")
    await calls.adjust(database, adjust_of(resource, "13:00", "14:00", closed=True))

    with pytest.raises(Closed):
        await make_hold(database, resource, "11:00", "14:00")


async def test_of_several_resources_the_reason_that_is_hardest_to_mend_is_told(database: Database) -> None:
    """Whichever of the two comes first in the order of ids."""
    resources = [await make_resource(database, capacity=0)]
    resources.append(await make_resource(database, beside=resources[0], capacity=0))
    for closed, full in (resources, reversed(resources)):
        await calls.adjust(database, adjust_of(closed, "10:00", "12:00", closed=True))

        with pytest.raises(Closed):
            await make_hold(database, full, also=(item_of(closed),))
        await calls.adjust(database, adjust_of(closed, "10:00", "12:00", closed=False))


async def test_another_organizations_resource_is_not_found(database: Database, owner: asyncpg.Connection) -> None:
    own, foreign = await make_resource(database), await make_resource(database)
    request = hold_of(own)
    stolen = item_of(foreign)

    with pytest.raises(NotFound):
        await calls.hold(database, type(request)(request.command, uuid.uuid4(), "STOLEN", (stolen,)))

    assert await count_of(owner, "booking") == 0


async def test_a_hold_with_one_unknown_resource_is_not_found(database: Database, owner: asyncpg.Connection) -> None:
    own, foreign = await make_resource(database), await make_resource(database)

    with pytest.raises(NotFound):
        await make_hold(database, own, also=(item_of(foreign),))

    assert await count_of(owner, "booking") == 0


async def test_the_version_that_the_caller_saw(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)
    await make_hold(database, resource)
    seen = await version_of(owner, resource)

    await make_hold(database, resource, expected={resource.id: seen})
    with pytest.raises(VersionConflict) as refusal:
        await make_hold(database, resource, expected={resource.id: seen})

    assert refusal.value.current == seen + 1


async def test_a_hold_that_is_over_is_no_version_conflict(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=1)
    over = await make_hold(database, resource)
    await let_run_out(owner, over)
    seen = await version_of(owner, resource)

    await make_hold(database, resource, expected={resource.id: seen})

    assert await status_of(owner, over.booking.id) == BookingStatus.EXPIRED


async def test_a_hold_within_and_one_around_leave_each_its_change_points(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=9)

    await make_hold(database, resource, "10:00", "14:00", quantity=2)
    await make_hold(database, resource, "11:00", "12:00", quantity=3)
    await make_hold(database, resource, "09:00", "12:00", quantity=1)

    assert [step[:3] for step in await timeline_of(owner, resource)] == [
        ("dawn", 9, 0),
        ("09:00", 9, 1),
        ("10:00", 9, 3),
        ("11:00", 9, 6),
        ("12:00", 9, 2),
        ("14:00", 9, 0),
    ]
