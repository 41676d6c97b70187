"""Whether this process lives, and whether it can take bookings."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from server.answers import refusal
from subscriptions.channels import connect
from subscriptions.outage import EXPECTED

READY_SECONDS_MAX: Final = 2.0
REMEMBERED_SECONDS: Final = 1.0
"""How long an answer of Redis counts: whoever asks often does not ask Redis as often."""


class RedisProbe:
    """Whether Redis answers. Nothing that is asked of this process needs it, but live updates are slower without."""

    def __init__(self, redis_url: str | None) -> None:
        self._redis: Redis | None = None if redis_url is None else connect(redis_url)
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._answers = False

    async def state(self) -> str:
        """One of `ok`, `down` and `none`; the last where no Redis is set."""
        if self._redis is None:
            return "none"
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= REMEMBERED_SECONDS:
                self._answers = await self._ping(self._redis)
                self._asked_at = now
        return "ok" if self._answers else "down"

    async def close(self) -> None:
        """Give the connection back."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _ping(self, redis: Redis) -> bool:
        try:
            ping: Awaitable[Any] = redis.ping()
            await ping
        except (RedisError, OSError, TimeoutError):
            return False
        return True


async def livez(_request: Request) -> Response:
    """This process answers."""
    return PlainTextResponse("live\n")


async def readyz(request: Request) -> Response:
    """This process can take bookings: its database answers, and it is not stopping.

    Redis is told of and not required: without it live updates come seconds later, and bookings go on.
    """
    resources = request.state.resources
    if resources.sockets.draining:
        return refusal(503, "BUSY", "This server is stopping.")
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            await resources.database.ledger.fetchval("SELECT 1")
            redis = await resources.redis.state()
    except EXPECTED:
        return refusal(503, "BUSY", "The database does not answer.")
    status = "degraded" if redis == "down" else "ready"
    return JSONResponse({"status": status, "database": "ok", "redis": redis})


async def metrics(request: Request) -> Response:
    """What Prometheus scrapes."""
    response: Response = request.state.resources.metrics.response()
    return response
