"""A series over a change of the clocks, from end to end over HTTP."""

import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.viewer import Role
from models.database import Database
from schema.global_id import GlobalKind, encode
from tests.e2e.clients import Client, Json, Refused, client_of
from tests.e2e.platforms import Platform
from tests.support.factories import make_resource, make_venue

# One process runs all that share a platform, where pytest-xdist is told to keep groups together.
pytestmark = pytest.mark.xdist_group("platform")

LISBON = ZoneInfo("Europe/Lisbon")
EVERY_DAY = {"weekly": [{"weekday": day, "opens": "08:00", "closes": "20:00"} for day in range(1, 8)]}

DATE = "date startsAt endsAt localStart localEnd bookable refusals { code message }"
SERIES = f"""
series {{ id token bookings {{ id series }} occurrences {{ {DATE} token booking {{ id reference status series }} }} }}
errors {{ __typename code message path ... on SeriesConflict {{ occurrences {{ {DATE} }} }} }}
"""
HOLD = f"mutation($input: SeriesHoldInput!) {{ done: seriesHold(input: $input) {{ {SERIES} }} }}"
PREVIEW = f"query($input: SeriesPreviewInput!) {{ seriesPreview(input: $input) {{ occurrences {{ {DATE} }} }} }}"
ACTION = """mutation($input: SeriesActionInput!) { done: %s(input: $input) {
    changes { done refusal { code } booking { id status } } errors { code } } }"""
IN_SERIES = "query($id: ID!) { bookings(filter: {seriesId: $id}) { edges { node { id status } } } }"


async def held(client: Client, asked: Json, key: str, **more: Any) -> Json:
    """The payload of seriesHold."""
    payload: Json = (await client.ask(HOLD, input={**asked, "idempotencyKey": key, **more}))["done"]
    return payload


async def acted(client: Client, mutation: str, key: str, **given: Any) -> Json:
    """The payload of seriesConfirm or seriesRelease."""
    payload: Json = (await client.ask(ACTION % mutation, input={**given, "idempotencyKey": key}))["done"]
    return payload


async def test_a_weekly_series_over_a_change_of_the_clocks(
    platform: Platform, guest: Client, platform_database: Database
) -> None:
    venue = await make_venue(platform_database, time_zone="Europe/Lisbon", country="PT", currency="EUR")
    pool = await make_resource(platform_database, venue=venue, capacity=8, rules={"OPENING_HOURS": EVERY_DAY})
    change = _next_change(datetime.now(UTC).date() + timedelta(days=14))
    days = [change + timedelta(days=3 + 7 * weeks) for weeks in (-2, -1, 0, 1)]
    asked = {
        "resourceId": encode(GlobalKind.RESOURCE, pool.organization_id, pool.id),
        "recurrence": f"FREQ=WEEKLY;UNTIL={days[-1]:%Y%m%d}",
        "window": {"startsAt": _instant(days[0], 18), "endsAt": _instant(days[0], 19)},
        "quantity": 6,
    }
    seen = (await guest.ask(PREVIEW, input=asked))["seriesPreview"]["occurrences"]
    assert [one["date"] for one in seen] == [str(day) for day in days]
    assert {one["localStart"][11:16] for one in seen} == {"18:00"}
    assert len({one["startsAt"][11:16] for one in seen}) == 2, "the clocks change in between, by UTC the hour moves"
    assert all(one["bookable"] for one in seen)

    async with client_of(platform, token=platform.token(Role.STAFF, pool.organization_id)) as staff:
        closed = {"startsAt": _instant(days[2], 0), "endsAt": _instant(days[2], 23)}
        await staff.did(
            "resourceClose", selects="resource { id }", resourceId=asked["resourceId"], window=closed, reason="Repairs"
        )
        key = secrets.token_hex(16)
        refused = await held(guest, asked, key)
        assert refused["series"] is None
        [error] = refused["errors"]
        assert (error["__typename"], error["code"]) == ("SeriesConflict", "CLOSED")
        assert [_codes(one) for one in error["occurrences"]] == [[], [], ["CLOSED"], []]
        assert await _vacancies(guest, asked, days) == [8, 8, 8], "nothing is left behind"

        contact = {"name": "Ada", "email": "ada@example.com"}
        done = await held(guest, asked, key, mode="SKIP_CONFLICTS", contact=contact)
        assert done["errors"] == []
        series = done["series"]
        assert [_codes(one) for one in series["occurrences"]] == [[], [], ["CLOSED"], []]
        booked = [one for one in series["occurrences"] if one["booking"]]
        assert [one["date"] for one in booked] == [str(days[0]), str(days[1]), str(days[3])]
        assert {one["localStart"][11:16] for one in booked} == {"18:00"}
        assert [one["id"] for one in series["bookings"]] == [one["booking"]["id"] for one in booked]
        assert {one["booking"]["series"] for one in booked} == {series["id"]}
        assert await _vacancies(guest, asked, days) == [2, 2, 2]

        again = await held(guest, asked, key, mode="SKIP_CONFLICTS", contact=contact)
        assert again == done
        [error] = (await held(guest, {**asked, "quantity": 5}, key, mode="SKIP_CONFLICTS", contact=contact))["errors"]
        assert error["code"] == "IDEMPOTENCY_CONFLICT"

        assert await guest.ask("query($id: ID!) { node(id: $id) { id } }", id=series["id"]) == {"node": None}
        shown = {"bookingId": booked[0]["booking"]["id"], "token": booked[0]["token"]}
        assert (await guest.did("bookingConfirm", **shown))["booking"]["status"] == "CONFIRMED"
        other = {"bookingId": booked[1]["booking"]["id"], "token": booked[0]["token"]}
        [error] = (await guest.do("bookingRelease", **other))["errors"]
        assert error["code"] == "NOT_FOUND", "a token opens its own booking, and not the series"
        await guest.did("bookingRelease", **{**other, "token": booked[1]["token"]})
        found = (await staff.ask(IN_SERIES, id=series["id"]))["bookings"]["edges"]
        assert [edge["node"]["status"] for edge in found] == ["ON_HOLD", "CANCELLED", "CONFIRMED"]

        # All that is left is confirmed at once; what was done before is told, and stays.
        shown = {"seriesId": series["id"], "token": series["token"]}
        key = secrets.token_hex(16)
        confirmed = await acted(guest, "seriesConfirm", key, **shown)
        assert confirmed["errors"] == []
        assert [(one["done"], one["booking"]["status"]) for one in confirmed["changes"]] == [
            (False, "CONFIRMED"), (False, "CANCELLED"), (True, "CONFIRMED"),
        ]  # fmt: skip
        assert [one["refusal"] and one["refusal"]["code"] for one in confirmed["changes"]] == [
            "INVALID_STATE", "INVALID_STATE", None,
        ]  # fmt: skip
        assert await acted(guest, "seriesConfirm", key, **shown) == confirmed, "a repetition is told the same"
        nothing_left = await acted(staff, "seriesConfirm", secrets.token_hex(16), seriesId=series["id"])
        assert (nothing_left["changes"], [error["code"] for error in nothing_left["errors"]]) == (
            None, ["INVALID_STATE"],
        )  # fmt: skip

        # Who holds another series, and thinks better of it, gives all of it back.
        other = (await held(guest, {**asked, "quantity": 2}, secrets.token_hex(16), mode="SKIP_CONFLICTS"))["series"]
        assert await _vacancies(guest, asked, days) == [0, 6, 0]
        shown = {"seriesId": other["id"], "token": other["token"]}
        released = await acted(guest, "seriesRelease", secrets.token_hex(16), **shown)
        assert [(one["done"], one["booking"]["status"]) for one in released["changes"]] == [(True, "CANCELLED")] * 3
        assert await _vacancies(guest, asked, days) == [2, 8, 2]


async def test_a_series_that_makes_no_sense(guest: Client, platform_database: Database) -> None:
    hall = await make_resource(platform_database, rules={"OPENING_HOURS": EVERY_DAY})
    today = datetime.now(UTC).date()
    first = today + timedelta(days=30)
    asked: Json = {
        "resourceId": encode(GlobalKind.RESOURCE, hall.organization_id, hall.id),
        "window": {"startsAt": _instant(first, 18), "endsAt": _instant(first, 19)},
    }
    bad: list[tuple[Json, list[str]]] = [
        ({"recurrence": "FREQ=SECONDLY;COUNT=3"}, ["input", "recurrence"]),
        ({"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3"}, ["input", "recurrence"]),
        ({"recurrence": "FREQ=DAILY;COUNT=101"}, ["input", "recurrence"]),
        ({"recurrence": "FREQ=DAILY;COUNT=3", "except": [str(first - timedelta(days=1))]}, ["input", "except"]),
        ({"recurrence": "FREQ=DAILY;COUNT=3", "quantity": 0}, ["input", "quantity"]),
    ]
    for more, path in bad:
        [error] = (await held(guest, {**asked, **more}, secrets.token_hex(16)))["errors"]
        assert (error["code"], error["path"]) == ("INVALID_INPUT", path)
        with pytest.raises(Refused) as refusal:
            await guest.ask(PREVIEW, input={**asked, **more})
        assert (refusal.value.codes, refusal.value.errors[0]["extensions"]["path"]) == (["INVALID_INPUT"], path)
    for more in ({"resourceId": "nothing"}, {"resourceId": asked["resourceId"][::-1]}):
        [error] = (await held(guest, {**asked, "recurrence": "FREQ=DAILY;COUNT=3", **more}, secrets.token_hex(16)))[
            "errors"
        ]
        assert error["code"] == "NOT_FOUND"


def _next_change(after: date) -> date:
    """The first Sunday after this day on which the clocks of Lisbon change."""
    day = after + timedelta(days=1)
    while _offset(day) == _offset(day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def _offset(day: date) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=LISBON).utcoffset()


def _instant(day: date, hour: int) -> str:
    return datetime(day.year, day.month, day.day, hour, tzinfo=LISBON).isoformat()


def _codes(one: Json) -> list[str]:
    return [refusal["code"] for refusal in one["refusals"]]


async def _vacancies(client: Client, asked: Json, days: list[date]) -> list[int]:
    """What is left on the days that are open."""
    query = "query($input: AvailabilityInput!) { availability(input: $input) { vacancies } }"
    left = []
    for day in (days[0], days[1], days[3]):
        window = {"startsAt": _instant(day, 18), "endsAt": _instant(day, 19)}
        [found] = (await client.ask(query, input={"resourceIds": [asked["resourceId"]], "window": window}))[
            "availability"
        ]
        left.append(found["vacancies"])
    return left
