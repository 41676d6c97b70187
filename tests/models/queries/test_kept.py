"""When what is kept is used, and when the database is read. The answers: tests/engine/test_kept_agreement.py."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from models.database import Database
from models.errors import NotFound
from models.interval import Interval
from models.kept_timelines import FULL_SECONDS, KeptTimelines
from models.queries import kept
from models.queries.catalog import Versions, read_versions
from models.queries.kept import read_kept_timelines
from models.queries.timelines import TimelineView, read_timelines
from models.queries.work import fold
from models.resource import Resource
from tests.support.factories import (
    at,
    between,
    item_of,
    key_of,
    let_run_out,
    make_booking,
    make_hold,
    make_resource,
    make_venue,
)
from tests.support.statements import recorded_statements

WINDOW = between("08:00", "20:00")
ELSEWHERE = between("2030-06-02 08:00", "2030-06-02 20:00")
VERSIONS, STEPS = "ledger_versions", "ledger_steps"


@pytest.fixture
def process(database: Database) -> Database:
    """A process that keeps timelines, and has no Redis."""
    return replace(database, timelines=KeptTimelines(), catalog={})


@contextmanager
def asked(process: Database, *expected: str) -> Iterator[None]:
    """These functions, and no others, are called while the block lasts."""
    with recorded_statements(process) as statements:
        yield
    assert [one.partition("FROM ")[2].partition("(")[0] for one in statements] == list(expected)


async def read(process: Database, *resources: Resource, window: Interval = WINDOW) -> list[TimelineView]:
    return await read_kept_timelines(process, [(key_of(each), window) for each in resources])


async def test_what_was_asked_about_twice_is_not_read_again_until_it_changes(process: Database) -> None:
    hall = await make_resource(process, capacity=5)
    for _ in range(2):
        with asked(process, VERSIONS, STEPS):
            await read(process, hall)
    with asked(process, VERSIONS):
        (view,) = await read(process, hall)
    assert (view.version, [step.taken for step in view.steps]) == (0, [0])
    with asked(process, VERSIONS):
        await read(process, hall, window=ELSEWHERE)  # of the same block

    await make_hold(process, hall, "10:00", "12:00", quantity=2)

    with asked(process, VERSIONS, STEPS):
        (view,) = await read(process, hall)
    assert (view.version, [step.taken for step in view.steps]) == (1, [0, 2, 0])


async def test_what_changes_at_each_question_is_read_for_that_question_alone(
    process: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await make_resource(process, capacity=5)
    windows: list[Interval] = []

    async def noting(database: Database, questions: Sequence[Any], **more: Any) -> list[TimelineView]:
        windows.extend(window for _, window in questions)
        return await read_timelines(database, questions, **more)

    monkeypatch.setattr(kept, "read_timelines", noting)
    for hour in range(10, 13):
        await read(process, hall)
        await make_hold(process, hall, f"{hour}:00", f"{hour + 1}:00")
    assert windows == [WINDOW] * 3


async def test_versions_that_are_known_are_not_asked_for(process: Database) -> None:
    hall = await make_resource(process)
    await read(process, hall)
    await read(process, hall)
    versions = await read_versions(process, [key_of(hall)])
    with asked(process):
        await read_kept_timelines(process, [(key_of(hall), WINDOW)], versions=versions)


async def test_many_are_answered_by_one_statement_for_those_that_are_not_kept(process: Database) -> None:
    halls = [await make_resource(process, capacity=5) for _ in range(3)]
    for _ in range(2):
        await read(process, *halls[:2])
    with asked(process, VERSIONS, STEPS):
        views = await read(process, *halls)
    assert views == await read_timelines(process, [(key_of(hall), WINDOW) for hall in halls])


@pytest.mark.parametrize("is_compared", [True, False])
async def test_what_is_kept_never_stands_beside_what_came_after_it(
    process: Database, monkeypatch: pytest.MonkeyPatch, is_compared: bool
) -> None:
    """Both are held in one booking between the two statements: the control shows it of one, and not of the other."""
    hall = await make_resource(process, capacity=5)
    other = await make_resource(process, beside=hall, capacity=5)
    for _ in range(2):
        await read(process, hall)

    async def and_then_a_hold(database: Database, questions: Sequence[Any], **more: Any) -> list[TimelineView]:
        if len(questions) == 1:
            await make_hold(process, hall, also=(item_of(other),))
        return await read_timelines(database, questions, **more)

    monkeypatch.setattr(kept, "read_timelines", and_then_a_hold)
    if not is_compared:
        monkeypatch.setattr(kept._Reading, "is_of_one_instant", lambda *_: True)
    views = await read(process, hall, other)
    assert [view.version for view in views] == ([1, 1] if is_compared else [0, 1])


def ignored(monkeypatch: pytest.MonkeyPatch, **told: Any) -> None:
    """From now on the database seems to say this of every resource: a guard that is off."""
    of = Versions.of
    monkeypatch.setattr(Versions, "of", lambda row: of(row)._replace(**told))


async def test_control_who_does_not_look_at_the_state_shows_what_was(
    process: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored(monkeypatch, state="always the same")
    hall = await make_resource(process, capacity=5)
    for _ in range(2):
        await read(process, hall)
    await make_hold(process, hall)
    (view,) = await read(process, hall)
    assert [step.taken for step in view.steps] == [0]


async def test_control_who_does_not_know_that_a_hold_is_over_shows_what_is_free_as_taken(
    process: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored(monkeypatch, is_over=False)
    hall = await make_resource(process, capacity=5)
    held = await make_hold(process, hall)
    for _ in range(2):
        await read(process, hall)
    await let_run_out(owner, held)
    (view,) = await read(process, hall)
    assert [step.taken for step in view.steps] == [0, 1, 0]


async def test_control_who_takes_all_for_published_shows_others_what_staff_have_read(
    process: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored(monkeypatch, is_published=True)
    hidden = await make_resource(process, venue=await make_venue(process, is_published=False))
    question = (key_of(hidden), WINDOW)
    for _ in range(2):
        await read_kept_timelines(process, [question], own={hidden.organization_id})
    assert await read_kept_timelines(process, [question])


async def test_while_a_hold_is_over_the_database_tells_what_is_taken(
    process: Database, owner: asyncpg.Connection
) -> None:
    hall = await make_resource(process, capacity=5)
    held = await make_hold(process, hall)
    for _ in range(2):
        await read(process, hall)
    await let_run_out(owner, held)
    for _ in range(3):
        with asked(process, VERSIONS, STEPS):
            (view,) = await read(process, hall)
        assert [step.taken for step in view.steps] == [0, 0, 0]


async def test_what_is_folded_is_not_shown_as_it_was(process: Database) -> None:
    hall = await make_resource(process, capacity=5)
    await make_booking(process, hall, "09:00", "10:00")
    await make_booking(process, hall, "12:00", "13:00")
    for _ in range(2):
        await read(process, hall)
    (before,) = await read(process, hall)
    await fold(process, older_than=datetime.now(UTC) - at("11:00"), limit=10, points=10)
    (after,) = await read(process, hall)
    assert after.version == before.version
    assert (before.steps[0].closed, after.steps[0].closed) == (False, True)


async def test_a_version_that_is_told_a_second_time_is_not_taken_for_the_first(
    process: Database, owner: asyncpg.Connection
) -> None:
    """As after an older backup was restored: the same versions come again, with other bookings."""
    hall = await make_resource(process, capacity=5)
    await make_hold(process, hall, "10:00", "12:00")
    for _ in range(3):
        await read(process, hall)
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE timeline SET taken = 3 WHERE resource_id = $1 AND taken > 0", hall.id)
        await owner.execute("UPDATE resource SET version = version WHERE id = $1", hall.id)
    (view,) = await read(process, hall)
    assert (view.version, [step.taken for step in view.steps]) == (1, [0, 3, 0])
    async with owner.transaction():  # so that the audit finds it as it was
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE timeline SET taken = 1 WHERE resource_id = $1 AND taken > 0", hall.id)


async def test_what_staff_have_read_is_not_shown_to_others(process: Database) -> None:
    hidden = await make_resource(process, venue=await make_venue(process, is_published=False))
    question = (key_of(hidden), WINDOW)
    for _ in range(3):
        await read_kept_timelines(process, [question], own={hidden.organization_id})
    with pytest.raises(NotFound):
        await read_kept_timelines(process, [question])


async def test_a_block_with_too_many_steps_is_not_kept_and_for_a_while_not_read_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    process = replace(database, timelines=KeptTimelines(clock=lambda: now))
    hall = await make_resource(process, capacity=5)
    await make_hold(process, hall, "10:00", "12:00")
    monkeypatch.setattr("models.kept_timelines.STEPS_MAX", 2)
    for _ in range(4):
        with asked(process, VERSIONS, STEPS):
            await read(process, hall)
    monkeypatch.undo()
    with asked(process, VERSIONS, STEPS):
        await read(process, hall)
    now += FULL_SECONDS + 1
    await read(process, hall)
    with asked(process, VERSIONS):
        await read(process, hall)


async def test_a_window_of_years_is_read_from_the_database(process: Database) -> None:
    hall = await make_resource(process)
    for _ in range(3):
        with asked(process, VERSIONS, STEPS):
            await read(process, hall, window=between("2020-01-01 00:00", "2035-01-01 00:00"))


async def test_who_keeps_nothing_asks_as_before(database: Database) -> None:
    hall = await make_resource(database)
    for _ in range(3):
        with asked(database, STEPS):
            await read(database, hall)
