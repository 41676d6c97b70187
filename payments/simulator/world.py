"""The simulated account: its objects, its clock, what is due, and who is told when something happens."""

import heapq
import json
from collections.abc import Callable
from typing import Any, Final

from payments.simulator.clock import Clock
from payments.simulator.documents import Document, Documents, new_id, shown
from payments.simulator.refusals import missing

API_VERSION: Final = "2026-10-28.endive"  # whose shapes the objects have: stripe-python 16.1's own
CLOCK_ID: Final = "clock"
UNASKED: Final[Document] = {"id": None, "idempotency_key": None}
"""What an event tells of the request behind it, when there was none."""


class World:
    """Everything that a request may look at or change. Operations are plain functions on it."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        kept = documents.find("clock", CLOCK_ID)
        self.clock = Clock(kept["ahead_seconds"] if kept is not None else 0)
        self.request = UNASKED
        self.on_event: Callable[[Document], None] = lambda event: None
        self._due = [(entry["due"], entry["id"]) for entry in documents.oldest_first("due")]
        heapq.heapify(self._due)

    def now(self) -> int:
        """The simulated instant."""
        return self.clock.now()

    def advance(self, seconds: int) -> None:
        """Let time pass; what became due is done by the next `next_due`."""
        self.clock.advance(seconds)
        self.documents.put("clock", {"id": CLOCK_ID, "ahead_seconds": self.clock.ahead_seconds})

    def get(self, kind: str, identifier: str, param: str = "id", *, status: int = 404) -> Document:
        """The object. Raises Refusal, resource_missing, if there is none."""
        found = self.documents.find(kind, identifier)
        if found is None:
            raise missing(kind, identifier, param, status=status)
        return found

    def put(self, kind: str, document: Document) -> Document:
        """Keep an object, new or changed."""
        return self.documents.put(kind, document)

    def at(self, due: int, task: str, subject: str) -> None:
        """Have `task` done with the object `subject` when the clock says `due`."""
        entry = self.put("due", {"id": new_id("due"), "due": due, "task": task, "subject": subject})
        heapq.heappush(self._due, (due, entry["id"]))

    def next_due(self) -> Document | None:
        """The earliest entry whose time has come, taken off the list."""
        while self._due and self._due[0][0] <= self.now():
            entry = self.documents.find("due", heapq.heappop(self._due)[1])
            if entry is not None:
                self.documents.remove("due", entry["id"])
                return entry
        return None

    def happened(self, event_type: str, subject: Document, *, before: dict[str, Any] | None = None) -> None:
        """Record an event with `subject` as it is now, and tell those who listen. `before`: what members were."""
        data: Document = {"object": shown(subject)}
        if before:
            data["previous_attributes"] = before
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "livemode": False,
            "type": event_type,
            "_data": json.dumps(data),  # frozen, and a tenth of the memory of the objects themselves
            "_request": self.request,
        }
        self.put("event", event)
        self.on_event(event)

    def clear(self) -> None:
        """Forget everything, the clock's lead too."""
        self.documents.clear()
        self.clock = Clock()
        self._due.clear()
