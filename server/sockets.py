"""The WebSockets of this process, and how they end when it is told to stop."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final, Protocol

RESTARTING: Final = 1012
RETRY_MS_MIN: Final = 500
RETRY_MS_MAX: Final = 3_000
"""Clients come back at random within this, so that they do not come all at once."""

END_SECONDS_MAX: Final = 1.0
POLL_SECONDS: Final = 0.02


class Socket(Protocol):
    """One WebSocket."""

    @property
    def is_busy(self) -> bool:
        """Whether a query or a mutation runs on it, whose answer somebody waits for."""

    def end(self, code: int, reason: str) -> Coroutine[Any, Any, None]:
        """Close it."""


class Sockets:
    """Those that are open. Once `draining`, they take no new operations."""

    def __init__(self) -> None:
        self.draining = False
        self._open: set[Socket] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, socket: Socket) -> None:
        """It is open."""
        self._open.add(socket)

    def discard(self, socket: Socket) -> None:
        """It is not any more."""
        self._open.discard(socket)

    async def drain(self, seconds_max: float) -> None:
        """Close each with 1012, as soon as it has answered what it was asked, at the latest after `seconds_max`.

        The reason is `retry: MILLISECONDS`: when to come back, which is another time for each.
        """
        self.draining = True
        deadline = asyncio.get_running_loop().time() + seconds_max
        left = set(self._open)
        while left:
            is_late = asyncio.get_running_loop().time() >= deadline
            ready = {socket for socket in left if is_late or not socket.is_busy}
            ends = (asyncio.wait_for(socket.end(RESTARTING, _reason()), END_SECONDS_MAX) for socket in ready)
            await asyncio.gather(*ends, return_exceptions=True)  # one may have gone, or does not read what is sent
            left = (left - ready) & self._open
            if left:
                await asyncio.sleep(POLL_SECONDS)


def _reason() -> str:
    return f"retry: {random.randint(RETRY_MS_MIN, RETRY_MS_MAX)}"
