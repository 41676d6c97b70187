"""Who waits, as the oracle counts them."""

from dataclasses import dataclass, field

from tests.models.ledger.model.asks import Item
from tests.models.ledger.model.things import Entry

WAITING_MAX = 2
OF_NAME_MAX = 1
"""How many may wait for a resource, in all and of one name."""


@dataclass
class Waiting:
    """The entries of all waitlists, by their number."""

    entries: dict[int, Entry] = field(default_factory=dict)

    def open(self) -> list[int]:
        """The entries that wait."""
        return [number for number, entry in self.entries.items() if entry.status == "WAITING"]

    def join(self, number: int, item: Item, name: str) -> str:
        """DONE, or which bound is reached."""
        there = [
            entry
            for entry in self.entries.values()
            if entry.item.resource == item.resource and entry.status in ("WAITING", "OFFERED")
        ]
        if len(there) >= WAITING_MAX:
            return "FULL"
        if sum(entry.name == name for entry in there) >= OF_NAME_MAX:
            return "PARTY"
        self.entries[number] = Entry(item, name)
        return "DONE"

    def is_offered(self, number: int, offer: int, booking: int) -> bool:
        """Note the offer, unless the entry does not wait, or has had an offer of this number."""
        entry = self.entries[number]
        if entry.status != "WAITING" or entry.offers != offer - 1:
            return False
        entry.offers = offer
        entry.becomes("OFFERED", booking)
        return True

    def is_offer(self, booking: int) -> bool:
        """Whether the booking is offered to somebody, who has not taken it yet."""
        return any(entry.status == "OFFERED" and entry.booking == booking for entry in self.entries.values())

    def settle(self, booking: int, status: str) -> None:
        """A booking has this status now; if it was offered to somebody, that is settled by it."""
        for entry in self.entries.values():
            if entry.status == "OFFERED" and entry.booking == booking:
                entry.settle(status)

    def lapse(self, now: int) -> None:
        """Who waits for a time that has begun waits no more."""
        for entry in self.entries.values():
            if entry.status == "WAITING" and entry.item.start <= now:
                entry.becomes("LAPSED")

    def states(self) -> dict[int, tuple[str, int, int, int | None]]:
        """Status, version, number of offers and booking of every entry."""
        return {
            number: (entry.status, entry.version, entry.offers, entry.booking) for number, entry in self.entries.items()
        }
