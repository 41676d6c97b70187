"""What one simulator is told to do."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 12_111
# Short at first, so that whoever restarts a server sees the webhook soon; Stripe goes on for three days.
DEFAULT_RETRY_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 120.0)


class NotLoopback(ValueError):
    """The simulator was asked to listen where others could reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """Immutable. Keys and secrets are test values, and yet not for logs."""

    host: str = DEFAULT_HOST
    """The address to listen on: localhost, or one that begins with 127. Raises NotLoopback for any other."""

    port: int = DEFAULT_PORT
    """The port to listen on; 0: one that is free."""

    secret_key: str | None = None
    """The one secret key that counts; None: any that begins with sk_test_."""

    state_file: Path | None = None
    """Where the account is kept; None: it ends with the process."""

    webhook_url: str | None = None
    """An endpoint that is there from the start, with `webhook_secret`, for all events. None: only those made by API."""

    webhook_secret: str | None = None
    """What signs the webhooks to `webhook_url`; begins with whsec_."""

    retry_seconds: tuple[float, ...] = DEFAULT_RETRY_SECONDS
    """After a delivery failed: how long until the next try, and, by their number, how many tries there are."""

    seed: int = 0
    """Of the chances of faults."""

    def __post_init__(self) -> None:
        """Check what would otherwise be found out too late."""
        if self.host != "localhost" and not _is_loopback(self.host):
            raise NotLoopback(f"The payment simulator listens on loopback only, and {self.host!r} is not")
        if (self.webhook_url is None) != (self.webhook_secret is None):
            raise ValueError("webhook_url and webhook_secret belong together")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
