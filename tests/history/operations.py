"""What clients ask: chosen at random."""

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.history.documents import answer_of
from tests.history.effects import ADJUSTMENTS, HOLD
from tests.history.records import Json
from tests.history.several import HOLD_ALL, ON_ALL
from tests.history.waiting import JOIN, LEAVE, READ
from tests.history.world import DAYS, SLOTS, Place, World

CALLS = {
    HOLD: 34,
    "bookingConfirm": 11,
    "bookingExtend": 5,
    "bookingRelease": 5,
    "bookingCancel": 6,
    "bookingApprove": 4,
    "bookingReject": 2,
    HOLD_ALL: 5,
    "seriesConfirm": 2,
    "seriesRelease": 2,
    JOIN: 3,
    LEAVE: 1,
    READ: 4,
    "capacitySet": 4,
    "resourceClose": 2,
    "resourceOpen": 4,
    "availability": 3,
    "timeline": 3,
}
"""How often each is asked, in hundredths."""

DECISIONS = frozenset({"bookingApprove", "bookingReject"})
FOR_STAFF = ADJUSTMENTS | DECISIONS
SEVERAL = 0.25
"""Of the holds, those of more than one item."""

ANOTHER_DAY = 0.2
"""Of what is booked by itself, that of another day than the first."""


@dataclass(frozen=True, slots=True)
class Held:
    """A booking that a client made, and the token that opens it. `is_approved`: by the venue, once it is confirmed."""

    booking: str
    token: str = field(repr=False)
    is_approved: bool = False


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """A series that a client made, and the token that opens it."""

    series: str
    bookings: tuple[str, ...]
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waits:
    """An entry that a client made, and the token that opens it."""

    entry: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mine:
    """What a client has: bookings, series and entries, the oldest first."""

    bookings: Sequence[Held] = ()
    series: Sequence[HeldSeries] = ()
    entries: Sequence[Waits] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that is meant to be done; a repetition is the same operation. `input` names rows by their UUIDs."""

    call: str
    key: str | None
    input: Json
    token: str | None = field(default=None, repr=False)

    @property
    def is_for_staff(self) -> bool:
        """Whether it needs somebody of the organization."""
        return self.call in FOR_STAFF

    def variables(self, world: World) -> Json:
        """The variables of its document."""
        its = self.input
        if self.call == "timeline":
            return {"id": world.resource(its["resource"]), "window": _window(its)}
        if self.call == READ:
            return {"id": world.entry(its["entry"]), "token": self.token}
        if self.call == "availability":
            return {"input": {"resourceIds": [world.resource(its["resource"])], "window": _window(its)}}
        return {"input": {"idempotencyKey": self.key, **_input(self.call, its, world), **self._shown()}}

    def answer(self, done: Any, world: World) -> Json:
        """What the history keeps of an answer that is no refusal."""
        told = answer_of(self.call, done)
        if "steps" in told:
            told["is_alone"] = world.place(self.input["resource"]).is_alone
        return told

    def _shown(self) -> Json:
        return {} if self.token is None else {"token": self.token}


def choose(rng: random.Random, world: World, mine: Mine) -> Operation:
    """Something to ask: about one of `mine`, if it is about what somebody has; a hold if there is none."""
    call = rng.choices(list(CALLS), weights=list(CALLS.values()))[0]
    operation = _MADE[call](rng, world, mine, call) if call in _MADE else _about_a_booking(rng, mine, call)
    return operation or hold(rng, world)


def hold(rng: random.Random, world: World) -> Operation:
    """A hold of one to three items; what is chosen from is held by itself."""
    place = rng.choice(world.places)
    places = [place]
    if not place.is_pool and rng.random() < SEVERAL:
        others = [other for other in world.places if not other.is_pool]
        places += rng.choices(others, k=rng.choice((1, 2)))
    return Operation(HOLD, fresh_key(rng), {"items": [_item(rng, world, each) for each in places]})


def act(rng: random.Random, call: str, held: Held) -> Operation:
    """Something about a booking."""
    token = None if call in DECISIONS else held.token
    return Operation(call, fresh_key(rng), {"booking": held.booking}, token)


def leave(rng: random.Random, waits: Waits) -> Operation:
    """Wait no more."""
    return Operation(LEAVE, fresh_key(rng), {"entry": waits.entry}, waits.token)


def fresh_key(rng: random.Random) -> str:
    """A key that nobody has used."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _about_a_booking(rng: random.Random, mine: Mine, call: str) -> Operation | None:
    apt = [held for held in mine.bookings if held.is_approved] if call in DECISIONS else []
    return act(rng, call, rng.choice(apt or list(mine.bookings))) if mine.bookings else None


def _hold(rng: random.Random, world: World, mine: Mine, call: str) -> Operation:
    return hold(rng, world)


def _hold_all(rng: random.Random, world: World, mine: Mine, call: str) -> Operation:
    """The same on every day from the first."""
    asked = _item(rng, world, rng.choice(world.places), day=0)
    mode = rng.choice(("ALL", "SKIP_CONFLICTS"))
    return Operation(call, fresh_key(rng), {**asked, "count": DAYS, "mode": mode})


def _on_all(rng: random.Random, world: World, mine: Mine, call: str) -> Operation | None:
    if not mine.series:
        return None
    series = rng.choice(list(mine.series))
    about = {"series": series.series, "bookings": list(series.bookings)}
    return Operation(call, fresh_key(rng), about, series.token)


def _join(rng: random.Random, world: World, mine: Mine, call: str) -> Operation:
    """Each with an address of its own: of one address, not many may wait."""
    key = fresh_key(rng)
    asked = _item(rng, world, rng.choice(world.places))
    return Operation(call, key, {**asked, "email": f"{key}@example.com"})


def _about_an_entry(rng: random.Random, world: World, mine: Mine, call: str) -> Operation | None:
    if not mine.entries:
        return None
    waits = rng.choice(list(mine.entries))
    if call == LEAVE:
        return leave(rng, waits)
    return Operation(call, None, {"entry": waits.entry}, waits.token)


def _about_a_resource(rng: random.Random, world: World, mine: Mine, call: str) -> Operation:
    place = rng.choice(world.places)
    # Opened are all days: else most of them would soon be closed.
    about = {"resource": place.id, **(world.days if call == "resourceOpen" else _slots(rng, world))}
    if call == "capacitySet":
        about["capacity"] = rng.randint(max(0, place.capacity - 2), place.capacity + 1)
    return Operation(call, fresh_key(rng) if call in ADJUSTMENTS else None, about)


_MADE: dict[str, Callable[[random.Random, World, Mine, str], Operation | None]] = {
    HOLD: _hold,
    HOLD_ALL: _hold_all,
    **dict.fromkeys(ON_ALL, _on_all),
    JOIN: _join,
    **dict.fromkeys((LEAVE, READ), _about_an_entry),
    **dict.fromkeys((*ADJUSTMENTS, "availability", "timeline"), _about_a_resource),
}


def _item(rng: random.Random, world: World, place: Place, day: int | None = None) -> Json:
    quantity = rng.choice((1, 1, 1, 2))
    activity = rng.choice(place.activities)
    return {"resource": place.id, **_slots(rng, world, day), "quantity": quantity, "activity": activity}


def _slots(rng: random.Random, world: World, day: int | None = None) -> Json:
    if day is None:
        day = rng.randrange(1, DAYS) if rng.random() < ANOTHER_DAY else 0
    first = rng.randrange(SLOTS)
    return dict(world.window(first, min(SLOTS, first + rng.choice((1, 1, 2, 3))), day=day))


def _input(call: str, its: Json, world: World) -> Json:
    """The input of a mutation, but for its key and its token."""
    if call == HOLD:
        return {"items": [_asked(item, world) for item in its["items"]]}
    if call == HOLD_ALL:
        return {**_asked(its, world), "recurrence": f"FREQ=DAILY;COUNT={its['count']}", "mode": its["mode"]}
    if call == JOIN:
        return {**_asked(its, world), "contact": {"email": its["email"]}}
    if call in ADJUSTMENTS:
        capacity = {"capacity": its["capacity"]} if "capacity" in its else {}
        return {"resourceId": world.resource(its["resource"]), "window": _window(its), **capacity}
    if call in ON_ALL:
        return {"seriesId": world.series(its["series"])}
    return {"entryId": world.entry(its["entry"])} if call == LEAVE else {"bookingId": world.booking(its["booking"])}


def _asked(item: Json, world: World) -> Json:
    about = {name: item[name] for name in ("quantity", "activity")}
    return {"resourceId": world.resource(item["resource"]), "window": _window(item), **about}


def _window(about: Json) -> Json:
    return {"startsAt": about["startsAt"], "endsAt": about["endsAt"]}
