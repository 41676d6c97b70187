import asyncio
import secrets
import uuid
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql import insert

from engine.idempotency import check_key, commit_once
from models.database import Database, WriteSession, connect
from models.errors import Busy, IdempotencyConflict, InvalidInput
from models.ledger.requests import Command
from models.venue import Organization, Venue
from tests.support.cut import line_to
from tests.support.factories import command_of, make_organization, make_venue, random_slug
from tests.support.ledger import count_of
from tests.support.waiting import waits_for_a_lock


class Work:
    """Makes a venue in the organization of the command; counts its begins, and can be held back before it ends."""

    def __init__(self) -> None:
        self.begun = 0
        self.inside = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, session: WriteSession) -> dict[str, Any]:
        self.begun += 1
        organization_id = await session.scalar(text("SELECT vacancy_organization()"))
        found = insert(Organization).values(id=organization_id, slug="made", name="Made once").on_conflict_do_nothing()
        await session.exec(found)
        venue = Venue(
            organization_id=organization_id,
            slug=random_slug("made"),
            name="Made once",
            time_zone="UTC",
            currency="EUR",
            country="PT",
        )
        session.add(venue)
        await session.flush()
        self.inside.set()
        await self.go_on.wait()
        return {"venue_id": str(venue.id)}


def a_command(**more: Any) -> Command:
    return command_of(uuid.uuid4(), **more)


@pytest.mark.parametrize("key", ["k" * 16, "k" * 128, "6d2cbd4e-7f1f-4f5e-9a3a-1f1d1c1b1a19", "clé " * 4])
def test_a_key_of_16_to_128_printable_characters_is_taken(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("key", ["", "k" * 15, "k" * 129, "k" * 16 + "\n", "k" * 16 + "\0", "k" * 16 + "\ud800"])
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_key(key)
    assert refusal.value.path == ("input", "idempotencyKey")


async def test_the_same_command_has_one_effect_and_one_answer(database: Database, owner: "asyncpg.Connection") -> None:
    command, work = a_command(), Work()
    first = await commit_once(database, command, work)
    again = await commit_once(database, command, work)
    assert first == again
    assert work.begun == 1
    assert await count_of(owner, "venue") == 1


async def test_another_request_under_the_same_key_is_a_conflict(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    command = a_command(asks="this")
    await commit_once(database, command, Work())
    other = command_of(command.organization_id, key=command.key, asks="that")
    with pytest.raises(IdempotencyConflict):
        await commit_once(database, other, Work())
    assert await count_of(owner, "venue") == 1


@pytest.mark.parametrize("other", ["actor", "organization"])
async def test_a_key_is_of_one_actor_in_one_organization(
    database: Database, owner: "asyncpg.Connection", other: str
) -> None:
    command = a_command(actor="manager:1")
    organization_id = uuid.uuid4() if other == "organization" else command.organization_id
    actor = "manager:2" if other == "actor" else command.actor
    await commit_once(database, command, Work())
    await commit_once(database, command_of(organization_id, key=command.key, actor=actor), Work())
    assert await count_of(owner, "venue") == 2


async def test_work_that_fails_leaves_nothing_and_frees_the_key(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    command = a_command()

    async def refused(session: WriteSession) -> dict[str, Any]:
        await Work()(session)
        raise InvalidInput("Not like this.")

    with pytest.raises(InvalidInput):
        await commit_once(database, command, refused)
    assert await count_of(owner, "venue") == await count_of(owner, "idempotency") == 0
    await commit_once(database, command, Work())
    assert await count_of(owner, "venue") == 1


async def test_a_concurrent_call_with_the_same_key_waits_and_gets_the_answer(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    command, work = a_command(), Work()
    work.go_on.clear()
    first = asyncio.create_task(commit_once(database, command, work))
    second = asyncio.create_task(commit_once(database, command, work))
    await waits_for_a_lock(owner)
    work.go_on.set()
    assert await first == await second
    assert work.begun == 1
    assert await count_of(owner, "venue") == 1


async def test_a_concurrent_call_does_the_work_when_the_first_fails(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    command, inside, go_on = a_command(), asyncio.Event(), asyncio.Event()

    async def refused(session: WriteSession) -> dict[str, Any]:
        inside.set()
        await go_on.wait()
        raise InvalidInput("Not like this.")

    first = asyncio.create_task(commit_once(database, command, refused))
    await inside.wait()
    second = asyncio.create_task(commit_once(database, command, Work()))
    await waits_for_a_lock(owner)
    go_on.set()
    with pytest.raises(InvalidInput):
        await first
    assert (await second).keys() == {"venue_id"}
    assert await count_of(owner, "venue") == 1


async def test_work_is_finished_when_the_caller_goes_away(database: Database, owner: "asyncpg.Connection") -> None:
    command, work = a_command(), Work()
    work.go_on.clear()
    call = asyncio.create_task(commit_once(database, command, work))
    await work.inside.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    work.go_on.set()
    await asyncio.wait(database.in_flight)
    assert await count_of(owner, "venue") == await count_of(owner, "idempotency") == 1


async def test_a_connection_that_dies_in_the_middle_is_replaced(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    command, begun = a_command(), 0

    async def cut_once(session: WriteSession) -> dict[str, Any]:
        nonlocal begun
        begun += 1
        result = await Work()(session)
        if begun == 1:
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            await owner.execute("SELECT pg_terminate_backend($1)", pid)
        return result

    await commit_once(database, command, cut_once)
    assert begun == 2
    assert await count_of(owner, "venue") == 1


async def test_a_commit_whose_answer_is_lost_is_found_again(database_url: str, owner: "asyncpg.Connection") -> None:
    async with line_to(database_url) as line:
        database = await connect(line.url, pool_size=2)
        try:
            command, begun = a_command(), 0

            async def lost_once(session: WriteSession) -> dict[str, Any]:
                nonlocal begun
                begun += 1
                result = await Work()(session)
                event.listen(session.sync_session, "before_commit", lambda _: line.lose_next_answer())
                return result

            await commit_once(database, command, lost_once)
        finally:
            await database.close()
    assert line.answers_lost == begun == 1
    assert await count_of(owner, "venue") == await count_of(owner, "idempotency") == 1


async def test_a_deadlock_is_tried_again(database: Database, owner: "asyncpg.Connection") -> None:
    organization = await make_organization(database)
    slugs = [(await make_venue(database, organization=organization)).slug for _ in range(2)]
    met = asyncio.Barrier(2)
    attempts = 0

    def touching(first: str, second: str) -> Any:
        tried = False

        async def work(session: WriteSession) -> dict[str, Any]:
            nonlocal attempts, tried
            attempts += 1
            rename = text("UPDATE venue SET name = 'after' WHERE slug = :slug RETURNING id")
            await session.scalar(rename, {"slug": first})
            if not tried:
                tried = True
                await met.wait()
            await session.scalar(rename, {"slug": second})
            return {}

        return work

    await asyncio.gather(
        commit_once(database, command_of(organization.id), touching(*slugs)),
        commit_once(database, command_of(organization.id), touching(*reversed(slugs))),
    )
    assert attempts == 3
    assert await owner.fetchval("SELECT count(*) FROM venue WHERE name = 'after'") == 2


async def test_waiting_for_a_lock_too_long_is_busy(database: Database, owner: "asyncpg.Connection") -> None:
    id_ = uuid.uuid4()
    await owner.execute("INSERT INTO organization (id, slug, name) VALUES ($1, $2, 'held')", id_, secrets.token_hex(4))
    command = command_of(id_)

    async def work(session: WriteSession) -> dict[str, Any]:
        await session.scalar(text("SELECT set_config('lock_timeout', '100ms', true)"))
        await session.scalar(text("UPDATE organization SET name = 'mine' WHERE id = :id RETURNING id"), {"id": id_})
        return {}

    async with owner.transaction():
        await owner.execute("SELECT FROM organization WHERE id = $1 FOR UPDATE", id_)
        with pytest.raises(Busy) as refusal:
            await commit_once(database, command, work)
    assert refusal.value.retryable
    assert await commit_once(database, command, work) == {}


async def test_no_free_connection_in_time_is_busy(database_url: str) -> None:
    database = await connect(database_url, pool_size=1)
    database.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    work = Work()
    work.go_on.clear()
    try:
        first = asyncio.create_task(commit_once(database, a_command(), work))
        await work.inside.wait()
        with pytest.raises(Busy):
            await commit_once(database, a_command(), Work())
        work.go_on.set()
        await first
    finally:
        await database.close()
