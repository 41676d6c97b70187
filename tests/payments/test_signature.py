import time

import pytest
import stripe

from payments.signature import TOLERANCE_SECONDS, WebhookRefused, verify
from payments.simulator.signatures import signature_header

SECRET, OTHER, THIRD = "whsec_0123456789", "whsec_9876543210", "whsec_5555555555"
BODY = b'{"id": "evt_1"}'
NOW = 1_800_000_000


def signed(*secrets: str, body: bytes = BODY, at: int = NOW) -> str:
    return signature_header(body.decode(), secrets, at)


def refusal(header: str, *secrets: str, body: bytes = BODY, now: float = NOW) -> str:
    with pytest.raises(WebhookRefused) as refused:
        verify(body, header, secrets or (SECRET,), now)
    return refused.value.reason


@pytest.mark.parametrize("seconds", [0, TOLERANCE_SECONDS, -TOLERANCE_SECONDS])
def test_what_was_signed_a_moment_ago_is_believed(seconds: int) -> None:
    verify(BODY, signed(SECRET), (SECRET,), NOW + seconds)


def test_while_a_secret_is_replaced_either_counts_on_either_side() -> None:
    verify(BODY, signed(OTHER), (SECRET, OTHER), NOW)
    verify(BODY, signed(SECRET, OTHER), (OTHER,), NOW)
    assert refusal(signed(SECRET, OTHER), THIRD) == "signature"


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1, 10**9])
def test_what_was_signed_long_ago_or_ahead_is_not(seconds: int) -> None:
    assert refusal(signed(SECRET), now=NOW + seconds) == "time"


def test_the_time_is_not_told_to_who_can_not_sign() -> None:
    assert refusal(signed(OTHER), now=NOW + 10**6) == "signature"


def test_a_body_that_was_altered_is_refused() -> None:
    assert refusal(signed(SECRET), body=BODY + b" ") == "signature"
    assert refusal(signed(SECRET, body=b"1"), body=b".1") == "signature"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v0=" + "0" * 64,
        signed(SECRET).replace("v1=", "v0="),
        signed(SECRET).replace("v1=", "v1=0"),
        signed(SECRET).upper(),
        signed(SECRET).replace("t=", "t=+"),
        signed(SECRET).replace("t=", "t= "),
        signed(SECRET) + f",t={NOW + 1}",
        "v1=" + "0" * 64,
        "t=" + "9" * 4_000 + ",v1=" + "0" * 64,
        "t=٤,v1=" + "0" * 64,
        f"t={NOW}," + "v1=" + "0" * 64 + ("," + "v1=" + "0" * 64) * 10_000 + "," + signed(SECRET).partition(",")[2],
    ],
)
def test_a_header_that_says_less_is_refused(header: str) -> None:
    assert refusal(header) == "signature"


def test_stripe_python_agrees() -> None:
    now = int(time.time())
    header = signed(SECRET, at=now)
    verify(BODY, header, (SECRET,), now)
    assert stripe.WebhookSignature.verify_header(BODY.decode(), header, SECRET, TOLERANCE_SECONDS)
