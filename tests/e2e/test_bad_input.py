"""Mutations with bad input: a typed refusal, nothing written, nothing told of the inside."""

import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.viewer import Role
from schema.global_id import GlobalKind, encode
from server.examples import atlas, mirante
from tests.e2e.clients import Json
from tests.e2e.platforms import Platform
from tests.e2e.world import World, assert_payload, assert_request_error, clock, desk, nights, post

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

INT_MAX = 2**31 - 1
KEY = "k" * 32

HOLD = "mutation($input: BookingHoldInput!) { done: bookingHold(input: $input) { booking { id } token %s } }"
ACT = "mutation($input: BookingActionInput!) { done: %s(input: $input) { booking { id } token %s } }"
STAFF = "mutation($input: %sInput!) { done: %s(input: $input) { %s } }"
ERRORS = "errors { __typename code message path retryable }"

Change = Callable[[World], Json]


def _quantity(quantity: object) -> Change:
    return lambda world: {"items": [desk(world, quantity=quantity)]}


def _window(starts_at: object, ends_at: object) -> Change:
    return lambda world: {"items": [desk(world, window={"startsAt": starts_at, "endsAt": ends_at})]}


def _days(first: float, last: float) -> Change:
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return _window((today + timedelta(days=first)).isoformat(), (today + timedelta(days=last)).isoformat())


def _until(ends_at: str) -> Change:
    return lambda world: {"items": [desk(world, window={**clock(world, "10:00", "11:00"), "endsAt": ends_at})]}


def _stay(arrival: int, departure: int) -> Change:
    def change(world: World) -> Json:
        days = {"arrival": arrival, "departure": departure}
        stay = {name: str(world.today + timedelta(days=days[name])) for name in days}
        return {"items": [{"resourceId": world.room, "stay": stay}]}

    return change


def _resource(resource_id: object) -> Change:
    return lambda world: {"items": [desk(world, resourceId=resource_id)]}


def _activity(activity: str) -> Change:
    return lambda world: {"items": [desk(world, activity=activity)]}


def _contact(**contact: object) -> Change:
    return lambda world: {"contact": contact}


def _key(key: object) -> Change:
    return lambda world: {"idempotencyKey": key}


HOLDS: Mapping[str, tuple[Change, str]] = {
    "quantity of zero": (_quantity(0), "INVALID_INPUT"),
    "negative quantity": (_quantity(-1), "INVALID_INPUT"),
    "lowest quantity": (_quantity(-INT_MAX - 1), "INVALID_INPUT"),
    "quantity over the limit": (_quantity(10_001), "INVALID_INPUT"),
    "highest quantity": (_quantity(INT_MAX), "INVALID_INPUT"),
    "more than there is": (_quantity(41), "SOLD_OUT"),
    "empty window": (_days(1, 1), "INVALID_INPUT"),
    "inverted window": (_days(2, 1), "INVALID_INPUT"),
    "endless window": (_days(1, 9 * 366), "TOO_LONG"),
    "window of 367 days": (_days(1, 368), "TOO_LONG"),
    "window until the last year": (_until("2198-12-31T00:00:00Z"), "TOO_LONG"),
    "past window": (_days(-3, -2), "TOO_SOON"),
    "window in 1971": (_window("1971-01-01T08:00:00Z", "1971-01-01T09:00:00Z"), "TOO_SOON"),
    "beyond the horizon": (_days(740, 740.1), "TOO_FAR"),
    "off the grid": (lambda w: {"items": [desk(w, window=clock(w, "10:07", "11:07"))]}, "OFF_GRID"),
    "at night": (lambda w: {"items": [desk(w, window=clock(w, "02:00", "03:00"))]}, "OUTSIDE_OPENING_HOURS"),
    "neither window nor stay": (lambda w: {"items": [{"resourceId": w.desks}]}, "INVALID_INPUT"),
    "window and stay": (
        lambda w: {"items": [desk(w, stay={"arrival": str(w.day), "departure": str(w.day + timedelta(days=1))})]},
        "INVALID_INPUT",
    ),
    "stay of what has hours": (
        lambda w: {"items": [{"resourceId": w.desks, "stay": {"arrival": str(w.day), "departure": "2099-01-01"}}]},
        "INVALID_INPUT",
    ),
    "window of what has nights": (lambda w: {"items": [desk(w, resourceId=w.room)]}, "INVALID_INPUT"),
    "stay of no night": (_stay(3, 3), "INVALID_INPUT"),
    "inverted stay": (_stay(3, 2), "INVALID_INPUT"),
    "past stay": (_stay(-9, -8), "TOO_SOON"),
    "stay of 367 nights": (_stay(3, 370), "TOO_LONG"),
    "stay beyond the horizon": (_stay(740, 741), "TOO_FAR"),
    "check-in that the clocks skip": (
        lambda w: {"items": [{"resourceId": w.skipped, "stay": nights(w.skipped_day, 1)}]},
        "INVALID_TIME",
    ),
    "check-out that the clocks skip": (
        lambda w: {"items": [{"resourceId": w.skipped, "stay": nights(w.skipped_day - timedelta(days=2), 2)}]},
        "INVALID_TIME",
    ),
    "unknown resource": (_resource(encode(GlobalKind.RESOURCE, atlas.EXAMPLE.id, uuid.uuid4())), "NOT_FOUND"),
    "resource of no organization": (_resource(encode(GlobalKind.RESOURCE, uuid.uuid4(), uuid.uuid4())), "NOT_FOUND"),
    "resource that is not published": (lambda w: _resource(w.unpublished)(w), "NOT_FOUND"),
    "venue's id as a resource's": (lambda w: _resource(w.venue)(w), "NOT_FOUND"),
    "booking's id as a resource's": (lambda w: _resource(w.booking)(w), "NOT_FOUND"),
    "malformed id": (_resource("!"), "NOT_FOUND"),
    "empty id": (_resource(""), "NOT_FOUND"),
    "id as a number": (_resource(7), "NOT_FOUND"),
    "very long id": (_resource("A" * 100_000), "NOT_FOUND"),
    "id with SQL in it": (_resource("' OR 1=1 --"), "NOT_FOUND"),
    "no item": (lambda w: {"items": []}, "INVALID_INPUT"),
    "21 items": (lambda w: {"items": [desk(w)] * 21}, "INVALID_INPUT"),
    "10,000 items": (lambda w: {"items": [{"resourceId": w.desks}] * 10_000}, "INVALID_INPUT"),
    "items of two organizations": (
        lambda w: {"items": [desk(w), {"resourceId": w.room, "stay": nights(w.day, 1)}]},
        "INVALID_INPUT",
    ),
    "empty key": (_key(""), "INVALID_INPUT"),
    "short key": (_key("k" * 15), "INVALID_INPUT"),
    "long key": (_key("k" * 129), "INVALID_INPUT"),
    "unprintable key": (_key("k" * 32 + "\n"), "INVALID_INPUT"),
    "key of NULs": (_key("\0" * 32), "INVALID_INPUT"),
    "blank activity": (_activity("  "), "INVALID_INPUT"),
    "activity with #": (_activity("#swim"), "INVALID_INPUT"),
    "long activity": (_activity("s" * 101), "INVALID_INPUT"),
    "activity with control characters": (_activity("lap\x07swimming"), "INVALID_INPUT"),
    "contact with a NUL": (_contact(name="Ada\0"), "INVALID_INPUT"),
    "contact with a control character": (_contact(name="Ada\x1b[31m"), "INVALID_INPUT"),
    "long name": (_contact(name="a" * 201), "INVALID_INPUT"),
    "very long name": (_contact(name="a" * 500_000), "INVALID_INPUT"),
    "no email": (_contact(email="ada.example.com"), "INVALID_INPUT"),
    "long email": (_contact(email="a" * 250 + "@example.com"), "INVALID_INPUT"),
    "long phone": (_contact(phone="1" * 41), "INVALID_INPUT"),
    "expected version of no resource": (lambda w: {"expected": [{"resourceId": "!", "version": 1}]}, "NOT_FOUND"),
    "101 expected versions": (
        lambda w: {"expected": [{"resourceId": w.desks, "version": 1}] * 101},
        "INVALID_INPUT",
    ),
    "expected version that never was": (
        lambda w: {"expected": [{"resourceId": w.desks, "version": -1}]},
        "VERSION_CONFLICT",
    ),
}


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("case", HOLDS)
async def test_a_hold_is_refused_in_its_payload(platform: Platform, world: World, case: str) -> None:
    change, code = HOLDS[case]
    input = {"idempotencyKey": secrets.token_hex(16), "items": [desk(world)], **change(world)}
    answer = await post(platform, {"query": HOLD % ERRORS, "variables": {"input": input}})
    assert_payload(answer, code)


REQUESTS: Mapping[str, Change] = {
    "quantity beyond an Int": _quantity(INT_MAX + 1),
    "quantity beyond any number": _quantity(10**400),
    "fraction of a unit": _quantity(1.5),
    "quantity as text": _quantity("2"),
    "no quantity": _quantity(None),
    "naive time": _window("2030-01-01T10:00:00", "2030-01-01T11:00:00"),
    "day that never was": _window("2030-02-30T10:00:00Z", "2030-03-01T11:00:00Z"),
    "25 o'clock": _window("2030-01-01T25:00:00Z", "2030-01-02T11:00:00Z"),
    "time in words": _window("tomorrow", "2030-01-01T11:00:00Z"),
    "time as a number": _window(1_900_000_000, 1_900_003_600),
    "end of time": _window("2030-01-01T10:00:00Z", "9999-12-31T23:59:59Z"),
    "year zero": _window("0000-01-01T10:00:00Z", "2030-01-01T10:00:00Z"),
    "half a window": lambda w: {"items": [desk(w, window={"startsAt": "2030-01-01T10:00:00Z"})]},
    "no resource": lambda w: {"items": [{"window": clock(w, "10:00", "11:00")}]},
    "no key": _key(None),
    "key as a list": _key([KEY]),
    "key of half a character": _key("\ud800" * 32),
    "contact with half a character": _contact(name="\udc00"),
    "unknown field": lambda w: {"discount": 100},
    "items as a text": lambda w: {"items": "all"},
    "version beyond a Long": lambda w: {"expected": [{"resourceId": w.desks, "version": 2**53}]},
    "name as a number": _contact(name=7),
}


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("case", REQUESTS)
async def test_a_hold_that_does_not_fit_the_schema_is_an_error_of_the_request(
    platform: Platform, world: World, case: str
) -> None:
    input = {"idempotencyKey": secrets.token_hex(16), "items": [desk(world)], **REQUESTS[case](world)}
    answer = await post(platform, {"query": HOLD % ERRORS, "variables": {"input": input}})
    assert_request_error(answer, "INVALID_INPUT", statuses=(200, 400))


ACTIONS: Mapping[str, tuple[Change, str]] = {
    "no token": (lambda w: {}, "UNAUTHENTICATED"),
    "empty token": (lambda w: {"token": ""}, "UNAUTHENTICATED"),
    "garbage token": (lambda w: {"token": "!" * 75}, "NOT_FOUND"),
    "very long token": (lambda w: {"token": "A" * 100_000}, "NOT_FOUND"),
    "token of another booking": (lambda w: {"token": w.other_token}, "NOT_FOUND"),
    "token that was tampered with": (lambda w: {"token": w.token[:-4] + "AAAA"}, "NOT_FOUND"),
    "unknown booking": (
        lambda w: {"token": w.token, "bookingId": encode(GlobalKind.BOOKING, atlas.EXAMPLE.id, uuid.uuid4())},
        "NOT_FOUND",
    ),
    "resource's id as a booking's": (lambda w: {"token": w.token, "bookingId": w.desks}, "NOT_FOUND"),
    "malformed id": (lambda w: {"token": w.token, "bookingId": "x"}, "NOT_FOUND"),
    "short key": (lambda w: {"token": w.token, "idempotencyKey": "k"}, "INVALID_INPUT"),
    "version that never was": (lambda w: {"token": w.token, "expectedVersion": 99}, "VERSION_CONFLICT"),
}


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("mutation", ["bookingExtend", "bookingRelease", "bookingConfirm", "bookingCancel"])
async def test_an_action_is_refused_in_its_payload(platform: Platform, world: World, mutation: str) -> None:
    for change, code in ACTIONS.values():
        input = {"idempotencyKey": secrets.token_hex(16), "bookingId": world.booking, **change(world)}
        assert_payload(await post(platform, {"query": ACT % (mutation, ERRORS), "variables": {"input": input}}), code)


def deep(levels: int) -> Any:
    """Lists within lists."""
    return [] if levels == 0 else [deep(levels - 1)]


VENUE_FIELDS: Json = {
    "slug": "new-venue", "name": "New", "timeZone": "Europe/Lisbon", "currency": "EUR", "country": "PT"
}  # fmt: skip
RESOURCE_FIELDS: Json = {"slug": "new-room", "name": "New", "availabilityType": "OPENING_HOURS", "capacity": 1}

# Which mutation, what it is given, and how it is refused: by the manager of the organization itself.
STAFF_CASES: Mapping[str, tuple[str, Change, str]] = {
    "unknown zone": ("venueCreate", lambda w: {"timeZone": "Mars/Olympus"}, "INVALID_INPUT"),
    "zone that is a path": ("venueCreate", lambda w: {"timeZone": "../../etc/passwd"}, "INVALID_INPUT"),
    "slug in capitals": ("venueCreate", lambda w: {"slug": "New Venue"}, "INVALID_INPUT"),
    "slug that is taken": ("venueCreate", lambda w: {"slug": "casa-do-mirante"}, "INVALID_INPUT"),
    "blank name": ("venueCreate", lambda w: {"name": " "}, "INVALID_INPUT"),
    "name with a NUL": ("venueCreate", lambda w: {"name": "a\0b"}, "INVALID_INPUT"),
    "long description": ("venueCreate", lambda w: {"description": "d" * 5_001}, "INVALID_INPUT"),
    "no currency": ("venueCreate", lambda w: {"currency": "euro"}, "INVALID_INPUT"),
    "foreign organization": (
        "venueCreate",
        lambda w: {"organizationId": encode(GlobalKind.ORGANIZATION, mirante.EXAMPLE.id, mirante.EXAMPLE.id)},
        "NOT_FOUND",
    ),
    "negative capacity": ("resourceCreate", lambda w: {"capacity": -1}, "INVALID_INPUT"),
    "huge capacity": ("resourceCreate", lambda w: {"capacity": INT_MAX}, "INVALID_INPUT"),
    "eighth day": (
        "resourceCreate",
        lambda w: {"openingHours": [{"weekday": 8, "opens": "08:00", "closes": "20:00"}]},
        "INVALID_INPUT",
    ),
    "grid that does not fit a day": ("resourceCreate", lambda w: {"startGridMinutes": 7}, "INVALID_INPUT"),
    "sessions of none": ("resourceCreate", lambda w: {"availabilityType": "START_TIME"}, "INVALID_INPUT"),
    "nights without check-in": ("resourceCreate", lambda w: {"availabilityType": "NIGHTLY"}, "INVALID_INPUT"),
    "unknown requirement": (
        "resourceCreate",
        lambda w: {"requirements": [{"resourceId": "x", "perUnit": 1}]},
        "NOT_FOUND",
    ),
    "foreign requirement": (
        "resourceCreate",
        lambda w: {"requirements": [{"resourceId": w.room, "perUnit": 1}]},
        "NOT_FOUND",
    ),
    "requirement of nothing": (
        "resourceCreate",
        lambda w: {"requirements": [{"resourceId": w.desks}]},
        "INVALID_INPUT",
    ),
    "hold without end": ("resourceCreate", lambda w: {"holdMinutes": INT_MAX}, "INVALID_INPUT"),
    "requires itself": (
        "resourceUpdate",
        lambda w: {"requirements": [{"resourceId": w.desks, "perUnit": 1}]},
        "INVALID_INPUT",
    ),
    "negative capacity later": ("capacitySet", lambda w: {"capacity": -1}, "INVALID_INPUT"),
    "huge capacity later": ("capacitySet", lambda w: {"capacity": INT_MAX}, "INVALID_INPUT"),
    "inverted window": (
        "capacitySet",
        lambda w: {"window": {"startsAt": "2030-01-02T00:00:00Z", "endsAt": "2030-01-01T00:00:00Z"}},
        "INVALID_INPUT",
    ),
    "window of the past": (
        "resourceClose",
        lambda w: {"window": {"startsAt": "2001-01-01T00:00:00Z"}},
        "INVALID_INPUT",
    ),
    "window of another century": (
        "resourceOpen",
        lambda w: {"window": {"startsAt": "2150-01-01T00:00:00Z"}},
        "INVALID_INPUT",
    ),
    "long reason": ("resourceClose", lambda w: {"reason": "r" * 501}, "INVALID_INPUT"),
    "venue's id as a resource's": ("resourceClose", lambda w: {"resourceId": w.venue}, "NOT_FOUND"),
    "rule of no kind": ("bookingRuleSet", lambda w: {"type": "MOON_PHASE"}, "INVALID_INPUT"),
    "rule of nothing": ("bookingRuleSet", lambda w: {"parameters": None}, "INVALID_INPUT"),
    "rule with a NUL": ("bookingRuleSet", lambda w: {"parameters": {"minutes": "a\0b"}}, "INVALID_INPUT"),
    "rule of great depth": ("bookingRuleSet", lambda w: {"parameters": {"minutes": deep(200)}}, "INVALID_INPUT"),
    "rule above all": ("bookingRuleSet", lambda w: {"priority": INT_MAX}, "INVALID_INPUT"),
    "rule of no day": (
        "bookingRuleSet",
        lambda w: {"validFrom": "2030-01-01", "validUntil": "2030-01-01"},
        "INVALID_INPUT",
    ),
    "rule of two": ("bookingRuleSet", lambda w: {"venueId": w.venue}, "INVALID_INPUT"),
    "foreign rule": ("bookingRuleSet", lambda w: {"resourceId": w.room}, "NOT_FOUND"),
    "sample of something else": (
        "bookingRuleSet",
        lambda w: {"dryRun": True, "sample": {"resourceId": w.room, "stay": nights(w.day, 1)}},
        "NOT_FOUND",
    ),
    "no rule": ("bookingRuleRemove", lambda w: {"ruleId": w.venue}, "NOT_FOUND"),
    "version that never was": ("resourceClose", lambda w: {"expectedVersion": 0}, "VERSION_CONFLICT"),
}


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("case", STAFF_CASES)
async def test_what_a_manager_can_not_do_is_refused_in_the_payload(platform: Platform, world: World, case: str) -> None:
    mutation, change, code = STAFF_CASES[case]
    usual = {
        "venueCreate": VENUE_FIELDS,
        "resourceCreate": {**RESOURCE_FIELDS, "venueId": world.venue},
        "capacitySet": {"resourceId": world.desks, "capacity": 40},
        "bookingRuleSet": {"resourceId": world.desks, "type": "START_GRID", "parameters": {"minutes": 30}},
        "bookingRuleRemove": {},
    }.get(mutation, {"resourceId": world.desks})
    input = {"idempotencyKey": secrets.token_hex(16), **usual, **change(world)}
    query = STAFF % (mutation[0].upper() + mutation[1:], mutation, ERRORS)
    token = platform.token(Role.MANAGER, atlas.EXAMPLE.id)
    assert_payload(await post(platform, {"query": query, "variables": {"input": input}}, token=token), code)
