from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from engine.payment import PaymentKey
from models.base import new_id
from models.keys import BookingKey
from payments.signature import WebhookRefused
from payments.translation import metadata_of
from payments.webhooks import read_webhook

BOOKING = BookingKey(new_id(), new_id())
OURS = metadata_of(PaymentKey(BOOKING, 1))


def event(it: Any, **more: Any) -> bytes:
    given = {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_800_000_000}
    return orjson.dumps({**given, "data": {"object": it}, **more})


@pytest.mark.parametrize("kind", ["payment_intent", "charge", "refund"])
def test_it_names_the_booking_that_is_noted(kind: str) -> None:
    webhook = read_webhook(event({"object": kind, "id": "x", "metadata": OURS, "payment_intent": "pi_1"}))
    assert (webhook.booking, webhook.payment) == (BOOKING, None)
    assert webhook.created_at == datetime.fromtimestamp(1_800_000_000, UTC)


def test_where_nothing_is_noted_it_names_the_payment() -> None:
    webhook = read_webhook(event({"object": "dispute", "metadata": {}, "payment_intent": "pi_1"}))
    assert (webhook.booking, webhook.payment) == (None, "pi_1")


@pytest.mark.parametrize(
    "it",
    [
        {},
        {"object": "customer", "metadata": OURS, "payment_intent": "pi_1"},
        {"object": "charge"},
        {"object": "charge", "metadata": None, "payment_intent": None},
        {"object": "charge", "metadata": [1], "payment_intent": {"id": "pi_1"}},
        {"object": "charge", "metadata": {**OURS, "booking": 7}, "payment_intent": 7},
        {"object": "charge", "metadata": {**OURS, "booking": "7"}, "payment_intent": "pi_1; --"},
        {"object": "charge", "metadata": {**OURS, "number": "9" * 5_000}, "payment_intent": "p" * 256},
        {"object": ["charge"], "metadata": OURS},
    ],
)
def test_of_anything_else_it_names_nothing(it: Any) -> None:
    webhook = read_webhook(event(it))
    assert (webhook.booking, webhook.payment) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"7",
        b"[" * 100_000,
        event({}, object="refund"),
        event({}, id=7),
        event({}, id=""),
        event({}, id="evt_1\u0000"),
        event({}, id="e" * 256),
        event({}, type=None),
        event({}, type="x" * 101),
        event({}, created="1800000000"),
        event({}, created=-1),
        event({}, created=0),
        event({}, created=2**63 - 1),
        event({}).replace(b"1800000000", b"9" * 400),
        event({}).replace(b"1800000000", b"1e400"),
        event({}).replace(b"1800000000", b"NaN"),
        event([]),
        event({}, data=None),
        event({}, data={"object": "charge"}),
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused) as refused:
        read_webhook(body)
    assert refused.value.reason == "content"
