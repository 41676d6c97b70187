"""What bad input is about, and what must be true of every answer to it."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx

from models.database import connect as connect_database
from models.resource import AvailabilityType
from schema.global_id import GlobalKind, encode
from server.examples import atlas, mirante
from tests.e2e.clients import Json, client_of
from tests.e2e.platforms import POOL_SIZE, Platform
from tests.support.factories import make_resource, make_venue

INSIDE = re.compile(
    re.escape(str(Path(__file__).parents[2]))
    + r"|Traceback|File \"|\.py\b|site-packages|\bSELECT\b|\bINSERT\b|\bUPDATE\b"
    r"|asyncpg|sqlalchemy|psycopg|constraint|postgres|ledger_|Internal error|INTERNAL"
)


@dataclass(frozen=True, slots=True)
class World:
    """What the requests are about."""

    desks: str
    room: str
    venue: str
    organization: str
    unpublished: str
    skipped: str
    skipped_day: date
    booking: str
    token: str
    other_token: str
    today: date
    day: date


async def make_world(platform: Platform) -> World:
    today = datetime.now(UTC).date()
    # A Wednesday beyond the example data: the hall is open, and empty.
    day = today + timedelta(days=50)
    day += timedelta(days=(3 - day.isoweekday()) % 7)
    database = await connect_database(platform.app_url, pool_size=POOL_SIZE)
    try:
        hidden = await make_resource(database, venue=await make_venue(database, is_published=False))
        house = await make_venue(
            database, time_zone="Europe/Lisbon", check_in_time=time(1, 30), check_out_time=time(1, 30)
        )
        skipped = await make_resource(database, venue=house, availability_type=AvailabilityType.NIGHTLY)
    finally:
        await database.close()
    desks = encode(GlobalKind.RESOURCE, atlas.EXAMPLE.id, atlas.EXAMPLE.resource_id("desk-hall"))
    window = {"startsAt": f"{day}T15:00:00+01:00", "endsAt": f"{day}T16:00:00+01:00"}
    async with client_of(platform) as guest:
        held, other = [await guest.did("bookingHold", items=[{"resourceId": desks, "window": window}]) for _ in "12"]
    return World(
        desks=desks,
        room=encode(GlobalKind.RESOURCE, mirante.EXAMPLE.id, mirante.EXAMPLE.resource_id("double-room")),
        venue=encode(GlobalKind.VENUE, atlas.EXAMPLE.id, atlas.EXAMPLE.venue_id),
        organization=encode(GlobalKind.ORGANIZATION, atlas.EXAMPLE.id, atlas.EXAMPLE.id),
        unpublished=encode(GlobalKind.RESOURCE, hidden.organization_id, hidden.id),
        skipped=encode(GlobalKind.RESOURCE, skipped.organization_id, skipped.id),
        skipped_day=_spring_forward(today),
        booking=held["booking"]["id"],
        token=held["token"],
        other_token=other["token"],
        today=today,
        day=day,
    )


def desk(world: World, **changes: Any) -> Json:
    return {"resourceId": world.desks, "window": clock(world, "10:00", "11:00"), "quantity": 1, **changes}


def clock(world: World, starts: str, ends: str) -> Json:
    """Times of the world's day in Algiers, which keeps one offset all year."""
    return {"startsAt": f"{world.day}T{starts}:00+01:00", "endsAt": f"{world.day}T{ends}:00+01:00"}


def nights(arrival: date, nights: int) -> Json:
    return {"arrival": str(arrival), "departure": str(arrival + timedelta(days=nights))}


def assert_payload(answer: httpx.Response, code: str) -> None:
    """Typed errors in the payload, and nothing else in it."""
    assert answer.status_code == 200, answer.text
    assert not INSIDE.search(answer.text), answer.text
    body = answer.json()
    assert "errors" not in body, answer.text
    payload = body["data"]["done"]
    assert {value for name, value in payload.items() if name != "errors"} <= {None}
    assert {error["code"] for error in payload["errors"]} == {code}, answer.text
    assert all(error["message"] and error["path"] is not None for error in payload["errors"])


def assert_request_error(answer: httpx.Response, code: str, *, statuses: tuple[int, ...]) -> None:
    """Errors of the request, each with a code; at most nulls as data."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert not INSIDE.search(answer.text), answer.text
    body = answer.json()
    assert body["errors"], answer.text
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}, answer.text
    assert len(answer.text) < 20_000, "what was sent is not sent back"
    data = body.get("data")
    assert data is None or not any(data.values()) or data == {"node": {}}, answer.text


async def post(platform: Platform, body: Json, token: str | None = None) -> httpx.Response:
    async with client_of(platform) as client:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return await client.http.post("/graphql", content=json.dumps(body), headers=headers)


def _spring_forward(today: date) -> date:
    """The next last Sunday of March: at 01:00 the clocks of Lisbon show 02:00."""
    years = (today.year, today.year + 1)
    sundays = [date(year, 3, 31) - timedelta(days=date(year, 3, 31).isoweekday() % 7) for year in years]
    return next(day for day in sundays if day > today + timedelta(days=3))
