"""One call of the payment provider: bounded in time, repeated where that helps, and told apart when it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import httpx
import stripe

from engine.payment import PaymentRefused, PaymentUnavailable
from payments.breaker import Breaker
from payments.settings import StripeSettings

Answer = TypeVar("Answer")

CONNECT_SECONDS_MAX: Final = 3.0
READ_SECONDS_MAX: Final = 8.0
CALL_SECONDS_MAX: Final = 20.0
"""With all repetitions."""
RETRIES_MAX: Final = 2
"""By stripe-python, after half a second and then up to one, with the same key: lost connections, 409, 5xx."""


class Broken(PaymentUnavailable):
    """The provider failed, and will answer so to this key for a day: ask how things are, and then with another key."""


class Calls:
    """Stripe behind a breaker. Close it when done."""

    def __init__(
        self,
        settings: StripeSettings,
        *,
        breaker: Breaker | None = None,
        retries_max: int = RETRIES_MAX,
        read_seconds_max: float = READ_SECONDS_MAX,
    ) -> None:
        # It would send the machine's platform and how long calls took along with each: nobody asked the operator.
        stripe.enable_telemetry = False
        # What it says to who debugs holds what a browser pays with, and nobody's log may.
        stripe.log = None
        logging.getLogger("stripe").setLevel(logging.WARNING)
        self._http = stripe.HTTPXClient(timeout=httpx.Timeout(read_seconds_max, connect=CONNECT_SECONDS_MAX))
        self._breaker = breaker or Breaker()
        self.stripe = stripe.StripeClient(
            settings.secret_key,
            base_addresses={"api": settings.url},
            http_client=self._http,
            max_network_retries=retries_max,
        )

    async def ask(self, call: Callable[[], Awaitable[Answer]], *, seconds_max: float = CALL_SECONDS_MAX) -> Answer:
        """What `call` answers within so many seconds.

        Raises PaymentUnavailable, PaymentRefused, or CardError for who can use it.
        """
        if not self._breaker.may_try():
            raise PaymentUnavailable("The payment provider has not answered for a while, and is left alone")
        try:
            async with asyncio.timeout(seconds_max):
                answer = await call()
        except (stripe.StripeError, TimeoutError) as error:
            if _is_answer(error):
                self._breaker.succeeded()
            else:
                self._breaker.failed()
            if isinstance(error, stripe.CardError):
                raise
            raise _told(error) from error
        self._breaker.succeeded()
        return answer

    async def once(
        self,
        key: str,
        call: Callable[[Any], Awaitable[Answer]],
        done: Callable[[], Awaitable[Answer | None]] | None = None,
    ) -> Answer:
        """What `call` answers when it is given this idempotency key; raises as `ask`.

        If the provider failed and will say so to this key for a day: what `done` finds to have been done, or else the
        answer to another key, which follows from the first, so that two who find nothing at once still have one effect.
        Without `done` a second time has to do no harm.
        """
        try:
            return await self.ask(lambda: call({"idempotency_key": key}))
        except Broken:
            found = None if done is None else await done()
            return found if found is not None else await self.ask(lambda: call({"idempotency_key": f"{key}-2"}))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe-python leaves it without types


def _is_answer(error: Exception) -> bool:
    """Whether the provider is well, and just says no; 409 is another call of ours with the same key."""
    status = error.http_status if isinstance(error, stripe.StripeError) else None
    return status is not None and 400 <= status < 500 and status != 429


def _told(error: Exception) -> Exception:
    """What the business is told. The provider's own words may hold what the buyer typed, and are left out."""
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return PaymentRefused("unauthorized", "The payment provider does not accept the key")
        case stripe.InvalidRequestError() | stripe.IdempotencyError():
            code = error.code or ("idempotency_error" if isinstance(error, stripe.IdempotencyError) else "invalid")
            return PaymentRefused(code, f"The payment provider refuses it: {code} (request {error.request_id})")
        case stripe.APIError() if (error.headers or {}).get("stripe-should-retry") == "false":
            return Broken(f"The payment provider failed (request {error.request_id})")
        case _:
            return PaymentUnavailable(f"The payment provider did not say: {type(error).__name__}")
