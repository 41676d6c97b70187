"""What the clients ask for: the same holds, in each implementation's own words, and what became of them."""

import json
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from models.interval import Interval
from models.ledger.requests import ChangeBooking, Hold
from models.resource import Resource
from schema.global_id import GlobalKind, encode
from tests.support.factories import hold_of

FIRST_DAY: Final = 2
DAYS: Final = 300
QUARTER: Final = timedelta(minutes=15)
QUARTERS_OF_A_DAY: Final = 57  # starts from 06:00 to 20:00
LENGTH: Final = timedelta(hours=2)

HOLD: Final = """
mutation Hold($input: BookingHoldInput!) {
  bookingHold(input: $input) {
    booking { id reference status version holdExpiresAt }
    token
    errors { code message path retryable ... on SoldOut { vacancies } }
  }
}
"""

HELD: Final = "held"
SOLD_OUT: Final = "sold out"


def some_interval(days: int = DAYS) -> Interval:
    """Two hours that begin on a quarter of an hour of some day to come."""
    day = datetime.combine(datetime.now(UTC).date(), time(6), UTC) + timedelta(days=random.randrange(FIRST_DAY, days))
    starts_at = day + random.randrange(QUARTERS_OF_A_DAY) * QUARTER
    return Interval(starts_at, starts_at + LENGTH)


def global_id(resource: Resource) -> str:
    """The id by which clients know the resource."""
    return str(encode(GlobalKind.RESOURCE, resource.organization_id, resource.id))


def graphql(query: str, variables: dict[str, object]) -> bytes:
    """The body of a GraphQL request."""
    return json.dumps({"query": query, "variables": variables}).encode()


def graphql_hold(resources: Sequence[Resource], interval: Interval | None = None) -> bytes:
    """bookingHold of one of these, at some time if none is given."""
    at = interval or some_interval()
    item = {
        "resourceId": global_id(random.choice(resources)),
        "quantity": 1,
        "window": {"startsAt": at.starts_at.isoformat(), "endsAt": at.ends_at.isoformat()},
    }
    return graphql(HOLD, {"input": {"idempotencyKey": str(uuid.uuid4()), "items": [item], "contact": {"name": "Ada"}}})


def rest_hold(resources: Sequence[Resource], interval: Interval | None = None) -> bytes:
    """The same for the baselines."""
    at = interval or some_interval()
    asked = {
        "resourceId": str(random.choice(resources).id),
        "quantity": 1,
        "startsAt": at.starts_at.isoformat(),
        "endsAt": at.ends_at.isoformat(),
        "contact": {"name": "Ada"},
    }
    return json.dumps(asked).encode()


def ledger_hold(resource: Resource, interval: Interval | None = None) -> Hold:
    """The same for the ledger."""
    at = interval or some_interval()
    return hold_of(resource, at.starts_at.isoformat(), at.ends_at.isoformat())


def ledger_json(*holds: Hold) -> str:
    """The same for the ledger's SQL function, which takes a list."""
    return json.dumps([_as_ledger_request(hold) for hold in holds])


def _as_ledger_request(hold: Hold) -> dict[str, object]:
    item = hold.items[0]
    return {
        "actor": hold.command.actor,
        "key": hold.command.key,
        "request_hash": hold.command.request_hash.hex(),
        "booking_id": str(hold.booking_id),
        "reference": hold.reference,
        "contact_name": hold.contact.name,
        "items": [
            {
                "position": 0,
                "resource_id": str(item.resource_id),
                "starts_at": item.interval.starts_at.isoformat(),
                "ends_at": item.interval.ends_at.isoformat(),
                "quantity": item.quantity,
                "activity": None,
            }
        ],
        "expected": [],
    }


def ledger_change_json(change: ChangeBooking) -> str:
    """A change of a booking, for the ledger's SQL function."""
    asked = {
        "actor": change.command.actor,
        "key": change.command.key,
        "request_hash": change.command.request_hash.hex(),
        "booking_id": str(change.booking_id),
        "action": change.action,
        "until_start": change.until_start,
    }
    return json.dumps(asked)


def graphql_outcome(status: int, body: bytes) -> str:
    """What became of a bookingHold."""
    if status == 200 and b"ON_HOLD" in body:
        return HELD
    return SOLD_OUT if status == 200 and b"SOLD_OUT" in body else f"{status} {body[:200]!r}"


def rest_outcome(status: int, body: bytes) -> str:
    """The same for the baselines."""
    return {201: HELD, 409: SOLD_OUT}.get(status, f"{status} {body[:200]!r}")


def graphql_data(status: int, body: bytes) -> str:
    """Of a query: whether there were data and no errors."""
    return "data" if status == 200 and b'"errors"' not in body else f"{status} {body[:200]!r}"
