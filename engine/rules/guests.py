"""Guests by type: within bounds, and as they are kept with a booking (`models.booking.BookingItem.guests`)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.rules.base import GuestCount
from engine.rules.guest_types import TYPE_PATTERN, TYPES_MAX
from engine.rules.limits import QUANTITY_MAX
from engine.rules.parameters import AGE_MAX
from models.errors import InvalidInput

GUESTS_MAX = QUANTITY_MAX
AGES_MAX = 1_000
"""Of one item: ages are kept one by one."""

_TYPE = re.compile(TYPE_PATTERN)


def checked_guests(guests: Sequence[GuestCount], path: Sequence[str]) -> tuple[GuestCount, ...]:
    """The party, without types of which nobody comes.

    Raises InvalidInput unless there are 1 to 20 types, each once, 1 to 10,000 guests in all, and, of a type whose ages
    are told, as many ages as guests, each from 0 to 150, and at most 1,000 in all.
    """
    if not 1 <= len(guests) <= TYPES_MAX:
        raise InvalidInput(f"Name 1 to {TYPES_MAX} types of guests.", path=path)
    for position, one in enumerate(guests):
        _check(one, (*path, str(position)))
    if len({one.type for one in guests}) < len(guests):
        raise InvalidInput("Name each type of guests only once.", path=path)
    if not 1 <= sum(one.count for one in guests) <= GUESTS_MAX:
        raise InvalidInput(f"From 1 to {GUESTS_MAX:,} guests can come.", path=path)
    if sum(len(one.ages or ()) for one in guests) > AGES_MAX:
        raise InvalidInput(f"At most {AGES_MAX:,} ages can be told.", path=path)
    return tuple(one for one in guests if one.count)


def guests_as_stored(guests: Sequence[GuestCount] | None) -> list[dict[str, Any]] | None:
    """As JSON; None: nobody said."""
    if guests is None:
        return None
    return [
        {"type": one.type, "count": one.count, "ages": None if one.ages is None else list(one.ages)} for one in guests
    ]


def guests_from_stored(stored: Sequence[Mapping[str, Any]] | None) -> tuple[GuestCount, ...] | None:
    """What `guests_as_stored` made."""
    if stored is None:
        return None
    return tuple(
        GuestCount(one["type"], one["count"], None if one["ages"] is None else tuple(one["ages"])) for one in stored
    )


def _check(one: GuestCount, path: Sequence[str]) -> None:
    if not _TYPE.fullmatch(one.type):
        raise InvalidInput("A type of guests is 1 to 40 of A to Z, 0 to 9 and _, a letter first.", path=(*path, "type"))
    if not 0 <= one.count <= GUESTS_MAX:
        raise InvalidInput(f"From 0 to {GUESTS_MAX:,} guests of a type can come.", path=(*path, "count"))
    if one.ages is None:
        return
    if len(one.ages) != one.count:
        raise InvalidInput("Tell one age for each guest of the type, or none.", path=(*path, "ages"))
    if not all(0 <= age <= AGE_MAX for age in one.ages):
        raise InvalidInput(f"An age is from 0 to {AGE_MAX} years.", path=(*path, "ages"))
