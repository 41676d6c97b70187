"""Folding: the past of a timeline goes, and nothing else changes; what spans the fold is given back where it is known.

The tests' day is far ahead, so folding is told to keep less than nothing: up to a time of that day.
"""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from models.audit import INVARIANTS, examine, snapshot
from models.booking import BookingStatus
from models.database import Database
from models.errors import Closed, VersionConflict
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.queries.timelines import read_timelines
from models.queries.work import fold
from models.resource import Resource, Sharing
from tests.support.audits import assert_audit_clean
from tests.support.by_hand import claim_by_hand
from tests.support.factories import (
    adjust_of,
    at,
    between,
    change_of,
    hold_of,
    key_of,
    let_run_out,
    make_booking,
    make_hold,
    make_resource,
)
from tests.support.ledger import StepRow, status_of, taken_of, timeline_of, version_of
from tests.support.waiting import waits_for_a_lock

PLENTY = 1_000


async def fold_to(database: Database, time: str, *, limit: int = PLENTY, points: int = PLENTY) -> int:
    """Fold as if everything before this time of the tests' day were older than what is kept."""
    return await fold(database, older_than=datetime.now(UTC) - at(time), limit=limit, points=points)


async def cancel(database: Database, record: BookingRecord) -> None:
    await calls.change_booking(database, change_of(record, BookingAction.CANCEL))


async def test_the_past_is_one_closed_step_and_the_rest_stays(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=5)
    for start, end in (("08:00", "09:00"), ("09:30", "11:00"), ("10:00", "14:00"), ("16:00", "17:00")):
        await make_booking(database, resource, start, end)
    before, version = await timeline_of(owner, resource), await version_of(owner, resource)

    assert await fold_to(database, "10:30") == 1

    # 10:00 is the last change before 10:30: what holds then began there.
    assert await timeline_of(owner, resource) == [
        StepRow("dawn", 5, 0, None, True),
        *(step for step in before if "10:00" <= step.at < "dawn"),
    ]
    assert await version_of(owner, resource) == version, "nothing that can be booked has changed"


async def test_a_fold_is_made_once(database: Database, owner: asyncpg.Connection) -> None:
    resource, idle = await make_resource(database), await make_resource(database)
    await make_booking(database, resource)

    assert await fold_to(database, "11:00") == 1
    stored = await owner.fetch("SELECT xmin::text FROM resource UNION ALL SELECT xmin::text FROM timeline")
    assert await fold_to(database, "11:30") == 0

    assert await owner.fetch("SELECT xmin::text FROM resource UNION ALL SELECT xmin::text FROM timeline") == stored
    assert await taken_of(owner, idle) == [("dawn", 0)]
    assert await fold_to(database, "12:00") == 1
    assert await taken_of(owner, resource) == [("dawn", 0), ("12:00", 0)]


async def test_what_is_booked_after_a_fold_is_folded_in_its_time(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=3)
    await make_booking(database, resource, "08:00", "09:00")
    assert await fold_to(database, "12:00") == 1

    await make_booking(database, resource, "14:00", "15:00")
    await make_booking(database, resource, "13:00", "16:00")

    assert await fold_to(database, "12:30") == 0
    assert await fold_to(database, "14:00") == 1
    assert await taken_of(owner, resource) == [("dawn", 0), ("14:00", 2), ("15:00", 1), ("16:00", 0)]


async def test_a_round_is_bounded_and_the_next_goes_on(database: Database, owner: asyncpg.Connection) -> None:
    resources = [await make_resource(database) for _ in range(3)]
    for resource in resources:
        for hour in (8, 10, 12):
            await make_booking(database, resource, f"{hour:02}:00", f"{hour + 1:02}:00")

    rounds = []
    while folded := await fold_to(database, "20:00", limit=2, points=4):
        rounds.append(folded)

    assert rounds == [2, 2, 2]
    for resource in resources:
        assert await taken_of(owner, resource) == [("dawn", 0), ("13:00", 0)]


async def test_what_is_locked_is_left_for_later(database: Database, owner: asyncpg.Connection) -> None:
    busy, quiet = await make_resource(database), await make_resource(database)
    for resource in (busy, quiet):
        await make_booking(database, resource)
    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", busy.id)
        assert await fold_to(database, "20:00", limit=1) == 1
        assert await fold_to(database, "20:00", limit=1) == 0
    assert await fold_to(database, "20:00") == 1


async def test_the_folded_past_is_shown_and_refused_as_closed(database: Database) -> None:
    resource = await make_resource(database, capacity=2)
    await make_booking(database, resource, "08:00", "10:00")
    await fold_to(database, "12:00")

    (view,) = await read_timelines(database, [(key_of(resource), between("08:00", "14:00"))])

    assert [(step.starts_at, step.taken, step.closed) for step in view.steps] == [
        (at("08:00"), 0, True),
        (at("10:00"), 0, False),
    ]
    for start, end in (("08:00", "09:00"), ("09:00", "11:00")):
        with pytest.raises(Closed):
            await make_hold(database, resource, start, end)
    await make_hold(database, resource, "10:00", "11:00")


async def test_who_looked_before_the_fold_may_still_book(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=2)
    await make_booking(database, resource, "08:00", "09:00")
    seen = await version_of(owner, resource)
    await fold_to(database, "10:00")

    await make_hold(database, resource, expected={resource.id: seen})
    with pytest.raises(VersionConflict):
        await make_hold(database, resource, expected={resource.id: seen})


@pytest.mark.parametrize("sharing", list(Sharing))
@pytest.mark.parametrize("ended", ["cancelled", "expired"])
async def test_a_stay_that_spans_the_fold_gives_back_what_is_left_of_it(
    database: Database, owner: asyncpg.Connection, sharing: Sharing, ended: str
) -> None:
    resource = await make_resource(database, capacity=3, sharing=sharing)
    long = await make_hold(database, resource, "08:00", "16:00", quantity=2, activity="yoga")
    if sharing is Sharing.SHARED:
        await make_booking(database, resource, "09:00", "10:00")
    else:
        await calls.adjust(database, adjust_of(resource, "10:00", capacity=4))
    await fold_to(database, "12:00")
    assert (await taken_of(owner, resource))[:2] == [("dawn", 0), ("10:00", 2)]

    if ended == "cancelled":
        await cancel(database, long)
    else:
        await let_run_out(owner, long)
        await owner.fetchval("SELECT worker_expire_over($1, 10, true)", resource.organization_id)

    assert await taken_of(owner, resource) == [("dawn", 0), ("10:00", 0)]
    assert await status_of(owner, long.booking.id) in (BookingStatus.CANCELLED, BookingStatus.EXPIRED)


async def test_a_stay_wholly_before_the_fold_gives_back_nothing(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=3)
    short = await make_booking(database, resource, "08:00", "10:00", quantity=2)
    await make_booking(database, resource, "09:00", "14:00")
    await fold_to(database, "12:00")
    kept, version = await timeline_of(owner, resource), await version_of(owner, resource)

    await cancel(database, short)

    assert await timeline_of(owner, resource) == kept
    assert await version_of(owner, resource) == version + 1


async def test_a_hold_that_is_over_takes_nothing_of_the_folded_past(
    database: Database, owner: asyncpg.Connection
) -> None:
    """It is shown as gone before it has ended; from the past it can not be taken away a second time."""
    resource = await make_resource(database, capacity=3)
    over = await make_hold(database, resource, "08:00", "16:00", quantity=2)
    await make_booking(database, resource, "09:00", "10:00")
    await let_run_out(owner, over)
    await fold_to(database, "12:00")

    whole = Interval(at("07:00"), at("18:00"))
    (view,) = await read_timelines(database, [(key_of(resource), whole)])
    (past,) = await read_timelines(database, [(key_of(resource), between("08:00", "09:00"))])

    assert [step.taken for step in view.steps] == [0, 0, 0]
    assert [(step.taken, step.closed) for step in past.steps] == [(0, True)]


async def test_a_claim_by_hand_counts_only_after_the_fold(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=2)
    await make_booking(database, resource, "08:00", "11:00")
    await fold_to(database, "11:00")
    await claim_by_hand(owner, resource, quantity=2)
    assert await taken_of(owner, resource) == [("dawn", 0), ("11:00", 2), ("12:00", 0)]

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await claim_by_hand(owner, resource, quantity=1)
    assert refusal.value.constraint_name == "timeline_taken_check"

    await fold_to(database, "13:00")
    await claim_by_hand(owner, resource, quantity=2)
    assert await taken_of(owner, resource) == [("dawn", 0), ("12:00", 0)]


async def test_capacity_and_closings_reach_back_to_the_fold_only(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database, capacity=4)
    await make_booking(database, resource, "08:00", "10:00")
    await fold_to(database, "12:00")

    await calls.adjust(database, adjust_of(resource, "07:00", "14:00", capacity=6))
    await calls.adjust(database, adjust_of(resource, "06:00", "09:00", closed=False))
    await calls.adjust(database, adjust_of(resource, "09:00", capacity=5))
    assert await timeline_of(owner, resource) == [
        StepRow("dawn", 4, 0, None, True),
        StepRow("10:00", 5, 0, None, False),
    ]

    await calls.adjust(database, adjust_of(resource, "09:00", capacity=4))
    await calls.adjust(database, adjust_of(resource, "09:00", closed=True))
    await calls.adjust(database, adjust_of(resource, "11:00", closed=False))
    assert await timeline_of(owner, resource) == [
        StepRow("dawn", 4, 0, None, True),
        StepRow("10:00", 4, 0, None, True),  # as the dawn, and there nevertheless: it was folded to
        StepRow("11:00", 4, 0, None, False),
    ]
    assert await owner.fetchval("SELECT capacity FROM resource WHERE id = $1", resource.id) == 4


async def test_holds_and_folds_at_the_same_time(database: Database, owner: asyncpg.Connection) -> None:
    """Both win: stays that span the fold are given back, others are held, and the fold goes forward between them."""
    resource = await make_resource(database, capacity=40)
    held = [await make_hold(database, resource, "08:00", f"{12 + n // 3}:{n % 3 * 2}0") for n in range(20)]
    assert await fold_to(database, "08:00") == 1

    async def keep_folding() -> None:
        for n in range(48):
            await fold_to(database, f"{8 + n // 6:02}:{n % 6}5")

    async def come_and_go(record: BookingRecord, number: int) -> None:
        await cancel(database, record)
        again = await calls.hold(database, hold_of(resource, f"{19 + number % 4}:00", "23:00"))
        if number % 2:
            await cancel(database, again)

    await asyncio.gather(keep_folding(), *(come_and_go(record, number) for number, record in enumerate(held)))

    steps = await taken_of(owner, resource)
    assert steps[0] == ("dawn", 0)
    assert "08:00" <= steps[1][0] < "16:00"
    assert steps[1][1] == 0
    assert steps[-3:] == [("19:00", 5), ("21:00", 10), ("23:00", 0)]


async def test_a_claim_that_waited_for_a_fold_sees_it(
    database: Database, owner: asyncpg.Connection, owner_url: str
) -> None:
    resource = await make_resource(database, capacity=3)
    long = await make_booking(database, resource, "08:00", "16:00")
    async with owner.transaction():
        until = at("08:00")
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", resource.id)
        await owner.execute("SELECT ledger_fold($1, $2, $3, 10)", resource.organization_id, resource.id, until)
        cancelling = asyncio.create_task(cancel(database, long))
        await waits_for_a_lock(owner)
    await cancelling
    assert await taken_of(owner, resource) == [("dawn", 0), ("08:00", 0)]


@pytest.mark.unaudited
@pytest.mark.parametrize(
    ("function", "clamp", "without", "red"),
    [
        (
            "ledger_claim_changed",
            "greatest(v_claim.starts_at, v_resource.folded_until)",
            "v_claim.starts_at",
            "timeline_taken",
        ),
        (
            "ledger_adjustment_made",
            "greatest(NEW.starts_at, v_resource.folded_until)",
            "NEW.starts_at",
            "goes on from there",
        ),
        ("ledger_compact", "r.folded_until >= t.at", "false", "goes on from there"),
    ],
    ids=lambda what: what if str(what).startswith("ledger_") else "",
)
async def test_control_without_the_clamp_it_is_seen(
    database: Database,
    owner: asyncpg.Connection,
    database_url: str,
    function: str,
    clamp: str,
    without: str,
    red: str,
) -> None:
    """By the CHECK or by the audit: what spans the fold would be given back where nothing is known any more."""
    resource = await make_resource(database, capacity=4)
    await make_booking(database, resource, "09:00", "10:00")
    long = await make_booking(database, resource, "08:00", "16:00")
    await fold_to(database, "12:00")
    text: str = await owner.fetchval("SELECT pg_get_functiondef($1::regproc)", function)
    assert clamp in text
    await owner.execute(text.replace(clamp, without))

    try:
        await cancel(database, long)
        await calls.adjust(database, adjust_of(resource, "07:00", "18:00", closed=True))
        found = await _broken(database_url)
    except asyncpg.CheckViolationError as refusal:
        found = [str(refusal.constraint_name)]

    assert any(red in each for each in found), found


PLANTED = [
    ("the timeline is the sweep", "UPDATE timeline SET taken = taken + 1 WHERE at > '2030-06-01 12:00+00'"),
    ("capacity and closings", "UPDATE timeline SET closed = true WHERE at > '2030-06-01 12:00+00'"),
    ("goes on from there", "UPDATE timeline SET closed = false WHERE at = '-infinity'"),
    ("goes on from there", "UPDATE timeline SET at = at + interval '1 min' WHERE at = '2030-06-01 10:00+00'"),
    (
        "goes on from there",
        "INSERT INTO timeline SELECT organization_id, resource_id, '2030-01-01', 4, 0, NULL, true"
        " FROM timeline WHERE at = '-infinity'",
    ),
    ("goes on from there", "UPDATE resource SET folded_until = folded_until - interval '1 hour'"),
    ("goes on from there", "UPDATE resource SET foldable_from = NULL"),
]


@pytest.mark.unaudited
@pytest.mark.parametrize(("promise", "statement"), PLANTED, ids=[statement[:60] for _, statement in PLANTED])
async def test_what_is_planted_beside_a_fold_is_found(
    database: Database, owner: asyncpg.Connection, database_url: str, promise: str, statement: str
) -> None:
    resource = await _folded(database)
    await assert_audit_clean(database_url)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(statement)
    assert resource.capacity == 4
    assert any(promise in found for found in await _broken(database_url))


async def _folded(database: Database) -> Resource:
    resource = await make_resource(database, capacity=4)
    await make_booking(database, resource, "08:00", "10:00")
    await make_booking(database, resource, "09:00", "16:00")
    await make_booking(database, resource, "13:00", "14:00")
    await fold_to(database, "12:00")
    return resource


async def _broken(database_url: str) -> list[str]:
    async with snapshot(database_url) as connection:
        findings = [await examine(connection, invariant) for invariant in INVARIANTS]
    return [finding.invariant.promise for finding in findings if finding.count]
