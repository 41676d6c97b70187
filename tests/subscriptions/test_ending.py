"""Ending tasks, also those in which a cancellation is lost."""

import asyncio

from subscriptions.ending import end


async def stubborn(losing: int) -> None:
    """Runs on through so many cancellations, as a loop does in which a library has lost one."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            losing -= 1
            if losing < 0:
                raise


async def test_tasks_end_though_a_cancellation_is_lost() -> None:
    tasks = [asyncio.create_task(stubborn(losing)) for losing in (0, 1, 2)]
    await asyncio.sleep(0)
    await end(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_what_has_ended_is_left_as_it_is() -> None:
    async def answer() -> int:
        return 42

    task = asyncio.create_task(answer())
    await task
    await end([task])
    assert task.result() == 42
