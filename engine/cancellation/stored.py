"""Terms as they are kept with a quote: JSON, instants as ISO 8601 text in UTC. What is kept means the same for ever."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.cancellation.terms import ItemTerms, Keeps, Priced, Terms, TermStep


def as_stored(terms: Terms) -> list[dict[str, Any]]:
    """As JSON, item by item; their currency, and what is owed of before, is kept beside them."""
    return [_item(item) for item in terms.items]


def from_stored(
    currency: str, stored: Sequence[Mapping[str, Any]], *, kept_before: int = 0, owed_least: int = 0
) -> Terms:
    """What `as_stored` made."""
    return Terms(currency, tuple(_item_from(item) for item in stored), kept_before, owed_least)


def _item(item: ItemTerms) -> dict[str, Any]:
    return {
        "starts_at": _text(item.starts_at),
        "price": item.priced.price,
        "levies": item.priced.levies,
        "nights": list(item.priced.nights),
        "steps": [{"until": _text(step.until), "keeps": step.keeps, "value": step.value} for step in item.steps],
    }


def _item_from(stored: Mapping[str, Any]) -> ItemTerms:
    return ItemTerms(
        starts_at=datetime.fromisoformat(stored["starts_at"]),
        priced=Priced(stored["price"], stored["levies"], tuple(stored["nights"])),
        steps=tuple(
            TermStep(datetime.fromisoformat(step["until"]), Keeps(step["keeps"]), step["value"])
            for step in stored["steps"]
        ),
    )


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
