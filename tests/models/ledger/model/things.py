"""What is in the model: resources, what bookings take of them, and who waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.models.ledger.model.asks import SLOTS, Item

FOREVER = SLOTS
"""The slot that stands for all after the model's calendar."""

OFFERS_MAX = 2


@dataclass
class Thing:
    """A resource; `requires` is name → (per unit, per booking), how long holds last is in slots.

    `chooses`: of which of others a booking takes a unit each of as many as it has units. `rank`: by which of two that
    fit equally well it comes. `folded`: before this slot nothing is known any more; None: all is.
    """

    sharing: str
    base: int
    hold: int
    ceiling: int
    requires: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    chooses: tuple[str, ...] = ()
    rank: int = 0
    version: int = 0
    capacity: list[int] = field(init=False)
    closed: list[bool] = field(default_factory=lambda: [False] * (FOREVER + 1))
    folded: int | None = None

    def __post_init__(self) -> None:
        self.capacity = [self.base] * (FOREVER + 1)


def things() -> dict[str, Thing]:
    """Every way of sharing; requirements per unit and per booking; any k of three; holds that are not extended."""
    return {
        "hall": Thing("SHARED", base=4, hold=2, ceiling=6),
        "pool": Thing("SAME_ACTIVITY", base=4, hold=1, ceiling=4),
        "room": Thing("EXCLUSIVE", base=2, hold=3, ceiling=3),
        "tour": Thing("EXCLUSIVE", base=3, hold=2, ceiling=5, requires={"hall": (1, 0), "pool": (0, 1)}),
        "camp": Thing("SHARED", base=3, hold=3, ceiling=6, requires={"hall": (1, 1), "room": (0, 1)}),
        "suite": Thing("SHARED", base=4, hold=2, ceiling=4, chooses=("hall", "pool", "room")),
    }


@dataclass(frozen=True)
class Claim:
    """What a booking takes of one resource."""

    resource: str
    start: int
    end: int
    quantity: int
    key: str | None

    def is_in(self, resource: str, slot: int) -> bool:
        return self.resource == resource and self.start <= slot < self.end


@dataclass
class Party:
    """A booking. `expires` is the slot at whose beginning it is over, `approval` for how long the venue may think.

    `positions` are those of its items: they stay when one of them is cancelled.
    """

    items: tuple[Item, ...]
    claims: list[Claim]
    expires: int | None
    ceiling: int
    approval: int | None
    status: str = "ON_HOLD"
    version: int = 1
    positions: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.positions = tuple(range(len(self.items)))


@dataclass
class Entry:
    """Somebody who waits for an item, by whose name; `booking` is what is offered, or was accepted."""

    item: Item
    name: str
    status: str = "WAITING"
    version: int = 1
    offers: int = 0
    booking: int | None = None

    def becomes(self, status: str, booking: int | None = None) -> None:
        self.status, self.booking, self.version = status, booking, self.version + 1

    def settle(self, status: str) -> None:
        """The booking that is offered is held no more, and has this status."""
        if status in ("CONFIRMED", "PENDING"):
            self.becomes("ACCEPTED", self.booking)
        elif status != "EXPIRED":
            self.becomes("LEFT")
        else:
            self.becomes("WAITING" if self.offers < OFFERS_MAX else "EXPIRED")
