"""Whether a webhook comes from the payment provider: HMAC-SHA-256 of its time and its raw body, as Stripe signs.

The scheme is that of `Stripe-Signature`: `t=SECONDS,v1=HEX[,v1=HEX…]`, where the signed text is `SECONDS.BODY`. Beside
what stripe-python checks, a time in the future is refused: it would outlast the tolerance.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

TOLERANCE_SECONDS: Final = 300
HEADER_LENGTH_MAX: Final = 2_000
SIGNATURES_MAX: Final = 8
"""The provider sends one for each secret that it still signs with."""

TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class WebhookRefused(Exception):
    """It is not to be believed. `reason` is one of few words, for counting; the message is for who sent it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def verify(body: bytes, header: str, secrets: Sequence[str], now: float) -> None:
    """Raise WebhookRefused unless one of `secrets` has signed `body` at most five minutes before or after `now`.

    `now` is in seconds since 1970. All signatures are compared with all secrets, in constant time each: how long it
    takes tells nothing of how near a guess was. The time is looked at only when the signature is right, so that
    nobody else learns of our clock.
    """
    timestamp, signatures = _read(header)
    signed = timestamp.encode() + b"." + body
    fits = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for signature in signatures:
            fits |= hmac.compare_digest(digest, signature)
    if not fits:
        raise WebhookRefused("signature", "The signature does not fit the body.")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise WebhookRefused("time", f"It was signed more than {TOLERANCE_SECONDS} seconds from now.")


def _read(header: str) -> tuple[str, list[str]]:
    """The time and the signatures of the header; those of other schemes are left out."""
    if not header:
        raise WebhookRefused("signature", "There is no Stripe-Signature.")
    pairs = [part.strip().partition("=") for part in header[:HEADER_LENGTH_MAX].split(",")]
    times = [value for name, _, value in pairs if name == "t" and TIME.fullmatch(value)]
    signatures = [value for name, _, value in pairs if name == "v1" and DIGEST.fullmatch(value)]
    if len(times) != 1 or not signatures:
        raise WebhookRefused("signature", "The Stripe-Signature can not be read.")
    return times[0], signatures[:SIGNATURES_MAX]
