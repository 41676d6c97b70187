"""Stripe's test cards: which number stands for which fate, and under which names tests know it.

From docs.stripe.com/testing; names that its versions spell differently are both known.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from payments.simulator.refusals import Refusal, card_error


class Asks(StrEnum):
    """When the bank wants its customer to authenticate a payment."""

    NEVER = "never"
    UNLESS_SET_UP = "unless set up for later payments"
    ON_SESSION = "on session; off session it counts as set up"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank refuses, as the API tells it."""

    code: str
    message: str
    decline_code: str

    def refusal(self) -> Refusal:
        """The answer 402."""
        return card_error(self.message, code=self.code, decline_code=self.decline_code)


DECLINED: Final = "Your card was declined."
GENERIC: Final = Decline("card_declined", DECLINED, "generic_decline")
INSUFFICIENT_FUNDS: Final = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")
AUTHENTICATION_REQUIRED: Final = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)


@dataclass(frozen=True, slots=True)
class TestCard:
    """A number and what becomes of payments with it."""

    number: str
    names: tuple[str, ...]
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    asks: Asks = Asks.NEVER
    dispute: str | None = None
    """Why the buyer disputes each payment, at once."""
    refund: str = "succeeded"
    """What refunds become: succeeded; pending, and then succeeded; or succeeded, and then failed."""

    @property
    def last4(self) -> str:
        """The last digits, which is all that is ever shown."""
        return self.number[-4:]


def _declining(number: str, name: str, decline: Decline) -> TestCard:
    return TestCard(number, (f"visa_chargeDeclined{name}", f"chargeDeclined{name}"), decline=decline)


CARDS: Final = (
    TestCard("4242424242424242", ("visa",)),
    TestCard("4000056655665556", ("visa_debit",), funding="debit"),
    TestCard("5555555555554444", ("mastercard",), brand="mastercard"),
    TestCard("5200828282828210", ("mastercard_debit",), brand="mastercard", funding="debit"),
    TestCard("378282246310005", ("amex",), brand="amex"),
    TestCard("4000006200000007", ("pt",), country="PT"),
    _declining("4000000000000002", "", GENERIC),
    _declining("4000000000009995", "InsufficientFunds", INSUFFICIENT_FUNDS),
    _declining("4000000000009987", "LostCard", Decline("card_declined", DECLINED, "lost_card")),
    _declining("4000000000009979", "StolenCard", Decline("card_declined", DECLINED, "stolen_card")),
    _declining("4000000000000069", "ExpiredCard", Decline("expired_card", "Your card has expired.", "expired_card")),
    _declining(
        "4000000000000127",
        "IncorrectCvc",
        Decline("incorrect_cvc", "Your card's security code is incorrect.", "incorrect_cvc"),
    ),
    _declining(
        "4000000000000119",
        "ProcessingError",
        Decline(
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
            "processing_error",
        ),
    ),
    _declining(
        "4000000000006975",
        "VelocityLimitExceeded",
        Decline("card_declined", DECLINED, "card_velocity_exceeded"),
    ),
    TestCard("4000000000000341", ("chargeCustomerFail",), decline=GENERIC),
    TestCard("4000002500003155", ("authenticationRequiredOnSetup",), asks=Asks.UNLESS_SET_UP),
    TestCard("4000002760003184", ("authenticationRequired",), asks=Asks.ALWAYS),
    TestCard("4000003800000446", ("authenticationRequiredSetupForOffSession",), asks=Asks.ON_SESSION),
    TestCard(
        "4000008260003178",
        ("authenticationRequiredChargeDeclinedInsufficientFunds",),
        asks=Asks.ALWAYS,
        decline=INSUFFICIENT_FUNDS,
    ),
    TestCard("4000000000003220", ("threeDSecure2Required",), asks=Asks.ALWAYS),
    TestCard("4000000000003063", ("threeDSecureRequired",), asks=Asks.ALWAYS),
    TestCard("4000000000000259", ("createDispute",), dispute="fraudulent"),
    TestCard("4000000000002685", ("createDisputeProductNotReceived",), dispute="product_not_received"),
    TestCard("4000000000007726", ("pendingRefund",), refund="pending"),
    TestCard("4000000000005126", ("refundFail",), refund="failing"),
)

BY_NUMBER: Final = {card.number: card for card in CARDS}
BY_PAYMENT_METHOD: Final = {f"pm_card_{name}": card for card in CARDS for name in card.names}
BY_TOKEN: Final = {f"tok_{name}": card for card in CARDS for name in card.names}


def card_of_number(number: str) -> TestCard:
    """The test card with this number. Raises Refusal, 402: no other card is taken, whoever's it may be."""
    digits = number.replace(" ", "").replace("-", "")
    if digits in BY_NUMBER:
        return BY_NUMBER[digits]
    if not 12 <= len(digits) <= 19 or not digits.isdigit() or not _luhn(digits):
        raise card_error("Your card number is incorrect.", code="incorrect_number", param="number")
    raise card_error(
        "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test "
        "cards, visit: https://stripe.com/docs/testing.",
        code="card_declined",
        decline_code="test_mode_live_card",
    )


def _luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
