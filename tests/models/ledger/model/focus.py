"""What a machine does, and how often: all of it, or what leads soonest to where a part of the ledger may be wrong.

Chance spread over all that can be done seldom does six things in a row that belong together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from models.ledger.requests import BookingAction
from tests.models.ledger.model.things import things

ALL = (
    *("hold", "change", "set_capacity", "close_or_reopen", "repeat", "ask_under_the_key_of_another"),
    *("move_clock", "expire", "fold", "hold_series", "change_all", "join", "offer", "leave"),
    *("rebook", "cancel_part"),
)
NAMES = tuple(things())


APT = {
    "ON_HOLD": (BookingAction.EXTEND, BookingAction.CONFIRM, BookingAction.RELEASE, BookingAction.CANCEL),
    "PENDING": (BookingAction.APPROVE, BookingAction.REJECT, BookingAction.CANCEL),
    "CONFIRMED": (BookingAction.CANCEL,),
}


@dataclass(frozen=True)
class Habits:
    """Which of the machine's rules it plays, of which resources, and how long venues may think, in slots.

    `apt`: what is done half of the time to a booking in this status; anything otherwise.
    """

    rules: tuple[str, ...] = ALL
    names: tuple[str, ...] = NAMES
    approvals: tuple[int | None, ...] = (None, None, 1, 2)
    apt: Mapping[str, tuple[BookingAction, ...]] = field(default_factory=lambda: APT)


class Focus(Enum):
    """On which part of the ledger."""

    EVERYTHING = Habits()
    HOLDS = Habits(rules=ALL[:9], approvals=(None,))
    PAST = Habits(rules=("hold", "change", "move_clock", "expire", "fold"), approvals=(None,))
    APPROVAL = Habits(
        rules=("hold", "change", "set_capacity", "move_clock", "expire"),
        names=("hall", "pool", "room"),
        approvals=(None, 1, 1, 1, 2),
        apt={**APT, "ON_HOLD": (BookingAction.CONFIRM,)},
    )
    POOLS = Habits(
        rules=("hold", "change", "close_or_reopen", "move_clock"),
        names=("suite", "suite", "suite", "hall", "pool", "room"),
        approvals=(None,),
    )
    CHANGES = Habits(
        rules=("hold", "change", "rebook", "cancel_part", "move_clock", "close_or_reopen", "repeat"),
        approvals=(None, None, 1),
        apt={**APT, "ON_HOLD": (BookingAction.CONFIRM, BookingAction.CANCEL)},
    )
    SERIES = Habits(
        rules=("hold", "hold_series", "change_all", "close_or_reopen", "move_clock", "ask_under_the_key_of_another")
    )
    WAITLIST = Habits(
        rules=("hold", "change", "move_clock", "expire", "join", "offer", "leave"), names=("hall", "room", "suite")
    )
