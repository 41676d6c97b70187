"""Ending tasks that run until they are cancelled."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.2
SECONDS_MAX = 5.0


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel these tasks until each has ended; what they raise is left in them.

    Once is not always enough: a cancellation that arrives while a library finishes what it waited for can be lost in
    it (on Python 3.11, `asyncio.wait_for` is known for that), and a loop that outlasts every failure would go on.
    After SECONDS_MAX what still runs is left to the end of the process.
    """
    running = {task for task in tasks if not task.done()}
    for _ in range(int(SECONDS_MAX / AGAIN_SECONDS)):
        if not running:
            return
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=AGAIN_SECONDS)
