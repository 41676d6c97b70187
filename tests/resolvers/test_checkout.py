"""Guests who hold, pay and are booked, by GraphQL alone."""

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.queries.work import expire_over
from models.resource import Resource
from server.graphql import Schema
from tests.isolation.tenants import tables_of
from tests.payments.conftest import simulator, simulator_url
from tests.resolvers.conftest import Asker, id_of
from tests.resolvers.test_prices import weekend
from tests.support.audits import audited
from tests.support.checkouts import AUTHENTICATED, BACK, DECLINED, VISA, Till, till_of
from tests.support.payments import PUBLISHABLE_KEY, Simulator
from tests.support.prices import FRIDAY, make_guesthouse, make_room
from tests.support.staff import fresh_key, viewer_of

__all__ = ["audited", "simulator", "simulator_url"]

WEEKEND = 200_00
MONEY = "{ amount currency }"
PAYMENT = f"""payment {{ status amount {MONEY} captured {MONEY} refunded {MONEY} outstanding {MONEY}
    events {{ kind outcome }} }}"""
ERRORS = """errors { __typename code path retryable ... on PaymentDeclined { reason retryUntil }
    ... on SoldOut { vacancies resource { id } alternatives { startsAt bookable } } }"""
BOOKING = f"booking {{ id status version holdSecondsLeft {PAYMENT} }}"
CHECKOUT = f"{BOOKING} payment {{ status }} clientSecret publishableKey nextActionUrl {ERRORS}"

Json = dict[str, Any]


class Guest:
    """Somebody without an account, at an installation that collects money."""

    def __init__(self, ask: Asker, till: Till) -> None:
        self.ask, self.till = ask, till

    async def hold(self, room: Resource) -> Json:
        """A weekend: the booking and its token, as later mutations want them."""
        done = await self("bookingHold", "booking { id } token errors { code }", items=[weekend(room)])
        assert done["errors"] == []
        return {"bookingId": done["booking"]["id"], "token": done["token"]}

    async def checkout(self, held: Json, method: str | None = None, **more: Any) -> Json:
        """bookingCheckout."""
        return await self("bookingCheckout", CHECKOUT, paymentMethod=method, returnUrl=BACK, **held, **more)

    async def complete(self, held: Json) -> Json:
        """bookingCheckoutComplete."""
        return await self("bookingCheckoutComplete", f"{BOOKING} {ERRORS}", **held)

    async def __call__(self, field: str, payload: str, /, *, viewer: Viewer = GUEST, **input: Any) -> Json:
        """The payload of a mutation."""
        kind = "BookingActionInput" if field in ("bookingCheckoutComplete", "bookingConfirm") else None
        type_ = kind or f"{field[0].upper()}{field[1:]}Input"
        operation = f"mutation ($input: {type_}!) {{ done: {field}(input: $input) {{ {payload} }} }}"
        given = {"input": {"idempotencyKey": fresh_key()} | input}
        return dict((await self.ask(operation, given, viewer=viewer))["done"])


@pytest.fixture
async def guest(schema: Schema, database: Database, simulator: Simulator) -> AsyncIterator[Guest]:
    async with till_of(database, simulator) as till:
        yield Guest(Asker(schema, database, till.online), till)


@pytest.fixture
async def room(database: Database) -> Resource:
    return await make_room(database, await make_guesthouse(database), capacity=1)


async def test_hold_checkout_test_card_confirmed(guest: Guest, room: Resource) -> None:
    held = await guest.hold(room)
    done = await guest.checkout(held, VISA)
    assert done["errors"] == []
    assert (done["booking"]["status"], done["payment"]["status"]) == ("CONFIRMED", "CAPTURED")
    assert (done["clientSecret"], done["nextActionUrl"]) == (None, None)
    payment = done["booking"]["payment"]
    assert payment["amount"] == payment["captured"] == {"amount": WEEKEND, "currency": "EUR"}
    assert payment["refunded"]["amount"] == payment["outstanding"]["amount"] == 0
    assert [(event["kind"], event["outcome"]) for event in payment["events"]] == [
        ("AUTHORIZE", "REQUESTED"),
        ("AUTHORIZE", "SUCCEEDED"),
        ("CAPTURE", "REQUESTED"),
        ("CAPTURE", "SUCCEEDED"),
    ]


async def test_before_anything_is_paid_it_says_so(guest: Guest, room: Resource) -> None:
    held = await guest.hold(room)
    read = f"query ($id: ID!, $token: String) {{ booking(id: $id, token: $token) {{ {PAYMENT} }} }}"
    found = await guest.ask(read, {"id": held["bookingId"], "token": held["token"]})
    assert found["booking"]["payment"]["status"] == "NONE"
    assert found["booking"]["payment"]["outstanding"]["amount"] == WEEKEND
    confirmed = await guest("bookingConfirm", f"{BOOKING} {ERRORS}", **held)
    assert [error["code"] for error in confirmed["errors"]] == ["PAYMENT_REQUIRED"]


async def test_a_browser_pays_with_what_it_is_given(guest: Guest, room: Resource) -> None:
    held = await guest.hold(room)
    begun = await guest.checkout(held)
    assert begun["errors"] == []
    assert begun["publishableKey"] == PUBLISHABLE_KEY
    assert (begun["booking"]["status"], begun["payment"]["status"]) == ("ON_HOLD", "REQUIRES_PAYMENT")
    assert 590 <= begun["booking"]["holdSecondsLeft"] <= 600
    waiting = await guest.complete(held)
    assert [error["code"] for error in waiting["errors"]] == ["PAYMENT_REQUIRED"]
    intent = begun["clientSecret"].partition("_secret_")[0]
    told = await guest.till.simulator.raw(
        "POST",
        f"/v1/payment_intents/{intent}/confirm",
        data={"client_secret": begun["clientSecret"], "payment_method": VISA, "return_url": BACK},
        headers={"Authorization": f"Bearer {PUBLISHABLE_KEY}"},
    )
    assert told.is_success, told.text
    done = await guest.complete(held)
    assert (done["errors"], done["booking"]["status"]) == ([], "CONFIRMED")


async def test_a_declined_card_is_told_with_the_time_that_is_left(guest: Guest, room: Resource) -> None:
    held = await guest.hold(room)
    done = await guest.checkout(held, DECLINED)
    (error,) = done["errors"]
    assert (error["__typename"], error["code"], error["reason"]) == (
        "PaymentDeclined",
        "PAYMENT_DECLINED",
        "insufficient_funds",
    )
    assert error["retryUntil"] is not None
    assert (done["booking"]["status"], done["payment"]["status"]) == ("ON_HOLD", "FAILED")
    assert done["clientSecret"]
    assert (await guest.complete(held))["errors"][0]["code"] == "PAYMENT_DECLINED"
    assert (await guest.checkout(held, VISA))["booking"]["status"] == "CONFIRMED"


async def test_the_bank_wants_to_see_the_guest(guest: Guest, room: Resource) -> None:
    held = await guest.hold(room)
    done = await guest.checkout(held, AUTHENTICATED)
    assert done["payment"]["status"] == "REQUIRES_ACTION"
    assert [error["code"] for error in done["errors"]] == ["PAYMENT_REQUIRED"]
    back = await guest.till.simulator.raw("POST", done["nextActionUrl"], data={"outcome": "succeed"})
    assert back.headers["location"].startswith(BACK)
    done = await guest.complete(held)
    assert (done["errors"], done["booking"]["status"]) == ([], "CONFIRMED")


async def test_what_costs_nothing_now_is_not_paid(guest: Guest, database: Database) -> None:
    free = await make_room(database, await make_guesthouse(database), priced=False)
    held = await guest.hold(free)
    refused = await guest.checkout(held, VISA)
    assert [error["code"] for error in refused["errors"]] == ["NOTHING_DUE"]
    assert refused["booking"] is None
    confirmed = await guest("bookingConfirm", f"{BOOKING} {ERRORS}", **held)
    assert (confirmed["booking"]["status"], confirmed["booking"]["payment"]) == ("CONFIRMED", None)


async def test_late_money_for_a_place_that_is_gone_is_told_with_alternatives(
    guest: Guest, room: Resource, owner: asyncpg.Connection, database: Database
) -> None:
    held = await guest.hold(room)
    begun = await guest.checkout(held)
    intent = begun["clientSecret"].partition("_secret_")[0]
    await guest.till.client.v1.payment_intents.confirm_async(intent, {"payment_method": VISA, "return_url": BACK})
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE booking SET hold_expires_at = clock_timestamp() - interval '1 second'")
    await expire_over(database, room.organization_id, limit=10, patient=True)
    await guest.hold(room)
    done = await guest.complete(held)
    (error,) = done["errors"]
    assert (error["code"], error["vacancies"], error["resource"]["id"]) == ("SOLD_OUT", 0, id_of(room))
    assert [slot["bookable"] for slot in error["alternatives"]] == [True, True, True]
    assert done["booking"]["status"] == "EXPIRED"
    assert done["booking"]["payment"]["status"] == "VOIDED"
    assert done["booking"]["payment"]["captured"]["amount"] == 0


async def test_each_booking_of_a_series_is_paid_by_itself(guest: Guest, room: Resource) -> None:
    stay = {"arrival": FRIDAY.isoformat(), "departure": (FRIDAY + timedelta(days=1)).isoformat()}
    series = await guest(
        "seriesHold",
        "series { id token occurrences { token booking { id } } } errors { code }",
        resourceId=id_of(room),
        stay=stay,
        recurrence="FREQ=WEEKLY;COUNT=2",
    )
    assert series["errors"] == [], series
    dates = series["series"]["occurrences"]
    confirm = "changes { booking { status } } errors { code }"
    operation = f"mutation ($input: SeriesActionInput!) {{ done: seriesConfirm(input: $input) {{ {confirm} }} }}"
    given = {"idempotencyKey": fresh_key(), "seriesId": series["series"]["id"], "token": series["series"]["token"]}
    refused = (await guest.ask(operation, {"input": given}))["done"]
    assert [error["code"] for error in refused["errors"]] == ["PAYMENT_REQUIRED"]
    for date in dates:
        done = await guest.checkout({"bookingId": date["booking"]["id"], "token": date["token"]}, VISA)
        assert done["booking"]["status"] == "CONFIRMED"
    assert (await guest.till.totals())["captured"] == WEEKEND


async def test_only_who_holds_it_may_pay_it(guest: Guest, room: Resource) -> None:
    held, other = await guest.hold(room), viewer_of(Role.CUSTOMER, room.organization_id)
    without = {"bookingId": held["bookingId"]}
    for viewer, given, code in ((GUEST, without, "UNAUTHENTICATED"), (other, without, "NOT_FOUND")):
        for field, payload in (("bookingCheckout", CHECKOUT), ("bookingCheckoutComplete", f"{BOOKING} {ERRORS}")):
            refused = await guest(field, payload, viewer=viewer, **given)
            assert [error["code"] for error in refused["errors"]] == [code]


async def test_where_nothing_is_collected_it_says_so(guest: Guest, room: Resource, ask: Asker) -> None:
    held = await guest.hold(room)
    other = Guest(ask, guest.till)
    for done in (await other.checkout(held), await other.complete(held)):
        (error,) = done["errors"]
        assert (error["code"], error["retryable"]) == ("PAYMENT_UNAVAILABLE", False)
    assert (await other("bookingConfirm", f"{BOOKING} {ERRORS}", **held))["booking"]["status"] == "CONFIRMED"


async def test_while_the_provider_is_away_the_call_may_be_repeated(guest: Guest, room: Resource) -> None:
    held, key = await guest.hold(room), fresh_key()
    await guest.till.simulator.fault("error_before", "POST /v1/payment_intents")
    refused = await guest.checkout(held, VISA, idempotencyKey=key)
    (error,) = refused["errors"]
    assert (error["code"], error["retryable"]) == ("PAYMENT_UNAVAILABLE", True)
    done = await guest.checkout(held, VISA, idempotencyKey=key)
    assert done["booking"]["status"] == "CONFIRMED"


async def test_the_secret_is_told_and_kept_nowhere(
    guest: Guest, room: Resource, owner: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    held = await guest.hold(room)
    secret = (await guest.checkout(held))["clientSecret"]
    await guest.checkout(held, DECLINED)
    await guest.checkout(held, VISA)
    assert secret not in caplog.text
    for table in await tables_of(owner):
        rows = await owner.fetch(f"SELECT to_jsonb(t)::text FROM {table} t")
        assert secret not in json.dumps([row[0] for row in rows]), table
