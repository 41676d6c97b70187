"""API keys: test keys only. A live key here is a mistake that has to be loud."""

import base64
import binascii
import re
import secrets
from typing import Final

from payments.simulator.refusals import Refusal, unauthorized

SECRET: Final = re.compile(r"sk_test_[A-Za-z0-9_]{4,250}", re.ASCII)
PUBLISHABLE: Final = re.compile(r"pk_test_[A-Za-z0-9_]{4,250}", re.ASCII)


def is_publishable(authorization: str | None, in_form: object, only: str | None) -> bool:
    """Whether the caller has the publishable key (True) or the secret key (False).

    `authorization` is the header, Bearer or Basic; Stripe.js puts its key into the form as well. `only` is the one
    secret key that counts, None for any. Raises Refusal, 401, for everything else.
    """
    key = _of_header(authorization)
    if key is None and isinstance(in_form, str):
        if PUBLISHABLE.fullmatch(in_form):
            return True
        raise unauthorized("A secret key does not belong into the parameters.")
    if key is None:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if PUBLISHABLE.fullmatch(key):
        return True
    if not SECRET.fullmatch(key) or (only is not None and not secrets.compare_digest(key, only)):
        hint = " The payment simulator takes test keys only." if "_live_" in key else ""
        raise unauthorized(f"Invalid API Key provided: {_masked(key)}.{hint}")
    return False


def not_allowed() -> Refusal:
    """The publishable key cannot do this."""
    return unauthorized(
        "This API call cannot be made with a publishable API key. Please use a secret API key.",
        "secret_key_required",
    )


def _of_header(header: str | None) -> str | None:
    scheme, _, given = (header or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode("ascii").partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
    elif scheme.lower() != "bearer":
        return None
    return given.strip() or None


def _masked(key: str) -> str:
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) >= 16 else "***"
