"""Once per key: for mutations that are not one call of the ledger, which keeps keys itself in the same table."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from models.database import Database, WriteSession
from models.errors import IdempotencyConflict, InvalidInput
from models.ledger.failures import busy
from models.ledger.repeat import until_done
from models.ledger.requests import Command
from models.ledger.tables import Idempotency

KEY_LENGTH_MIN, KEY_LENGTH_MAX = 16, 128


def check_key(key: str) -> None:
    """Raises InvalidInput unless the key is 16 to 128 printable characters: long enough that nobody hits another's."""
    if not (KEY_LENGTH_MIN <= len(key) <= KEY_LENGTH_MAX and key.isprintable()):
        message = f"An idempotency key is {KEY_LENGTH_MIN} to {KEY_LENGTH_MAX} printable characters."
        raise InvalidInput(message, path=("input", "idempotencyKey"))


async def once(
    session: WriteSession, command: Command, work: Callable[[], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Run `work` in this transaction and remember its result; for a key that is known, return that without running it.

    The result is JSON and names what was made, never a contact or a token. Raises IdempotencyConflict if the key was
    used for another request. The key is written before the work begins: a concurrent call with the same key waits at
    it until this transaction has ended, and then finds the result, or does the work itself if this one failed.
    """
    mine = (
        insert(Idempotency)
        .values(
            organization_id=command.organization_id,
            actor=command.actor,
            key=command.key,
            request_hash=command.request_hash,
            result={},
        )
        .on_conflict_do_nothing()
        .returning(col(Idempotency.key))
    )
    if await session.scalar(mine) is None:
        return await _remembered(session, command)
    result = await work()
    await session.exec(update(Idempotency).where(*_is(command)).values(result=result))
    return result


async def commit_once(
    database: Database, command: Command, work: Callable[[WriteSession], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """`once` in a transaction of its own, which is repeated and finished as `models.ledger.repeat` promises.

    So `work` may run several times, each time in a new session: it must have no effect outside of it.
    """
    check_key(command.key)

    async def attempt() -> dict[str, Any]:
        async with database.writing(command.organization_id) as session:
            return await once(session, command, partial(work, session))

    return await until_done(database, attempt)


async def _remembered(session: WriteSession, command: Command) -> dict[str, Any]:
    row = (await session.exec(select(Idempotency).where(*_is(command)))).one_or_none()
    if row is None:
        raise busy()  # forgotten, seven days old, between the two statements: the next call does the work
    if row.request_hash != command.request_hash:
        raise IdempotencyConflict(
            "This idempotency key was used for another request.", path=("input", "idempotencyKey")
        )
    return row.result


def _is(command: Command) -> tuple[Any, ...]:
    return (
        col(Idempotency.organization_id) == command.organization_id,
        col(Idempotency.actor) == command.actor,
        col(Idempotency.key) == command.key,
    )
