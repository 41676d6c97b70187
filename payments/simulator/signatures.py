"""The signature of a webhook: HMAC-SHA-256 of its time and its body, by each secret that counts."""

import hashlib
import hmac
from collections.abc import Sequence


def signature_header(body: str, secrets: Sequence[str], timestamp: int) -> str:
    """The value of `Stripe-Signature`: `t=…,v1=…`, one v1 for each secret."""
    signed = f"{timestamp}.{body}".encode()
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
