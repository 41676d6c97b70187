"""Reading timelines: what is true in a window, of many resources, in one statement and one snapshot."""

import asyncio
import uuid
from itertools import pairwise

import asyncpg
import pytest

from models.database import Database
from models.errors import NotFound
from models.keys import ResourceKey
from models.ledger import calls
from models.ledger.requests import BookingAction
from models.queries.timelines import TimelineView, read_timelines
from models.resource import Sharing
from tests.support.factories import (
    adjust_of,
    at,
    between,
    change_of,
    hold_of,
    item_of,
    key_of,
    let_run_out,
    make_booking,
    make_hold,
    make_resource,
)
from tests.support.ledger import status_of, version_of


def _taken(view: TimelineView) -> list[tuple[str, str, int, int]]:
    return [(f"{step.starts_at:%H:%M}", f"{step.ends_at:%H:%M}", step.capacity, step.taken) for step in view.steps]


async def test_nothing_is_asked(database: Database) -> None:
    assert await read_timelines(database, []) == []


async def test_a_resource_that_nobody_has_booked_is_one_step(database: Database) -> None:
    resource = await make_resource(database, capacity=7)

    (view,) = await read_timelines(database, [(key_of(resource), between("10:00", "12:00"))])

    assert view.resource == key_of(resource)
    assert view.version == 0
    assert _taken(view) == [("10:00", "12:00", 7, 0)]


async def test_the_window_cuts_what_reaches_over_it(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=9)
    await make_hold(database, resource, "09:00", "11:00", quantity=2)
    await make_booking(database, resource, "10:30", "14:00", quantity=3)
    await calls.adjust(database, adjust_of(resource, "11:30", "20:00", closed=True))

    (view,) = await read_timelines(database, [(key_of(resource), between("10:00", "12:00"))])

    assert view.version == await version_of(owner, resource) == 3
    assert _taken(view) == [
        ("10:00", "10:30", 9, 2),
        ("10:30", "11:00", 9, 5),
        ("11:00", "11:30", 9, 3),
        ("11:30", "12:00", 9, 3),
    ]
    assert [step.closed for step in view.steps] == [False, False, False, True]


@pytest.mark.parametrize(
    ("start", "end"), [("08:00", "10:00"), ("12:00", "13:00")], ids=["ends where it starts", "starts where it ends"]
)
async def test_neighbours_are_not_seen(database: Database, start: str, end: str) -> None:
    resource = await make_resource(database, capacity=1)
    await make_hold(database, resource, "10:00", "12:00")

    (view,) = await read_timelines(database, [(key_of(resource), between(start, end))])

    assert _taken(view) == [(start, end, 1, 0)]


async def test_steps_meet_and_fill_the_window(database: Database) -> None:
    resource = await make_resource(database, capacity=50)
    for start in range(8, 20):
        await make_hold(database, resource, f"{start:02}:00", f"{start + 2}:30", quantity=start % 3 + 1)

    (view,) = await read_timelines(database, [(key_of(resource), view_window := between("09:10", "18:20"))])

    assert view.steps[0].starts_at == view_window.starts_at
    assert view.steps[-1].ends_at == view_window.ends_at
    assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(view.steps))
    assert all(step.starts_at < step.ends_at for step in view.steps)


async def test_many_questions_are_answered_in_their_order(database: Database) -> None:
    first, second = await make_resource(database, capacity=1), await make_resource(database, capacity=2)
    await make_hold(database, second, "10:00", "12:00", quantity=2)
    questions = [
        (key_of(second), between("11:00", "13:00")),
        (key_of(first), between("10:00", "11:00")),
        (key_of(second), between("13:00", "14:00")),
        (key_of(second), between("11:00", "13:00")),
    ]

    views = await read_timelines(database, questions)

    assert [(view.resource, view.window) for view in views] == questions
    assert [_taken(view) for view in views] == [
        [("11:00", "12:00", 2, 2), ("12:00", "13:00", 2, 0)],
        [("10:00", "11:00", 1, 0)],
        [("13:00", "14:00", 2, 0)],
        [("11:00", "12:00", 2, 2), ("12:00", "13:00", 2, 0)],
    ]


async def test_an_unknown_resource_is_not_found(database: Database) -> None:
    known = await make_resource(database)
    unknown = ResourceKey(known.organization_id, uuid.uuid4())
    window = between("10:00", "12:00")

    with pytest.raises(NotFound):
        await read_timelines(database, [(key_of(known), window), (unknown, window)])


async def test_an_id_counts_within_its_organization_alone(database: Database) -> None:
    mine, foreign = await make_resource(database), await make_resource(database)

    with pytest.raises(NotFound):
        await read_timelines(database, [(ResourceKey(mine.organization_id, foreign.id), between("10:00", "12:00"))])


async def test_a_hold_that_is_over_is_shown_as_gone_and_stays_as_it_is(
    database: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database, capacity=9)
    await make_booking(database, resource, "11:00", "13:00", quantity=4)
    over = await make_hold(
        database, resource, "10:00", "12:00", quantity=2, also=(item_of(resource, "15:00", "16:00", quantity=5),)
    )
    await let_run_out(owner, over)
    version = await version_of(owner, resource)

    (view,) = await read_timelines(database, [(key_of(resource), between("10:30", "15:30"))])

    taken = [(start, end, taken) for start, end, _, taken in _taken(view)]
    assert {(start, taken) for start, _, taken in taken if taken} == {("11:00", 4), ("12:00", 4)}
    assert view.version == version
    assert await status_of(owner, over.booking.id) == "ON_HOLD"


async def test_a_party_whose_hold_is_over_is_nobody(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=9, sharing=Sharing.SAME_ACTIVITY)
    over = await make_hold(database, resource, activity="swimming")
    question = (key_of(resource), between("10:00", "12:00"))
    (before,) = await read_timelines(database, [question])
    await let_run_out(owner, over)

    (after,) = await read_timelines(database, [question])

    assert [step.sharing_key for step in before.steps] == ["swimming"]
    assert [step.sharing_key for step in after.steps] == [None]


async def test_version_and_steps_are_of_one_moment(database: Database) -> None:
    """With every hold the version grows by one and the taken by one: a reader never sees one without the other."""
    resource = await make_resource(database, capacity=60)
    question = (key_of(resource), between("10:00", "12:00"))
    holding = asyncio.gather(*(calls.hold(database, hold_of(resource)) for _ in range(60)))

    seen = []
    while not holding.done():
        (view,) = await read_timelines(database, [question])
        seen.append((view.version, view.steps[0].taken))
    await holding

    assert all(version == taken for version, taken in seen)
    assert len(seen) > 1


async def test_it_goes_with_the_bookings(database: Database) -> None:
    resource = await make_resource(database, capacity=1)
    question = (key_of(resource), between("09:00", "13:00"))

    held = await make_hold(database, resource)
    (during,) = await read_timelines(database, [question])
    await calls.change_booking(database, change_of(held, BookingAction.RELEASE))
    (after,) = await read_timelines(database, [question])

    assert _taken(during) == [("09:00", "10:00", 1, 0), ("10:00", "12:00", 1, 1), ("12:00", "13:00", 1, 0)]
    assert _taken(after) == [("09:00", "13:00", 1, 0)]
    assert after.steps[0].starts_at == at("09:00")


async def test_of_two_who_follow_one_another_only_the_one_that_is_over_is_gone(
    database: Database, owner: asyncpg.Connection
) -> None:
    """Where one ends as the other begins the timeline may have one step for both."""
    hall = await make_resource(database, capacity=1)
    over = await make_hold(database, hall, "10:00", "11:00")
    await make_hold(database, hall, "11:00", "12:00")
    await calls.adjust(database, adjust_of(hall, "08:00", "18:00", closed=False))
    await let_run_out(owner, over)

    [view] = await read_timelines(database, [(key_of(hall), between("10:00", "12:00"))])

    assert [(step.starts_at, step.taken) for step in view.steps] == [(at("10:00"), 0), (at("11:00"), 1)]
