"""Settings of payments: whose account of the payment provider, and for how long a guest may pay."""

from dataclasses import dataclass, field
from typing import Final

from payments.settings import STRIPE_URL, PaymentSettingsError, StripeSettings
from server.environment import Reader, SettingsError

CHECKOUT_SECONDS: Final = 600
RETRY_SECONDS: Final = 300
CHECKOUT_CEILING_SECONDS: Final = 1_800
PERIOD_SECONDS_MIN: Final = 30
PERIOD_SECONDS_MAX: Final = 86_400
WEBHOOK_SECRETS_MAX: Final = 4  # each is tried on every webhook; two are needed while one is replaced
WEBHOOK_SECRET_LENGTH_MIN: Final = 16
WEBHOOK_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - not one
WEBHOOK_PATH: Final = "/webhooks/stripe"
"""Where a server takes webhooks; the provider is told so by whoever sets the account up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """Immutable; printing it shows no secret. As it stands nothing is collected: the environment's default is on."""

    are_on: bool = False
    """VACANCY_PAYMENTS: `on`: what is due now is collected before a booking is confirmed; `off`: nothing is."""

    api_key: str | None = field(default=None, repr=False)
    """STRIPE_API_KEY: the secret key. None: `vacancy run` starts a simulator; elsewhere payments must be off."""

    publishable_key: str | None = None
    """STRIPE_PUBLISHABLE_KEY: what a browser pays with; None: only a server can, with a payment method's id."""

    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """STRIPE_WEBHOOK_SECRET: what signs webhooks, comma separated: each is tried, so that one can be replaced.

    Empty: no webhook is taken, and what happens at the provider is found out by asking: minutes later, or of disputes
    an hour.
    """

    url: str = STRIPE_URL
    """VACANCY_STRIPE_URL: Stripe's address, or that of a payment simulator on this machine."""

    checkout_seconds: int = CHECKOUT_SECONDS
    """VACANCY_CHECKOUT_SECONDS: how long a hold lasts at least from when its guest goes to pay."""

    retry_seconds: int = RETRY_SECONDS
    """VACANCY_CHECKOUT_RETRY_SECONDS: how long it lasts at least, once, after a payment has failed."""

    ceiling_seconds: int = CHECKOUT_CEILING_SECONDS
    """VACANCY_CHECKOUT_CEILING_SECONDS: how long at most after its guest went to pay first."""

    @property
    def are_simulated(self) -> bool:
        """Whether no money moves: what is paid is paid at a simulator of this machine."""
        return self.are_on and self.url != STRIPE_URL

    @classmethod
    def read_from(cls, read: Reader) -> "PaymentSettings":
        """What the environment asks for. Raises SettingsError, which names the variable and shows no key."""
        url = read.text("VACANCY_STRIPE_URL") or STRIPE_URL
        api_key = read.text("STRIPE_API_KEY")
        _check_account(api_key, url)
        checkout_seconds = _period(read, "VACANCY_CHECKOUT_SECONDS", CHECKOUT_SECONDS)
        ceiling_seconds = _period(read, "VACANCY_CHECKOUT_CEILING_SECONDS", CHECKOUT_CEILING_SECONDS)
        if ceiling_seconds < checkout_seconds:
            raise SettingsError("VACANCY_CHECKOUT_CEILING_SECONDS must not be less than VACANCY_CHECKOUT_SECONDS")
        return cls(
            are_on=read.switch("VACANCY_PAYMENTS", True),
            api_key=api_key,
            publishable_key=_publishable(read.text("STRIPE_PUBLISHABLE_KEY"), api_key),
            webhook_secrets=_webhook_secrets(read.text("STRIPE_WEBHOOK_SECRET")),
            url=url,
            checkout_seconds=checkout_seconds,
            retry_seconds=_period(read, "VACANCY_CHECKOUT_RETRY_SECONDS", RETRY_SECONDS),
            ceiling_seconds=ceiling_seconds,
        )

    def to_variables(self) -> dict[str, object]:
        """The variables from which `read_from` makes these settings again."""
        return {
            "VACANCY_PAYMENTS": "on" if self.are_on else "off",
            "STRIPE_API_KEY": self.api_key,
            "STRIPE_PUBLISHABLE_KEY": self.publishable_key,
            "STRIPE_WEBHOOK_SECRET": ",".join(self.webhook_secrets),
            "VACANCY_STRIPE_URL": self.url,
            "VACANCY_CHECKOUT_SECONDS": self.checkout_seconds,
            "VACANCY_CHECKOUT_RETRY_SECONDS": self.retry_seconds,
            "VACANCY_CHECKOUT_CEILING_SECONDS": self.ceiling_seconds,
        }


def _period(read: Reader, name: str, default: int) -> int:
    return read.integer(name, default, least=PERIOD_SECONDS_MIN, most=PERIOD_SECONDS_MAX)


def _check_account(api_key: str | None, url: str) -> None:
    """Key and address as the gateway will take them; an address alone may be set, for the key to come."""
    try:
        StripeSettings(secret_key="sk_test_" if api_key is None else api_key, url=url)
    except PaymentSettingsError as error:
        raise SettingsError(f"STRIPE_API_KEY, VACANCY_STRIPE_URL: {error}") from None


def _publishable(key: str | None, api_key: str | None) -> str | None:
    if key is None:
        return None
    if not key.startswith(("pk_test_", "pk_live_")):
        raise SettingsError("STRIPE_PUBLISHABLE_KEY must begin with pk_test_ or pk_live_")
    if api_key is not None and key.split("_")[1] != api_key.split("_")[1]:
        raise SettingsError("STRIPE_PUBLISHABLE_KEY and STRIPE_API_KEY must both be test keys, or both live ones")
    return key


def _webhook_secrets(text: str | None) -> tuple[str, ...]:
    secrets = () if text is None else tuple(part.strip() for part in text.split(","))
    if len(secrets) > WEBHOOK_SECRETS_MAX:
        raise SettingsError(f"STRIPE_WEBHOOK_SECRET holds {len(secrets)} secrets; at most {WEBHOOK_SECRETS_MAX}")
    for position, secret in enumerate(secrets, start=1):
        if not secret.startswith(WEBHOOK_SECRET_PREFIX) or len(secret) < WEBHOOK_SECRET_LENGTH_MIN:
            raise SettingsError(
                f"STRIPE_WEBHOOK_SECRET: secret {position} of {len(secrets)} must begin with {WEBHOOK_SECRET_PREFIX} "
                f"and have at least {WEBHOOK_SECRET_LENGTH_MIN} characters"
            )
    return secrets
