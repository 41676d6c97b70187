"""What clients ask: chosen at random, written as GraphQL, and what the answers come down to."""

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from schema.global_id import decode
from tests.history.effects import ADJUSTMENTS, HOLD
from tests.history.records import Json
from tests.history.world import SLOTS, Place, World

ERRORS = "errors { __typename code ... on SoldOut { vacancies resource { id } } }"
BOOKING = "booking { id status version }"
READING = "startsAt endsAt capacity vacancies"


def _mutation(call: str, input_type: str, selects: str) -> str:
    return f"mutation($input: {input_type}!) {{ done: {call}(input: $input) {{ {selects} {ERRORS} }} }}"


DOCUMENTS = {
    HOLD: _mutation(HOLD, "BookingHoldInput", f"{BOOKING} token"),
    "bookingExtend": _mutation("bookingExtend", "BookingActionInput", BOOKING),
    "bookingConfirm": _mutation("bookingConfirm", "BookingActionInput", BOOKING),
    "bookingRelease": _mutation("bookingRelease", "BookingActionInput", BOOKING),
    "bookingCancel": _mutation("bookingCancel", "BookingActionInput", BOOKING),
    "capacitySet": _mutation("capacitySet", "CapacitySetInput", "resource { id version }"),
    "resourceClose": _mutation("resourceClose", "ResourceCloseInput", "resource { id version }"),
    "resourceOpen": _mutation("resourceOpen", "ResourceOpenInput", "resource { id version }"),
    "availability": "query($input: AvailabilityInput!) { done: availability(input: $input)"
    f" {{ version {READING} }} }}",
    "timeline": "query($id: ID!, $window: WindowInput!) { done: node(id: $id) { ... on Resource"
    f" {{ timeline(window: $window) {{ version steps {{ {READING} }} }} }} }} }}",
}

CALLS = {
    HOLD: 44,
    "bookingConfirm": 14,
    "bookingExtend": 6,
    "bookingRelease": 7,
    "bookingCancel": 8,
    "capacitySet": 4,
    "resourceClose": 2,
    "resourceOpen": 4,
    "availability": 6,
    "timeline": 5,
}
"""How often each is asked, in hundredths."""

SEVERAL = 0.25
"""Of the holds, those of more than one item."""


@dataclass(frozen=True, slots=True)
class Held:
    """A booking that a client made, and the token that opens it."""

    booking: str
    token: str = field(repr=False)


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
        return self.call in ADJUSTMENTS

    def variables(self, world: World) -> Json:
        """The variables of its document."""
        its = self.input
        if self.call == HOLD:
            items = [
                {
                    "resourceId": world.resource(item["resource"]),
                    "window": _window(item),
                    "quantity": item["quantity"],
                    "activity": item["activity"],
                }
                for item in its["items"]
            ]
            return {"input": {"idempotencyKey": self.key, "items": items}}
        if self.call == "availability":
            return {"input": {"resourceIds": [world.resource(its["resource"])], "window": _window(its)}}
        if self.call == "timeline":
            return {"id": world.resource(its["resource"]), "window": _window(its)}
        if self.call in ADJUSTMENTS:
            asked = {"resourceId": world.resource(its["resource"]), "window": _window(its)}
            if "capacity" in its:
                asked["capacity"] = its["capacity"]
            return {"input": {"idempotencyKey": self.key, **asked}}
        booking = {"bookingId": world.booking(its["booking"]), "token": self.token}
        return {"input": {"idempotencyKey": self.key, **booking}}

    def answer(self, done: Any, world: World) -> Json:
        """What the history keeps of an answer that is no refusal."""
        if self.call in ADJUSTMENTS:
            return {"version": done["resource"]["version"]}
        if self.call == "availability":
            (answer,) = done
            return _reading(answer["version"], [answer], self, world)
        if self.call == "timeline":
            return _reading(done["timeline"]["version"], done["timeline"]["steps"], self, world)
        booking = done["booking"]
        return {"booking": uuid_of(booking["id"]), "status": booking["status"], "version": booking["version"]}


def refusal(errors: list[Json]) -> Json:
    """What the history keeps of a refusal: the first of its reasons."""
    first = errors[0]
    if first["code"] != "SOLD_OUT":
        return {"code": first["code"]}
    return {"code": "SOLD_OUT", "vacancies": first["vacancies"], "resource": uuid_of(first["resource"]["id"])}


def uuid_of(global_id: str) -> str:
    """The row's UUID."""
    found = decode(global_id)
    assert found is not None, global_id
    return str(found.id)


def choose(rng: random.Random, world: World, mine: list[Held]) -> Operation:
    """Something to ask: about one of `mine`, if it is about a booking."""
    call = rng.choices(list(CALLS), weights=list(CALLS.values()))[0]
    if call.startswith("booking") and call != HOLD:
        return act(rng, call, rng.choice(mine)) if mine else hold(rng, world)
    if call == HOLD:
        return hold(rng, world)
    place = rng.choice(world.places)
    # Opened is all of the day: else most of it would soon be closed.
    about = {"resource": place.id, **(world.day if call == "resourceOpen" else _slots(rng, world))}
    if call == "capacitySet":
        about["capacity"] = rng.randint(max(0, place.capacity - 2), place.capacity + 1)
    return Operation(call, fresh_key(rng) if call in ADJUSTMENTS else None, about)


def hold(rng: random.Random, world: World) -> Operation:
    """A hold of one to three items."""
    count = rng.choice((2, 3)) if rng.random() < SEVERAL else 1
    return Operation(
        HOLD, fresh_key(rng), {"items": [_item(rng, world, rng.choice(world.places)) for _ in range(count)]}
    )


def act(rng: random.Random, call: str, held: Held) -> Operation:
    """Something about a booking."""
    return Operation(call, fresh_key(rng), {"booking": held.booking}, held.token)


def fresh_key(rng: random.Random) -> str:
    """A key that nobody has used."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _item(rng: random.Random, world: World, place: Place) -> Json:
    quantity = rng.choice((1, 1, 1, 2))
    return {"resource": place.id, **_slots(rng, world), "quantity": quantity, "activity": rng.choice(place.activities)}


def _slots(rng: random.Random, world: World) -> Json:
    first = rng.randrange(SLOTS)
    return dict(world.window(first, min(SLOTS, first + rng.choice((1, 1, 2, 3)))))


def _window(about: Json) -> Json:
    return {"startsAt": about["startsAt"], "endsAt": about["endsAt"]}


def _reading(version: int, steps: list[Json], operation: Operation, world: World) -> Json:
    names = ("startsAt", "endsAt", "capacity", "vacancies")
    return {
        "version": version,
        "steps": [{name: step[name] for name in names} for step in steps],
        "is_alone": world.place(operation.input["resource"]).is_alone,
    }
