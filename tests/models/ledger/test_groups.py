"""Admissions that go together: one call and one commit, each with the outcome that it would have had alone."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from models.database import Database
from models.errors import ActivityConflict, BookingError, IdempotencyConflict, NotFound, SoldOut, VersionConflict
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import Hold
from models.resource import Sharing
from tests.support.factories import hold_of, item_of, let_run_out, make_hold, make_requirement, make_resource
from tests.support.ledger import status_of, version_of
from tests.support.statements import recorded_statements

Answer = BookingRecord | BaseException


async def together(database: Database, *requests: Hold) -> list[Answer]:
    """The answers to requests that go in one group."""
    return await asyncio.gather(*(calls.hold(database, request) for request in requests), return_exceptions=True)


def codes(answers: Sequence[Answer]) -> list[str]:
    return [answer.code if isinstance(answer, BookingError) else "DONE" for answer in answers]


async def test_all_that_fit_are_admitted_in_one_call(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=40)
    with recorded_statements(database) as statements:
        answers = await asyncio.gather(*(calls.hold(database, hold_of(hall)) for _ in range(40)))
    assert len(statements) == 1
    assert len({record.booking.id for record in answers}) == 40
    assert all(record.items[0].resource_id == hall.id for record in answers)
    assert await version_of(owner, hall) == 40


async def test_when_not_all_fit_the_first_that_came_do(database: Database) -> None:
    hall = await make_resource(database, capacity=3)
    answers = await together(database, *(hold_of(hall, quantity=quantity) for quantity in (1, 1, 2, 1, 1)))
    assert codes(answers) == ["DONE", "DONE", "SOLD_OUT", "DONE", "SOLD_OUT"]
    refused = [answer.vacancies for answer in answers if isinstance(answer, SoldOut)]
    assert refused == [1, 0]


async def test_what_is_refused_at_sight_does_not_hold_up_the_others(database: Database) -> None:
    hall = await make_resource(database, capacity=2)
    answers = await together(database, hold_of(hall), hold_of(hall, quantity=3), hold_of(hall))
    assert codes(answers) == ["DONE", "SOLD_OUT", "DONE"]


async def test_one_key_twice_in_a_group(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=9)
    key = "a key that two calls share"
    same, other = hold_of(hall, key=key), hold_of(hall, key=key, asks="something else")
    answers = await together(database, hold_of(hall), same, hold_of(hall), same, other)
    assert codes(answers) == ["DONE", "DONE", "DONE", "DONE", IdempotencyConflict.code]
    first, again = answers[1], answers[3]
    assert isinstance(first, BookingRecord)
    assert isinstance(again, BookingRecord)
    assert first.booking.id == again.booking.id
    assert await version_of(owner, hall) == 3


async def test_only_the_first_finds_the_version_that_it_expects(database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    await make_hold(database, hall)
    answers = await together(database, *(hold_of(hall, expected={hall.id: 1}) for _ in range(3)))
    assert codes(answers) == ["DONE", VersionConflict.code, VersionConflict.code]


@pytest.mark.parametrize(
    ("sharing", "activities", "expected"),
    [
        (Sharing.EXCLUSIVE, (None, None, None), ["DONE", "SOLD_OUT", "SOLD_OUT"]),
        (Sharing.SAME_ACTIVITY, ("gym", "laps", "gym"), ["DONE", ActivityConflict.code, "DONE"]),
    ],
)
async def test_parties_of_a_group_share_as_others_do(
    database: Database, sharing: Sharing, activities: tuple[str | None, ...], expected: list[str]
) -> None:
    room = await make_resource(database, capacity=9, sharing=sharing)
    requests = [hold_of(room, activity=activity) for activity in activities]
    assert codes(await together(database, *requests)) == expected


async def test_an_unknown_resource_is_its_own_requests_matter(database: Database) -> None:
    hall, foreign = await make_resource(database, capacity=9), await make_resource(database)
    broken = hold_of(hall, also=(item_of(foreign),))
    answers = await together(database, hold_of(hall), hold_of(hall), broken, hold_of(hall))
    assert codes(answers) == ["DONE", "DONE", NotFound.code, "DONE"]


async def test_a_defect_fails_by_itself(database: Database) -> None:
    hall = await make_resource(database, capacity=9)
    one, two, three = hold_of(hall), hold_of(hall), hold_of(hall)
    broken = Hold(**{field: getattr(two, field) for field in Hold.__slots__} | {"booking_id": one.booking_id})
    answers = await together(database, one, hold_of(hall), broken, three)
    assert isinstance(answers[2], asyncpg.UniqueViolationError)
    assert [isinstance(answer, BookingRecord) for answer in answers] == [True, True, False, True]


async def test_a_group_ends_what_is_over_in_its_way(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=3)
    old = await make_hold(database, hall, quantity=3)
    await let_run_out(owner, old)
    answers = await together(database, *(hold_of(hall) for _ in range(4)))
    assert codes(answers) == ["DONE", "DONE", "DONE", "SOLD_OUT"]
    assert await status_of(owner, old.booking.id) == "EXPIRED"


async def test_groups_of_overlapping_lanes_do_not_deadlock(database: Database, owner: "asyncpg.Connection") -> None:
    """Lanes of one resource, of the other, of both in either order, and of a house that requires both."""
    one = await make_resource(database, capacity=500)
    two = await make_resource(database, beside=one, capacity=500)
    house = await make_resource(database, beside=one, capacity=500)
    await make_requirement(database, house, one, per_unit=1)
    await make_requirement(database, house, two, per_unit=1)
    requests = [
        request
        for _ in range(20)
        for request in (
            hold_of(one),
            hold_of(two),
            hold_of(one, also=(item_of(two),)),
            hold_of(two, also=(item_of(one),)),
            hold_of(house),
        )
    ]
    answers = await asyncio.gather(*(calls.hold(database, request) for request in requests), return_exceptions=True)
    assert set(codes(answers)) == {"DONE"}
    assert await version_of(owner, one) == 80


async def test_a_group_goes_on_when_who_asked_has_gone(database: Database, owner: "asyncpg.Connection") -> None:
    hall = await make_resource(database, capacity=9)
    tasks = [asyncio.create_task(calls.hold(database, hold_of(hall))) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await database.groups.finish()
    assert isinstance(answers[0], asyncio.CancelledError)
    assert await version_of(owner, hall) == 3
