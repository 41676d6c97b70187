"""The objects of the API, as the JSON documents that they are, by kind and id, bounded in number.

A member whose name begins with `_` is the simulator's own, and never shown: which test card a payment method is.
"""

import secrets
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

Document = dict[str, Any]

OBJECTS_MAX: Final = 20_000  # of a kind; then the oldest is forgotten


class Keeper(Protocol):
    """Where documents outlive the process."""

    def load(self) -> Iterable[tuple[str, Document]]: ...

    def save(self, written: Iterable[tuple[str, Document]], removed: Iterable[tuple[str, str]]) -> None: ...

    def clear(self) -> None: ...


def new_id(prefix: str) -> str:
    """An id of Stripe's form: it tells the kind, and nothing else."""
    return f"{prefix}_{secrets.token_hex(12)}"


def shown(document: Document) -> Document:
    """The document as the API shows it."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


class Documents:
    """All objects of the simulated account. Not for threads: the event loop's one at a time is what keeps it whole."""

    def __init__(self, keeper: Keeper | None = None, *, objects_max: int = OBJECTS_MAX) -> None:
        self._kinds: dict[str, dict[str, Document]] = {}
        self._keeper = keeper
        self._objects_max = objects_max
        self._written: dict[tuple[str, str], Document] = {}
        self._removed: set[tuple[str, str]] = set()
        for kind, document in keeper.load() if keeper is not None else ():
            self._kinds.setdefault(kind, {})[document["id"]] = document

    def put(self, kind: str, document: Document) -> Document:
        """Keep `document`, new or changed. A new one beyond the bound makes the oldest of its kind forgotten."""
        of_kind = self._kinds.setdefault(kind, {})
        of_kind[document["id"]] = document
        self._written[kind, document["id"]] = document
        self._removed.discard((kind, document["id"]))
        if len(of_kind) > self._objects_max:
            self.remove(kind, next(iter(of_kind)))
        return document

    def find(self, kind: str, identifier: str) -> Document | None:
        """The object, or None."""
        return self._kinds.get(kind, {}).get(identifier)

    def remove(self, kind: str, identifier: str) -> None:
        """Forget an object. Nothing to do if there is none."""
        if self._kinds.get(kind, {}).pop(identifier, None) is not None:
            self._written.pop((kind, identifier), None)
            self._removed.add((kind, identifier))

    def oldest_first(self, kind: str) -> Iterator[Document]:
        """All objects of a kind, in the order in which they were made."""
        return iter(list(self._kinds.get(kind, {}).values()))

    def newest_first(self, kind: str) -> Iterator[Document]:
        """The same, the other way round: the order of Stripe's lists."""
        return iter(list(reversed(self._kinds.get(kind, {}).values())))

    def counts(self) -> dict[str, int]:
        """How many there are, by kind."""
        return {kind: len(documents) for kind, documents in sorted(self._kinds.items())}

    def save(self) -> None:
        """Write what has changed since the last call, as one transaction, if anything outlives this process."""
        if self._keeper is not None and (self._written or self._removed):
            self._keeper.save(((kind, document) for (kind, _), document in self._written.items()), self._removed)
        self._written.clear()
        self._removed.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._kinds.clear()
        self._written.clear()
        self._removed.clear()
        if self._keeper is not None:
            self._keeper.clear()
