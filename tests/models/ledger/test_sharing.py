"""Who may be in the same place at the same time."""

import asyncpg
import pytest

from models.database import Database
from models.errors import ActivityConflict, SoldOut
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.resource import Sharing
from tests.support.factories import change_of, item_of, make_hold, make_requirement, make_resource
from tests.support.ledger import timeline_of


@pytest.mark.parametrize("second", ["yoga", "chess", None])
async def test_shared_takes_whatever_fits(database: Database, second: str | None) -> None:
    resource = await make_resource(database, capacity=2, sharing=Sharing.SHARED)

    await make_hold(database, resource, activity="yoga")
    await make_hold(database, resource, activity=second)


async def test_the_same_activity_is_joined_until_it_is_full(database: Database) -> None:
    resource = await make_resource(database, capacity=3, sharing=Sharing.SAME_ACTIVITY)

    await make_hold(database, resource, quantity=2, activity="swimming")
    await make_hold(database, resource, quantity=1, activity="swimming")
    with pytest.raises(SoldOut):
        await make_hold(database, resource, quantity=1, activity="swimming")


@pytest.mark.parametrize(
    ("first", "second"), [("swimming", "polo"), ("swimming", None), (None, "swimming"), (None, None)]
)
async def test_another_activity_or_none_is_not_joined(
    database: Database, first: str | None, second: str | None
) -> None:
    resource = await make_resource(database, capacity=9, sharing=Sharing.SAME_ACTIVITY)
    await make_hold(database, resource, "10:00", "12:00", activity=first)

    with pytest.raises(ActivityConflict):
        await make_hold(database, resource, "11:00", "13:00", activity=second)
    await make_hold(database, resource, "12:00", "13:00", activity=second)


async def test_an_interval_over_two_activities_joins_neither(database: Database) -> None:
    resource = await make_resource(database, capacity=9, sharing=Sharing.SAME_ACTIVITY)
    await make_hold(database, resource, "10:00", "11:00", activity="swimming")
    await make_hold(database, resource, "12:00", "13:00", activity="polo")

    with pytest.raises(ActivityConflict):
        await make_hold(database, resource, "10:00", "13:00", activity="swimming")
    await make_hold(database, resource, "10:00", "12:00", activity="swimming")


async def test_when_the_last_party_has_left_another_may_come(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=9, sharing=Sharing.SAME_ACTIVITY)
    first = await make_hold(database, resource, activity="swimming")
    second = await make_hold(database, resource, activity="swimming")

    await calls.change_booking(database, change_of(first, BookingAction.RELEASE))
    assert [step.sharing_key for step in await timeline_of(owner, resource)] == [None, "swimming", None]
    await calls.change_booking(database, change_of(second, BookingAction.RELEASE))
    await make_hold(database, resource, activity="polo")

    assert [step.sharing_key for step in await timeline_of(owner, resource)] == [None, "polo", None]


async def test_two_activities_in_one_request_are_a_conflict(database: Database) -> None:
    resource = await make_resource(database, capacity=9, sharing=Sharing.SAME_ACTIVITY)

    with pytest.raises(ActivityConflict):
        await make_hold(database, resource, activity="yoga", also=(item_of(resource, activity="chess"),))


async def test_exclusive_is_one_party_whatever_its_size(database: Database) -> None:
    resource = await make_resource(database, capacity=8, sharing=Sharing.EXCLUSIVE)
    await make_hold(database, resource, "10:00", "12:00", quantity=2, activity="yoga")

    with pytest.raises(SoldOut) as refusal:
        await make_hold(database, resource, "11:00", "13:00", quantity=1, activity="yoga")
    await make_hold(database, resource, "12:00", "13:00", quantity=8)

    assert refusal.value.vacancies == 0


async def test_one_party_may_hold_an_exclusive_resource_in_several_items(database: Database) -> None:
    resource = await make_resource(database, capacity=8, sharing=Sharing.EXCLUSIVE)

    await make_hold(
        database, resource, "10:00", "12:00", quantity=2, also=(item_of(resource, "11:00", "13:00", quantity=3),)
    )


async def test_what_is_required_is_shared_by_its_own_mode(database: Database) -> None:
    hall = await make_resource(database, capacity=20, sharing=Sharing.SAME_ACTIVITY)
    dance = await make_resource(database, beside=hall, capacity=20)
    chess = await make_resource(database, beside=hall, capacity=20)
    for lesson in (dance, chess):
        await make_requirement(database, lesson, hall, per_unit=1)

    await make_hold(database, dance, quantity=5, activity="dance")
    await make_hold(database, hall, quantity=1, activity="dance")
    with pytest.raises(ActivityConflict):
        await make_hold(database, chess, quantity=1, activity="chess")
