"""The simulator as an ASGI application: the API, the bank's page, and the control API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from payments.simulator.account import Account
from payments.simulator.api import Api, Drop
from payments.simulator.control import control_routes
from payments.simulator.endpoints import OPERATIONS
from payments.simulator.pages import Pages
from payments.simulator.refusals import Refusal

LOOPBACK_ORIGIN: Final = r"https?://(localhost|127(\.\d{1,3}){3})(:\d{1,5})?"


def create_app(account: Account, drop: Drop) -> Starlette:
    """The application. `drop` ends a request's connection; only who serves it can."""
    api, pages = Api(account, drop), Pages(account)
    return Starlette(
        routes=[
            Mount(
                "/v1",
                routes=[
                    Route(each.path.removeprefix("/v1"), api.endpoint(each), methods=[each.method])
                    for each in OPERATIONS
                ],
                middleware=[
                    # What Stripe.js does, a page of ours on this machine may do.
                    Middleware(
                        CORSMiddleware,
                        allow_origin_regex=LOOPBACK_ORIGIN,
                        allow_methods=["GET", "POST"],
                        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version"],
                    )
                ],
            ),
            Route("/authenticate/{id}/{token}", pages.ask, methods=["GET"]),
            Route("/authenticate/{id}/{token}", pages.answer, methods=["POST"]),
            *control_routes(account),
        ],
        # A web page elsewhere must not reach this by a name of its own that leads to 127.0.0.1.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", account.settings.host])],
        exception_handlers={HTTPException: _unrecognized},
        lifespan=_sending(account),
    )


def _sending(account: Account):  # type: ignore[no-untyped-def]  # what Starlette's lifespan is, has no public name
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        """While it serves, webhooks are sent."""
        sending = asyncio.create_task(account.deliveries.run())
        try:
            yield
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            account.close()

    return lifespan


async def _unrecognized(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code not in (404, 405):
        return Response(error.detail, error.status_code)
    message = f"Unrecognized request URL ({request.method}: {request.url.path})."
    return JSONResponse(Refusal(404, "invalid_request_error", message).body(), 404)
