"""The ASGI application: what is where, what it goes through, and what it holds open."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from server.answers import on_defect, on_http_exception
from server.graphql import build_schema
from server.graphql_view import View
from server.health import livez, metrics, readyz
from server.home import home
from server.limits import BodyLimit
from server.metrics import ServerMetrics
from server.payment_settings import WEBHOOK_PATH
from server.requests import Requests
from server.resources import open_resources
from server.security import SecurityHeaders
from server.settings import Settings
from server.sockets import Sockets
from server.webhooks import BODY_BYTES_MAX as WEBHOOK_BYTES_MAX
from server.webhooks import Inbox


def create_app(settings: Settings, sockets: Sockets | None = None) -> Starlette:
    """The application for these settings, which name a database and a secret. It opens nothing before its lifespan.

    Whoever serves it may hand in the `sockets`, to drain them when it stops.
    """
    counted = ServerMetrics()
    opened = Sockets() if sockets is None else sockets
    schema = build_schema()
    view = View(schema)
    sdl = schema.as_str()

    async def schema_text(_request: Request) -> Response:
        return PlainTextResponse(sdl)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with open_resources(settings, counted, opened) as resources:
            yield {"resources": resources}

    routes: list[Route | WebSocketRoute] = [
        Route("/", home),
        Route("/graphql", view, methods=["POST"]),
        WebSocketRoute("/graphql", view),
        Route(
            WEBHOOK_PATH,
            Inbox().take,
            methods=["POST"],
            middleware=[Middleware(BodyLimit, bytes_max=WEBHOOK_BYTES_MAX)],
        ),
        Route("/schema.graphql", schema_text),
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(Requests, metrics=counted, paths={route.path for route in routes}),
            Middleware(SecurityHeaders),
            Middleware(BodyLimit),
        ],
        exception_handlers={HTTPException: on_http_exception, Exception: on_defect},
        lifespan=lifespan,
    )
