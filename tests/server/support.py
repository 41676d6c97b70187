"""The application with its lifespan, asked without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from server.app import create_app
from server.settings import Settings

SECRET = "only for these tests and long enough to sign with"


def settings_for(database_url: str, redis_url: str | None, folder: Path, **more: Any) -> Settings:
    return Settings(
        state_dir=folder,
        database_url=database_url,
        redis_url=redis_url,
        secrets=(SECRET,),
        database_pool_size=2,
        **more,
    )


@asynccontextmanager
async def client_of_app(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that is started and, at the end, stopped."""
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://vacancy.test") as client:
            yield client
