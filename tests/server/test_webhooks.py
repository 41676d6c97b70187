"""Webhooks as others send them: what is right is remembered once, and what is not changes nothing."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from engine.payment import PaymentKey
from models.base import new_id
from models.database import Database
from models.keys import BookingKey
from models.ledger.records import BookingRecord
from models.queries.work import forget
from payments.simulator.signatures import signature_header
from payments.translation import metadata_of
from server import webhooks
from server.janitor import KEPT, ROWS_PER_CALL_MAX
from server.payment_settings import WEBHOOK_PATH, PaymentSettings
from tests.server.support import client_of_app, settings_for
from tests.support.factories import booking_key_of, make_hold, make_resource
from tests.support.waiting import eventually

SECRET, OTHER, FORGED = "whsec_0123456789", "whsec_9876543210", "whsec_of_somebody_else"
ACCOUNT = PaymentSettings(webhook_secrets=(SECRET, OTHER))
PAYMENT = """
    INSERT INTO payment (organization_id, booking_id, number, purpose, amount, currency, reference, state, claims,
                         retry_seconds, ceiling_at)
    VALUES ($1, $2, 1, 'BOOKING', 1000, 'EUR', $3, 'OPEN', '[]', 300, clock_timestamp())
"""
STATE = """
    SELECT (SELECT array_agg(to_jsonb(b) ORDER BY b.id) FROM booking b),
           (SELECT array_agg(to_jsonb(p) ORDER BY p.booking_id, p.number) FROM payment p),
           (SELECT array_agg(to_jsonb(e) ORDER BY e.booking_id, e.position) FROM payment_event e),
           (SELECT count(*) FROM webhook_event)
"""


@pytest.fixture
async def client(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of_app(settings_for(database_url, None, tmp_path, payments=ACCOUNT)) as found:
        yield found


@pytest.fixture
async def booked(database: Database, owner: asyncpg.Connection) -> BookingKey:
    """A booking that somebody is about to pay, and that nobody is to look at."""
    return await with_payment(owner, await make_hold(database, await make_resource(database)), "pi_1")


async def with_payment(owner: asyncpg.Connection, record: BookingRecord, reference: str) -> BookingKey:
    key = booking_key_of(record)
    await owner.execute(PAYMENT, *key, reference)
    return key


def body_about(booking: BookingKey, **more: Any) -> bytes:
    """An event about an intent of the booking."""
    it = {
        "object": "payment_intent",
        "id": "pi_1",
        "metadata": metadata_of(PaymentKey(booking, 1)),
        **more.pop("it", {}),
    }
    event = {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": int(time.time())}
    return orjson.dumps({**event, "data": {"object": it}, **more})


def sign(body: bytes, *secrets: str, at: float = 0.0) -> dict[str, str]:
    """The headers of a webhook that was signed `at` seconds from now."""
    return {"Stripe-Signature": signature_header(body.decode(), secrets or (SECRET,), int(time.time() + at))}


async def post(client: httpx.AsyncClient, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return await client.post(WEBHOOK_PATH, content=body, headers=sign(body) if headers is None else headers)


async def is_looked_at(owner: asyncpg.Connection, booking: BookingKey) -> bool:
    found: bool = await owner.fetchval(
        "SELECT check_at <= clock_timestamp() FROM payment WHERE organization_id = $1 AND booking_id = $2", *booking
    )
    return bool(found)


@asynccontextmanager
async def unchanged(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """Nothing of bookings and money is written meanwhile."""
    before = tuple(await owner.fetchrow(STATE))
    yield
    assert tuple(await owner.fetchrow(STATE)) == before


async def test_an_event_has_its_booking_looked_at_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey
) -> None:
    body = body_about(booked)
    assert not await is_looked_at(owner, booked)
    answer = await post(client, body)
    assert (answer.status_code, answer.text) == (200, "Taken.\n")
    assert await is_looked_at(owner, booked)
    row = await owner.fetchrow("SELECT * FROM webhook_event")
    assert (row["event_id"], row["type"], row["booking_id"]) == ("evt_1", "payment_intent.succeeded", booked.id)

    await owner.execute("UPDATE payment SET check_at = NULL")
    again = await asyncio.gather(*(post(client, body) for _ in range(5)))
    assert {each.text for each in again} == {"There is nothing to do.\n"}
    assert not await is_looked_at(owner, booked)
    told = (await client.get("/metrics")).text
    assert 'vacancy_webhooks_total{outcome="new"} 1.0' in told
    assert 'vacancy_webhooks_total{outcome="repeated"} 5.0' in told


async def test_an_event_without_our_notes_is_known_by_its_payment(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey
) -> None:
    dispute = {"object": "dispute", "id": "du_1", "metadata": {}, "payment_intent": "pi_1"}
    assert (await post(client, body_about(booked, type="charge.dispute.created", it=dispute))).text == "Taken.\n"
    assert await is_looked_at(owner, booked)


async def test_either_of_two_secrets_counts(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey
) -> None:
    first, second = body_about(booked), body_about(booked, id="evt_2")
    assert (await post(client, first, sign(first, FORGED, OTHER))).status_code == 200
    assert (await post(client, second, sign(second, SECRET))).status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM webhook_event") == 2


Attack = Callable[[BookingKey], tuple[bytes, dict[str, str]]]


def altered(booking: BookingKey) -> tuple[bytes, dict[str, str]]:
    body = body_about(booking)
    return body.replace(b"evt_1", b"evt_2"), sign(body)


def late(booking: BookingKey) -> tuple[bytes, dict[str, str]]:
    """A webhook that was good once, sent again with a time of today."""
    body = body_about(booking)
    old = sign(body, at=-3_600)["Stripe-Signature"]
    return body, {"Stripe-Signature": f"t={int(time.time())},{old.partition(',')[2]}"}


def signed(body: bytes, *secrets: str, at: float = 0.0) -> tuple[bytes, dict[str, str]]:
    return body, sign(body, *secrets, at=at)


NOT_NOW = "It was signed more than 300 seconds from now."
ATTACKS: dict[str, tuple[Attack, str]] = {
    "unsigned": (lambda b: (body_about(b), {}), "There is no Stripe-Signature."),
    "signed with another secret": (lambda b: signed(body_about(b), FORGED), "The signature does not fit the body."),
    "altered": (altered, "The signature does not fit the body."),
    "replayed with a new time": (late, "The signature does not fit the body."),
    "replayed after six minutes": (lambda b: signed(body_about(b), at=-360), NOT_NOW),
    "signed for tomorrow": (lambda b: signed(body_about(b), at=86_400), NOT_NOW),
    "no JSON": (lambda b: signed(b"evt_1"), "The body is no JSON."),
    "no event": (lambda b: signed(b'{"object": "payment_intent"}'), "The body is no event."),
    "a time that can not be": (
        lambda b: signed(body_about(b, created=2**62)),
        "The event has an id, a type or a time that can not be.",
    ),
    "a number without end": (
        lambda b: signed(body_about(b).replace(b'"created":', b'"created":' + b"9" * 1_000)),
        "The body is no JSON.",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_what_is_not_to_be_believed_is_refused(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey, name: str
) -> None:
    attack, said = ATTACKS[name]
    body, headers = attack(booked)
    async with unchanged(owner):
        answer = await post(client, body, headers)
    assert (answer.status_code, answer.text) == (400, f"{said}\n")


async def test_what_is_not_ours_is_taken_and_changes_nothing(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey, database: Database
) -> None:
    elsewhere = await with_payment(owner, await make_hold(database, await make_resource(database)), "pi_2")
    foreign = [
        BookingKey(booked.organization_id, new_id()),
        BookingKey(elsewhere.organization_id, booked.id),
        BookingKey(uuid.UUID(int=0), booked.id),
    ]
    events = [body_about(each, id=f"evt_{position}") for position, each in enumerate(foreign)]
    events.append(body_about(booked, it={"object": "customer"}, type="customer.created"))
    events.append(body_about(booked, it={"metadata": {}}))
    events.append(body_about(booked, it={"metadata": {}, "object": "charge", "payment_intent": "pi_3"}))
    async with unchanged(owner):
        for body in events:
            answer = await post(client, body)
            assert (answer.status_code, answer.text) == (200, "There is nothing to do.\n")


async def test_what_an_event_says_of_the_payment_counts_for_nothing(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey
) -> None:
    lie = {"status": "succeeded", "amount": 10**18, "amount_received": 10**18, "currency": "xxx", "id": "pi_of_another"}
    money = "SELECT amount, currency, reference, state, captured, decision, version FROM payment"
    before = tuple(await owner.fetchrow(money))
    assert (await post(client, body_about(booked, it=lie))).status_code == 200
    assert tuple(await owner.fetchrow(money)) == before
    assert await owner.fetchval("SELECT status FROM booking") == "ON_HOLD"


async def test_a_large_body_is_refused_before_it_is_read(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey
) -> None:
    body = body_about(booked, padding="x" * 10_000_000)
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for begin in range(0, len(body), 65_536):
            sent += 1
            yield body[begin : begin + 65_536]

    async with unchanged(owner):
        whole = await post(client, body)
        chunked = await client.post(WEBHOOK_PATH, content=chunks(), headers=sign(body))
    assert (whole.status_code, chunked.status_code) == (413, 413)
    assert sent <= 2 + webhooks.BODY_BYTES_MAX // 65_536


async def test_without_a_secret_none_is_taken_and_it_is_to_be_sent_again(
    database_url: str, tmp_path: Path, booked: BookingKey, owner: asyncpg.Connection
) -> None:
    async with client_of_app(settings_for(database_url, None, tmp_path)) as client, unchanged(owner):
        answer = await post(client, body_about(booked))
    assert (answer.status_code, answer.text) == (503, "No secret is set for webhooks here.\n")


async def test_while_the_database_is_away_it_is_to_be_sent_again(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    booked: BookingKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "SECONDS_MAX", 0.2)
    async with unchanged(owner):
        async with owner.transaction():
            await owner.execute("LOCK TABLE webhook_event")  # it answers nothing any more
            refused = await post(client, body_about(booked))
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'vacancy'"
        )
    assert (refused.status_code, refused.text) == (503, "It could not be read or stored in time.\n")
    monkeypatch.undo()

    async def is_taken() -> bool:
        return (await post(client, body_about(booked))).status_code == 200

    await eventually(is_taken)
    assert await is_looked_at(owner, booked)


async def test_a_flood_leaves_connections_to_bookings(
    client: httpx.AsyncClient, owner: asyncpg.Connection, booked: BookingKey
) -> None:
    bodies = [body_about(booked, id=f"evt_{number}") for number in range(webhooks.PRESENT_MAX + 20)]
    async with owner.transaction():
        await owner.execute("LOCK TABLE webhook_event")
        flood = [asyncio.create_task(post(client, body)) for body in bodies]

        async def some_are_refused() -> bool:
            return sum(task.done() for task in flood) == 20

        await eventually(some_are_refused)
        assert {task.result().status_code for task in flood if task.done()} == {503}
        waiting = await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'vacancy' AND wait_event_type = 'Lock'"
        )
    assert waiting <= webhooks.WORKING_MAX
    answers = await asyncio.gather(*flood)
    assert sum(answer.status_code == 200 for answer in answers) == webhooks.PRESENT_MAX


async def test_it_is_answered_in_milliseconds(client: httpx.AsyncClient, booked: BookingKey) -> None:
    """Other tests share the machine: the best of many tells what it takes."""
    seconds = []
    for number in range(50):
        body = body_about(booked, id=f"evt_{number}")
        headers = sign(body)
        began = time.perf_counter()
        await post(client, body, headers)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.05


async def test_events_are_forgotten_after_a_month(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, booked: BookingKey
) -> None:
    for number in range(2):
        await post(client, body_about(booked, id=f"evt_{number}"))
    old = "UPDATE webhook_event SET received_at = clock_timestamp() - interval '31 days' WHERE event_id = 'evt_0'"
    await owner.execute(old)
    await forget(database, older_than=KEPT, limit=ROWS_PER_CALL_MAX)
    assert await owner.fetchval("SELECT array_agg(event_id) FROM webhook_event") == ["evt_1"]
