"""Policies and stays of tests, in as few words as they need."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.cancellation.deadlines import When
from engine.cancellation.policy import Policy
from engine.cancellation.terms import ItemTerms, Priced, Terms, item_terms
from models import civil

LISBON = civil.zone("Europe/Lisbon")  # 2026-03-29 01:00 → 02:00, 2026-10-25 02:00 → 01:00
ALGIERS = civil.zone("Africa/Algiers")  # UTC+01:00, always
LORD_HOWE = civil.zone("Australia/Lord_Howe")  # 2026-10-04 02:00 → 02:30, 2026-04-05 02:00 → 01:30

LONG_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str, zone: ZoneInfo = ALGIERS, *, fold: int = 0) -> datetime:
    """The instant at which the clocks show "2026-06-10 15:00"; fold=1 is the second showing."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def policy(*steps: Mapping[str, object], **more: object) -> Policy:
    """A policy of these steps, as in JSON."""
    return Policy.model_validate({"steps": list(steps), **more})


def item(
    agreed: Policy | None,
    price: int,
    *,
    starts: str = "2026-06-10 15:00",
    zone: ZoneInfo = ALGIERS,
    booked_at: datetime = LONG_BEFORE,
    nights: Sequence[int] = (),
    levies: int = 0,
) -> ItemTerms:
    """An item that is booked long before, unless it is told when."""
    priced = Priced(price, levies, tuple(nights))
    return item_terms(agreed, priced, When(at(starts, zone), booked_at, zone))


def booking(*items: ItemTerms, currency: str = "EUR") -> Terms:
    return Terms(currency, items)


def of(agreed: Policy | None, price: int, **more: Any) -> Terms:
    """A booking of one item."""
    return booking(item(agreed, price, **more))
