"""Faults on demand: which requests or events go wrong, how, and how often. All is bounded."""

import fnmatch
import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from payments.simulator.documents import new_id

FAULTS_MAX: Final = 100
COUNT_MAX: Final = 10_000
SECONDS_MAX: Final = 600.0
COPIES_MAX: Final = 10


class FaultKind(StrEnum):
    """What goes wrong. Those that begin with EVENT are for webhooks, the others for requests."""

    ERROR_BEFORE = "error_before"
    """500, and nothing was done; no key remembers it."""
    ERROR_AFTER = "error_after"
    """It was done, and answered with 500, which the key remembers as Stripe's do."""
    RATE_LIMITED = "rate_limited"
    """429, and nothing was done."""
    SLOW = "slow"
    """Done and answered after `seconds`; until then its key is in use."""
    HANG_BEFORE = "hang_before"
    """Nothing is done; the connection ends without an answer after `seconds`."""
    HANG_AFTER = "hang_after"
    """It is done at once; the connection ends without an answer after `seconds`."""
    LOST_BEFORE = "lost_before"
    """The connection ends at once, and nothing was done."""
    LOST_AFTER = "lost_after"
    """It is done, and the connection ends in place of the answer."""
    EVENT_DROPPED = "event_dropped"
    """The webhook is never sent; the API still lists the event."""
    EVENT_DELAYED = "event_delayed"
    """The webhook is sent `seconds` later."""
    EVENT_DUPLICATED = "event_duplicated"
    """The webhook is sent `copies` times more."""
    EVENT_REORDERED = "event_reordered"
    """As many webhooks as `count` are held back, and then sent in reverse, one by one; after `seconds` in any case."""

    @property
    def is_of_events(self) -> bool:
        """Whether it is about webhooks."""
        return self.value.startswith("event_")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault, and how much of it is left."""

    kind: FaultKind
    match: str = "*"
    """A pattern: of an operation, as in `POST /v1/payment_intents/*`, or of an event's type, as in `charge.*`."""
    count: int = 1
    """How many requests or events it meets."""
    skip: int = 0
    """How many that match pass unharmed first."""
    chance: float = 1.0
    """With what probability it meets one that matches."""
    seconds: float = 1.0
    copies: int = 1
    met: int = 0
    id: str = field(default_factory=lambda: new_id("fault"))

    def __post_init__(self) -> None:
        """Raises ValueError for what is out of bounds."""
        bounds = {
            "count": (1, self.count, COUNT_MAX),
            "skip": (0, self.skip, COUNT_MAX),
            "chance": (0.0, self.chance, 1.0),
            "seconds": (0.0, self.seconds, SECONDS_MAX),
            "copies": (1, self.copies, COPIES_MAX),
        }
        for name, (least, value, most) in bounds.items():
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}")

    @property
    def is_spent(self) -> bool:
        """Whether it has met all that it was for."""
        return self.met >= self.count

    def shown(self) -> dict[str, Any]:
        """As the control API tells it."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "match": self.match,
            "count": self.count,
            "skip": self.skip,
            "chance": self.chance,
            "seconds": self.seconds,
            "copies": self.copies,
            "met": self.met,
        }


class Faults:
    """The faults that are set, in the order in which they were; the first that matches is the one."""

    def __init__(self, seed: int) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)

    def add(self, fault: Fault) -> None:
        """Set a fault. Raises ValueError when there are too many; spent ones make room."""
        if len(self._faults) >= FAULTS_MAX:
            self._faults = [each for each in self._faults if not each.is_spent]
        if len(self._faults) >= FAULTS_MAX:
            raise ValueError(f"at most {FAULTS_MAX} faults can be set")
        self._faults.append(fault)

    def of_request(self, operation: str, path: str) -> Fault | None:
        """The fault that this request meets, which counts as met."""
        names = (operation, f"{operation.partition(' ')[0]} {path}")
        return self._taken(names, of_events=False)

    def of_event(self, event_type: str) -> Fault | None:
        """The fault that the webhooks of this event meet, which counts as met."""
        return self._taken((event_type,), of_events=True)

    def clear(self) -> None:
        """Remove all."""
        self._faults.clear()

    def shown(self) -> list[dict[str, Any]]:
        """All that were set, spent ones included."""
        return [fault.shown() for fault in self._faults]

    def _taken(self, names: tuple[str, ...], *, of_events: bool) -> Fault | None:
        for fault in self._faults:
            if fault.is_spent or fault.kind.is_of_events is not of_events:
                continue
            if not any(fnmatch.fnmatchcase(name, fault.match) for name in names):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.chance >= 1.0 or self._random.random() < fault.chance:
                fault.met += 1
                return fault
        return None
