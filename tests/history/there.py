"""The tables after a run, by what is looked for."""

from collections import defaultdict

from tests.history.dump import Claim, Dump, EntryEvent, Event, Item
from tests.history.takes import claims_of_all


class There:
    """Every row under its id, and what belongs to it in the order of versions."""

    def __init__(self, dump: Dump) -> None:
        self.keys = {key.key: key for key in dump.keys}
        self.bookings = {booking.id: booking for booking in dump.bookings}
        self.adjustments = {(each.resource_id, each.version): each for each in dump.adjustments}
        self.events: defaultdict[str, list[Event]] = defaultdict(list)
        for event in sorted(dump.events, key=lambda event: event.version):
            self.events[event.booking_id].append(event)
        self.items: defaultdict[str, list[Item]] = defaultdict(list)
        for item in dump.items:
            self.items[item.booking_id].append(item)
        self.claims: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in dump.claims:
            self.claims[claim.booking_id].append(claim)
        self.derived = claims_of_all(dump)
        self.entries = {entry.id: entry for entry in dump.entries}
        self.entry_events: defaultdict[str, list[EntryEvent]] = defaultdict(list)
        for each in sorted(dump.entry_events, key=lambda each: each.version):
            self.entry_events[each.entry_id].append(each)
        self.versions: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for hint in dump.outbox:
            self.versions[hint.kind, hint.entity_id].append(hint.version)
