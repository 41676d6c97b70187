"""The account at the payment provider, as a process uses it: opened with the process, and closed at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from engine.ports import OnlinePayments, TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from server.errors import OperatorError
from server.payment_settings import PaymentSettings


class NoAccount(OperatorError):
    """Money is to be collected, and there is no account of the payment provider to do it with."""


class Provider(NamedTuple):
    """What the account is for: `payments` is None where nothing is collected online; `taxes` where venues ask."""

    payments: OnlinePayments | None
    taxes: TaxProvider


@asynccontextmanager
async def provider(settings: PaymentSettings) -> AsyncIterator[Provider]:
    """The account for the length of a `with`. Raises NoAccount.

    It asks the provider nothing yet: bookings that cost nothing now are taken while it is down.
    """
    check_account(settings)
    if settings.api_key is None:
        yield Provider(None, NO_TAX_PROVIDER)
        return
    # Imported here: stripe-python takes longer than all else of a start.
    from payments.calls import Calls
    from payments.gateway import StripeGateway
    from payments.settings import StripeSettings
    from payments.taxes import StripeTaxes

    account = StripeSettings(secret_key=settings.api_key, url=settings.url)
    # Each with a breaker of its own: where taxes can not be counted, money can still be taken.
    calls, tax_calls = Calls(account), Calls(account)
    online = OnlinePayments(
        gateway=StripeGateway(calls),
        publishable_key=settings.publishable_key,
        checkout_seconds=settings.checkout_seconds,
        retry_seconds=settings.retry_seconds,
        ceiling_seconds=settings.ceiling_seconds,
    )
    try:
        yield Provider(online if settings.are_on else None, StripeTaxes(tax_calls))
    finally:
        await calls.close()
        await tax_calls.close()


def check_account(settings: PaymentSettings) -> None:
    """Raise NoAccount, which tells what to do, unless money can be collected or none is to be.

    Nothing is switched off for want of a key: bookings would be confirmed that nobody has paid.
    """
    if settings.are_on and settings.api_key is None:
        raise NoAccount("STRIPE_API_KEY is not set: set it, or VACANCY_PAYMENTS=off to collect nothing online")
