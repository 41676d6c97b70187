"""What a webhook says: that something happened to a payment. How things are is asked of the provider, later."""

import re
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from models.keys import BookingKey
from payments.signature import WebhookRefused
from payments.translation import read_key

ID: Final = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
TYPE: Final = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
SECONDS_MAX: Final = 4_102_444_800  # the year 2100

OBJECTS: Final = ("payment_intent", "charge", "refund", "dispute")  # no set: what is looked for may be anything
"""What happens to anything else is none of our business."""


class Webhook(NamedTuple):
    """An event as far as it matters: which booking is to be looked at."""

    id: str
    type: str
    created_at: datetime
    """By the provider's clock."""
    booking: BookingKey | None
    """As we noted it at the provider; it may be another installation's, or made up by whoever may write there."""
    payment: str | None
    """The provider's id of the payment, where nothing of ours is noted."""


def read_webhook(body: bytes) -> Webhook:
    """The event in a body whose signature was verified. Raises WebhookRefused for what is none."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise WebhookRefused("content", "The body is no JSON.") from None
    match event:
        case {
            "object": "event",
            "id": str(id_),
            "type": str(kind),
            "created": int(created),
            "data": {"object": dict(it)},
        }:
            pass
        case _:
            raise WebhookRefused("content", "The body is no event.")
    if not (ID.fullmatch(id_) and TYPE.fullmatch(kind) and 0 < created < SECONDS_MAX):
        raise WebhookRefused("content", "The event has an id, a type or a time that can not be.")
    booking = _booking_of(it)
    payment = None if booking is not None else _payment_of(it)
    return Webhook(id_, kind, datetime.fromtimestamp(created, UTC), booking, payment)


def _booking_of(it: dict[str, Any]) -> BookingKey | None:
    """What is noted with the object: a charge has the notes of its intent."""
    metadata = it.get("metadata")
    if it.get("object") not in OBJECTS or not isinstance(metadata, dict):
        return None
    key = read_key({name: value for name, value in metadata.items() if isinstance(value, str)})
    return None if key is None else key.booking


def _payment_of(it: dict[str, Any]) -> str | None:
    """The intent behind a charge, refund or dispute."""
    reference = it.get("payment_intent")
    is_one = it.get("object") in OBJECTS and isinstance(reference, str) and ID.fullmatch(reference)
    return reference if is_one else None
