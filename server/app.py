"""The ASGI application: what is where, what it goes through, and what it holds open."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from server.answers import on_defect, on_http_exception, refusal
from server.graphql import build_schema
from server.graphql_view import View
from server.home import home
from server.limits import BodyLimit
from server.resources import open_resources
from server.security import SecurityHeaders
from server.settings import Settings
from subscriptions.outage import EXPECTED

READY_SECONDS_MAX: Final = 2.0


def create_app(settings: Settings) -> Starlette:
    """The application for these settings, which name a database and a secret. It opens nothing before its lifespan."""
    schema = build_schema()
    view = View(schema)
    sdl = schema.as_str()

    async def schema_text(_request: Request) -> Response:
        return PlainTextResponse(sdl)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with open_resources(settings) as resources:
            yield {"resources": resources}

    return Starlette(
        routes=[
            Route("/", home),
            Route("/graphql", view, methods=["POST"]),
            WebSocketRoute("/graphql", view),
            Route("/schema.graphql", schema_text),
            Route("/livez", livez),
            Route("/readyz", readyz),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(BodyLimit)],
        exception_handlers={HTTPException: on_http_exception, Exception: on_defect},
        lifespan=lifespan,
    )


async def livez(_request: Request) -> Response:
    """This process answers."""
    return PlainTextResponse("live\n")


async def readyz(request: Request) -> Response:
    """This process can take bookings: its database answers. Redis is not asked for, since bookings do not need it."""
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            await request.state.resources.database.ledger.fetchval("SELECT 1")
    except EXPECTED:
        return refusal(503, "BUSY", "The database does not answer.")
    return PlainTextResponse("ready\n")
