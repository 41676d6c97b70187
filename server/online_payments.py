"""The payment gateway of a process: opened with it, and closed at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.ports import OnlinePayments
from server.errors import OperatorError
from server.payment_settings import PaymentSettings


class NoAccount(OperatorError):
    """Money is to be collected, and there is no account of the payment provider to do it with."""


@asynccontextmanager
async def online_payments(settings: PaymentSettings) -> AsyncIterator[OnlinePayments | None]:
    """The gateway and its terms for the length of a `with`; None where nothing is collected. Raises NoAccount.

    It asks the provider nothing yet: bookings that cost nothing now are taken while it is down.
    """
    check_account(settings)
    if not settings.are_on:
        yield None
        return
    # Imported here: stripe-python takes longer than all else of a start.
    from payments.calls import Calls
    from payments.gateway import StripeGateway
    from payments.settings import StripeSettings

    assert settings.api_key is not None
    calls = Calls(StripeSettings(secret_key=settings.api_key, url=settings.url))
    try:
        yield OnlinePayments(
            gateway=StripeGateway(calls),
            publishable_key=settings.publishable_key,
            checkout_seconds=settings.checkout_seconds,
            retry_seconds=settings.retry_seconds,
            ceiling_seconds=settings.ceiling_seconds,
        )
    finally:
        await calls.close()


def check_account(settings: PaymentSettings) -> None:
    """Raise NoAccount, which tells what to do, unless money can be collected or none is to be.

    Nothing is switched off for want of a key: bookings would be confirmed that nobody has paid.
    """
    if settings.are_on and settings.api_key is None:
        raise NoAccount("STRIPE_API_KEY is not set: set it, or VACANCY_PAYMENTS=off to collect nothing online")
