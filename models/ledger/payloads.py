"""What the ledger's functions are asked, as the JSON that they read."""

from dataclasses import asdict
from typing import Any

import orjson

from models.ledger.requests import Command, Hold, HoldItem, Price


def hold_payload(request: Hold) -> dict[str, Any]:
    """The request as `ledger_hold` wants it (sql/40_admission.sql)."""
    return {
        **command_payload(request.command),
        "booking_id": request.booking_id,
        "reference": request.reference,
        "customer_id": request.customer_id,
        "approval_seconds": request.approval_seconds,
        "series_id": request.series_id,
        "series_position": request.series_position,
        **{f"contact_{name}": value for name, value in asdict(request.contact).items()},
        "items": [_item(position, item) for position, item in enumerate(request.items)],
        "expected": [{"resource_id": id_, "version": version} for id_, version in request.expected.items()],
        **_conditions(request),
        **({} if request.offer is None else {"offer_to": request.offer.entry_id, "offer": request.offer.number}),
        **price_payload(request.price),
    }


def command_payload(command: Command) -> dict[str, Any]:
    """Who asks, and under which key, as every call wants it."""
    return {"actor": command.actor, "key": command.key, "request_hash": command.request_hash.hex()}


def price_payload(price: Price | None) -> dict[str, Any]:
    """The quote that something is held by. Nothing at all if there is none: then the ledger does not look for any."""
    found = {} if price is None else {name: getattr(price, name) for name in ("quote_id", "promo_code_id", "quote")}
    return {name: value for name, value in found.items() if value is not None}


def encode(payload: object) -> str:
    """As JSON: instants as RFC 3339, ids as text."""
    return orjson.dumps(payload, default=str).decode()  # the driver's ids are of a class of its own


def _item(position: int, item: HoldItem) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "position": position,
        "resource_id": item.resource_id,
        "catalog_version": item.catalog_version,
        "starts_at": item.interval.starts_at,
        "ends_at": item.interval.ends_at,
        "quantity": item.quantity,
        "activity": item.activity,
        "guests": item.guests,
    }
    if item.claim is not None:
        payload |= {"claim_from": item.claim.starts_at, "claim_to": item.claim.ends_at}
    if item.shared_as is not None:
        payload["shared_as"] = item.shared_as
    return payload


def _conditions(request: Hold) -> dict[str, Any]:
    """Nothing at all if there is none: then the ledger does not look for any."""
    conditions = [
        {"item": position, "index": index, "kind": condition.kind, "max": condition.max, **condition.arguments}
        for position, item in enumerate(request.items)
        for index, condition in enumerate(item.conditions)
    ]
    if not conditions:
        return {}
    looks_at = request.looks_at
    window = {} if looks_at is None else {"looks_from": looks_at.starts_at, "looks_to": looks_at.ends_at}
    return {"conditions": conditions, **window}
