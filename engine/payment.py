"""What the business knows of a payment: who it is for, how far it is, and what went wrong.

Money is integer minor units of an ISO 4217 currency. The payment provider's own words stay in `payments`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from models.keys import BookingKey
from models.ledger.money import PaymentSnapshot


class PaymentState(StrEnum):
    """How far a payment is."""

    OPEN = "open"
    """Nothing is paid; the buyer may try, and try again."""
    AWAITS_BUYER = "awaits_buyer"
    """The buyer's bank wants them to authenticate."""
    PROCESSING = "processing"
    """The provider will say later."""
    HELD = "held"
    """Authorized, not captured: `held` is ours to take until `held_until`."""
    CAPTURED = "captured"
    """`captured` was taken, and can be given back."""
    VOID = "void"
    """Ended without money; it can never be paid."""


class PaymentKey(NamedTuple):
    """The number-th payment of a booking, or the number-th time that money of it is given back; from 1.

    All that is asked of the provider about it has an idempotency key that follows from this alone.
    """

    booking: BookingKey
    number: int

    @classmethod
    def of(cls, payment: PaymentSnapshot) -> "PaymentKey":
        """That of a payment of ours."""
        return cls(BookingKey(payment.organization_id, payment.booking_id), payment.number)


class PaymentOrder(NamedTuple):
    """What somebody is to pay."""

    key: PaymentKey
    amount: int
    currency: str
    keeps_card: bool = False
    """Whether the card is kept for charges without its owner; then `customer` is needed."""
    buyer_is_there: bool = True
    """Whether somebody can be sent to a bank's page; if not, only what needs none will do: a kept card."""
    customer: str | None = None
    """The provider's reference of the customer."""


class PaymentFailure(NamedTuple):
    """Why the last attempt to pay failed, by the provider's codes; for programs, and nothing of the card."""

    code: str
    decline_code: str | None
    attempt: str | None = None
    """The provider's id of what was tried: it tells one failed attempt from the next, which may fail alike."""


QUIET = frozenset({"fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card", "stolen_card"})
"""Why a bank declines, but who holds the card is not to be told so: they may not be its owner."""


def told(code: str) -> str:
    """The provider's word for a failure, as whoever pays may see it."""
    return "generic_decline" if code in QUIET else code


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, as the provider says that it is now."""

    reference: str
    """The provider's id of it."""
    key: PaymentKey | None
    """Whose it is; None if it is none that we asked for."""
    state: PaymentState
    amount: int
    currency: str
    held: int
    captured: int
    refunded: int
    held_until: datetime | None
    failure: PaymentFailure | None
    method: str | None
    """The provider's id of what it was, or is to be, paid with."""
    is_disputed: bool
    """Whether its buyer has ever asked their bank for it."""
    client_secret: str | None = field(repr=False)
    """Lets the buyer's browser pay it; never for a log."""
    next_url: str | None = field(default=None, repr=False)
    """Where the buyer is to be sent, if their bank wants them; as good as the secret."""


class Refund(NamedTuple):
    """Money given back, as the provider says."""

    reference: str
    amount: int
    currency: str
    is_final: bool
    """Whether the provider is done with it; if not, it may yet fail."""
    failed: bool


class Dispute(NamedTuple):
    """A buyer has asked their bank for the money back, as the provider says. While it is open the money is gone."""

    reference: str
    payment: str | None
    """The provider's id of the payment, if it is one that can be asked for."""
    amount: int
    currency: str
    is_won: bool
    """It is over, and the money is ours again."""
    is_lost: bool
    """It is over, and the money is the buyer's."""


class PaymentUnavailable(Exception):
    """The provider was not reached, or did not say: whether it was done is open. Asking again is safe."""


class PaymentRefused(Exception):
    """The provider refuses what was asked; asking again changes nothing. `code` is the provider's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
