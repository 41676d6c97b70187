"""A booking that the venue looks at first: confirmed by the guest, approved or rejected by staff."""

import uuid
from typing import Any

import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from tests.resolvers.conftest import Asker, staff_of
from tests.resolvers.test_booking_mutations import ALWAYS_OPEN, BOOKING, ERRORS, done, held, item, refusal
from tests.support.factories import make_organization, make_resource, make_venue

RULES = {**ALWAYS_OPEN, "APPROVAL_REQUIRED": {"withinHours": 2}}


async def decide(ask: Asker, name: str, booking_id: str, viewer: Viewer = GUEST, **more: Any) -> dict[str, Any]:
    operation = f"mutation ($input: BookingDecisionInput!) {{ {name}(input: $input) {{ token {BOOKING} {ERRORS} }} }}"
    given = {"idempotencyKey": str(uuid.uuid4()), "bookingId": booking_id, **more}
    payload: dict[str, Any] = (await ask(operation, {"input": given}, viewer=viewer))[name]
    return payload


@pytest.mark.parametrize(("name", "status"), [("bookingApprove", "CONFIRMED"), ("bookingReject", "REJECTED")])
async def test_staff_decide(ask: Asker, database: Database, name: str, status: str) -> None:
    organization = await make_organization(database)
    venue = await make_venue(database, organization=organization)
    desk = await make_resource(database, venue=venue, rules=RULES)
    staff, stranger = staff_of(organization), staff_of(await make_organization(database))
    payload = await held(ask, item(desk))
    token, id = payload["token"], payload["booking"]["id"]
    assert refusal(await decide(ask, name, id, staff)) == ("INVALID_STATE", [])

    pending = (await done(ask, "bookingConfirm", id, token=token))["booking"]
    assert pending["status"] == "PENDING"
    assert 7_100 < pending["holdSecondsLeft"] <= 7_200
    assert refusal(await held(ask, item(desk)))[0] == "SOLD_OUT", "its places are kept"
    assert refusal(await decide(ask, name, id))[0] == "UNAUTHENTICATED"
    assert refusal(await decide(ask, name, id, staff_of(organization, Role.CUSTOMER)))[0] == "FORBIDDEN"
    assert refusal(await decide(ask, name, id, stranger)) == ("NOT_FOUND", ["input", "bookingId"])
    assert refusal(await decide(ask, name, id, staff, reason="x" * 501))[0] == "INVALID_INPUT"
    assert refusal(await decide(ask, name, id, staff, expectedVersion=1))[0] == "VERSION_CONFLICT"

    key = str(uuid.uuid4())
    decided = await decide(ask, name, id, staff, reason="A wedding.", idempotencyKey=key)
    assert (decided["booking"]["status"], decided["booking"]["holdExpiresAt"]) == (status, None)
    again = await decide(ask, name, id, staff, reason="A wedding.", idempotencyKey=key)
    assert again["booking"] == decided["booking"]
    assert refusal(await decide(ask, name, id, staff))[0] == "INVALID_STATE"
    payload = await held(ask, item(desk))
    assert (payload["booking"] is None) == (status == "CONFIRMED"), "what is rejected is free at once"
