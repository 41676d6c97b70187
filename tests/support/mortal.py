"""A process that ends itself by SIGKILL at one point between two steps that change anything, here or at the provider.

The points are made by what is wrapped around the gateway and the ledger's pool; the code between is as it is deployed,
and knows nothing of it. Each lies before a call. To die after one is to die before the next, for nothing that lasts is
done in between; and to die before a call that only reads is to die before the one after that.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from models.database import Database

POOL_CALLS = ("fetch", "fetchrow", "fetchval", "execute")
READS = ("look", "ledger_booking", "ledger_booking_money", "ledger_money", "ledger_replay")


class Fuse:
    """Counts the points that are reached, from 1, and kills the process at the `last`-th; tells `say` of each first."""

    def __init__(self, last: int, say: Callable[[str], None]) -> None:
        self._left = last
        self._say = say

    def reach(self, name: str) -> None:
        """Come to the point before a call of this name, and pass it, or die there."""
        self._say(name)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The call, with a point before it unless it only reads."""

        async def called(*arguments: Any, **named: Any) -> Any:
            if name not in READS:
                self.reach(name)
            return await call(*arguments, **named)

        return called


class MortalGateway:
    """A gateway with a point before each of its calls."""

    def __init__(self, gateway: Any, fuse: Fuse) -> None:
        self._gateway = gateway
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return self._fuse.before(name, getattr(self._gateway, name))


class MortalPool:
    """A pool with a point before each of its calls: each is one transaction."""

    def __init__(self, pool: Any, fuse: Fuse) -> None:
        self._pool = pool
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pool, name)
        if name not in POOL_CALLS:
            return found

        async def called(query: str, *arguments: Any) -> Any:
            words = query.partition("(")[0].split()
            return await self._fuse.before(words[-1], found)(query, *arguments)

        return called


def mortal_database(database: Database, fuse: Fuse) -> Database:
    """The same database, with a point before each call of the ledger."""
    return replace(database, ledger=MortalPool(database.ledger, fuse))
