"""Where the payment provider is, and with which key it is asked."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

STRIPE_URL: Final = "https://api.stripe.com"
TEST_KEYS: Final = ("sk_test_", "rk_test_")
KEYS: Final = (*TEST_KEYS, "sk_live_", "rk_live_")


class PaymentSettingsError(ValueError):
    """Key and address do not go together; the message names neither key nor secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSettings:
    """Immutable; printing it shows no key. Raises PaymentSettingsError for what must not be tried."""

    secret_key: str = field(repr=False)
    """Begins with sk_ or rk_, and with test or live after that."""

    url: str = STRIPE_URL
    """Stripe's own, or that of a payment simulator on this machine."""

    def __post_init__(self) -> None:
        """A live key is for Stripe alone, and a key goes over the network only where nobody can read it."""
        if not self.secret_key.startswith(KEYS):
            raise PaymentSettingsError("The payment provider's secret key must begin with sk_test_, sk_live_ or rk_")
        if self.url == STRIPE_URL:
            return
        if not self.secret_key.startswith(TEST_KEYS):
            raise PaymentSettingsError("A live key is for Stripe's own address only, and never for a simulator's")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not _is_loopback(parts.hostname or ""):
            raise PaymentSettingsError("The payment simulator's address must be one of this machine, such as 127.0.0.1")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
