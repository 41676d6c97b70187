"""Where the payment provider tells what happened: verified, remembered, answered. The work is the worker's.

What is not 2xx is told again by the provider, for days; so what may go better later is 503, and what never will is 400.
Nothing is lost with a webhook: what nobody was told of is found by asking (`engine.collecting`).
"""

import asyncio
import time
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from models.ledger.failures import TOO_SLOW, TRY_AGAIN
from models.ledger.webhooks import Taken, booking_of_payment, take_event
from payments.signature import WebhookRefused, verify
from payments.webhooks import Webhook, read_webhook
from server.resources import Resources

BODY_BYTES_MAX: Final = 256 * 1024
"""The provider's events have some five kilobytes."""

PRESENT_MAX: Final = 64
"""Webhooks that are being read or wait: with their bodies 16 MB at most."""

WORKING_MAX: Final = 2
"""Database connections that webhooks take at once: a flood of them leaves the others to bookings."""

SECONDS_MAX: Final = 5.0
"""For reading one, and for waiting and storing it. The provider waits longer."""


class Inbox:
    """Takes webhooks, so many at once."""

    def __init__(self) -> None:
        self._present = 0
        self._working = asyncio.Semaphore(WORKING_MAX)

    async def take(self, request: Request) -> Response:
        """Answer the provider: 200 for what is remembered and what is none of our business, 400, or 503."""
        if self._present >= PRESENT_MAX:
            return self._answer(request, "busy", 503, "Too many at once.")
        self._present += 1
        try:
            return await self._taken(request)
        finally:
            self._present -= 1

    async def _taken(self, request: Request) -> Response:
        resources: Resources = request.state.resources
        secrets = resources.settings.payments.webhook_secrets
        if not secrets:
            return self._answer(request, "no_secret", 503, "No secret is set for webhooks here.")
        try:
            async with asyncio.timeout(SECONDS_MAX):
                body = await request.body()
            verify(body, request.headers.get("Stripe-Signature", ""), secrets, time.time())
            webhook = read_webhook(body)
            async with asyncio.timeout(SECONDS_MAX), self._working:
                taken = await _store(resources, webhook)
        except WebhookRefused as refused:
            return self._answer(request, refused.reason, 400, str(refused))
        except ClientDisconnect:
            return self._answer(request, "gone", 400, "It was not sent to its end.")
        except (*TRY_AGAIN, *TOO_SLOW):
            return self._answer(request, "unavailable", 503, "It could not be read or stored in time.")
        return self._answer(request, taken.lower(), 200, "Taken." if taken is Taken.NEW else "There is nothing to do.")

    def _answer(self, request: Request, outcome: str, status: int, said: str) -> Response:
        request.state.resources.metrics.webhook(outcome)
        return PlainTextResponse(f"{said}\n", status_code=status)


async def _store(resources: Resources, webhook: Webhook) -> Taken:
    booking = webhook.booking
    if booking is None and webhook.payment is not None:
        booking = await booking_of_payment(resources.database, webhook.payment)
    if booking is None:
        return Taken.FOREIGN
    return await take_event(resources.database, booking, webhook.id, webhook.type, webhook.created_at)
