"""Waiting for something to become true, and no longer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

Result = TypeVar("Result")

POLL_SECONDS = 0.01
WAIT_SECONDS_MAX = 10.0


async def eventually(
    ask: Callable[[], Awaitable[Result | None]],
    *,
    seconds_max: float = WAIT_SECONDS_MAX,
    poll_seconds: float = POLL_SECONDS,
    says: Callable[[], str] = lambda: "",
) -> Result:
    """The first true answer of `ask`; fails after `seconds_max`, and then tells what it `says`."""
    deadline = time.monotonic() + seconds_max
    while True:
        answer = await ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"this did not become true within {seconds_max} s: {answer!r}\n{says()}"
        await asyncio.sleep(poll_seconds)


def wait_until(ask: Callable[[], Result | None], **how: Any) -> Result:
    """The same where there is no event loop; `how` is as of `eventually`."""

    async def asked() -> Result | None:
        return ask()

    # A factory of its own: without one the runner would change which loop is the thread's.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(eventually(asked, **how))


async def until_waiting(owner: "asyncpg.Connection", count: int) -> None:
    """Wait until so many of the application's backends wait for a lock in this database."""

    async def are_waiting() -> bool:
        await owner.execute("SELECT pg_stat_clear_snapshot()")
        waiting: int = await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'vacancy' AND wait_event_type = 'Lock'"
        )
        return waiting >= count

    await eventually(are_waiting)


async def waits_for_a_lock(owner: "asyncpg.Connection") -> int:
    """Wait until one of the application's backends waits for a lock in this database; returns its process id."""

    async def waiting() -> int | None:
        await owner.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction, else always the first look
        pid: int | None = await owner.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vacancy'"
            " AND wait_event_type = 'Lock' LIMIT 1"
        )
        return pid

    return await eventually(waiting)
