"""What all loops of a worker have in common: they go on through whatever fails, and say so once."""

import asyncio
from collections.abc import Awaitable, Callable

from subscriptions.outage import Outage


async def keep_on(name: str, step: Callable[[], Awaitable[float]], *, pause_seconds_max: float = 1.0) -> None:
    """Take the step until cancelled; it answers how many seconds to wait before the next.

    After one that failed the wait grows up to `pause_seconds_max`. `name` says in the log what does not work.
    """
    outage = Outage(name, pause_seconds_max=pause_seconds_max)
    while True:
        try:
            pause_seconds = await step()
            outage.over()
        except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
            pause_seconds = outage.failed(error)
        await asyncio.sleep(pause_seconds)
