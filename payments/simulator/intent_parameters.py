"""What the operations on payment intents accept."""

from typing import Final

from payments.simulator.parameters import (
    ADDRESS,
    COMMON,
    Parameters,
    amount,
    boolean,
    currency,
    either,
    list_of,
    metadata,
    object_of,
    one_of,
    optional,
    required,
    text,
    unsettable,
)
from payments.simulator.payment_methods import DATA
from payments.simulator.refusals import Malformed


def no_longer(_value: object, name: str) -> None:
    """docs.stripe.com/changelog, 2026-09-30: the types are computed, and can be narrowed, but not set."""
    raise Malformed(
        "payment_method_types is no longer supported: use allowed_payment_method_types or "
        "excluded_payment_method_types.",
        code="payment_method_types_no_longer_supported",
        param=name,
    )


TYPES_LISTED: Final = list_of(text(50), 60)
SHIPPING: Final = object_of(
    {
        "address": required(ADDRESS),
        "carrier": optional(text(100)),
        "name": required(text(256)),
        "phone": optional(text(20)),
        "tracking_number": optional(text(100)),
    }
)
METHOD: Final[Parameters] = {
    "payment_method": optional(text(100)),
    "payment_method_data": optional(object_of(DATA)),
    "payment_method_options": optional(
        object_of(
            {
                "card": optional(
                    object_of(
                        {
                            "capture_method": optional(unsettable(one_of("manual"))),
                            "request_three_d_secure": optional(one_of("any", "automatic", "challenge")),
                        }
                    )
                )
            }
        )
    ),
    "setup_future_usage": optional(unsettable(one_of("off_session", "on_session"))),
}
DETAILS: Final[Parameters] = {
    **METHOD,
    "description": optional(unsettable(text(1_000))),
    "metadata": optional(metadata),
    "receipt_email": optional(unsettable(text(512))),
    "shipping": optional(unsettable(SHIPPING)),
    "statement_descriptor_suffix": optional(unsettable(text(22))),
}
CONFIRMATION: Final[Parameters] = {
    "error_on_requires_action": optional(boolean),
    "off_session": optional(either(boolean, one_of("one_off", "recurring"))),
    "return_url": optional(text(2_048)),
    "use_stripe_sdk": optional(boolean),
}
BROWSER: Final[Parameters] = {"client_secret": optional(text(200))}

CREATION: Final[Parameters] = {
    **COMMON,
    **DETAILS,
    **CONFIRMATION,
    "allowed_payment_method_types": optional(TYPES_LISTED),
    "amount": required(amount),
    "automatic_payment_methods": optional(
        object_of({"allow_redirects": optional(one_of("always", "never")), "enabled": required(boolean)})
    ),
    "capture_method": optional(one_of("automatic", "automatic_async", "manual")),
    "confirm": optional(boolean),
    "confirmation_method": optional(one_of("automatic")),
    "currency": required(currency),
    "customer": optional(text(100)),
    "excluded_payment_method_types": optional(TYPES_LISTED),
    "payment_method_types": optional(no_longer),
}
CHANGE: Final[Parameters] = {
    **COMMON,
    **DETAILS,
    "amount": optional(amount),
    "currency": optional(currency),
    "customer": optional(text(100)),
}
CONFIRM: Final[Parameters] = {
    **COMMON,
    **METHOD,
    **CONFIRMATION,
    **BROWSER,
    "receipt_email": DETAILS["receipt_email"],
    "shipping": DETAILS["shipping"],
}
CAPTURE: Final[Parameters] = {**COMMON, "amount_to_capture": optional(amount), "metadata": optional(metadata)}
CANCEL: Final[Parameters] = {
    **COMMON,
    "cancellation_reason": optional(one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer")),
}
