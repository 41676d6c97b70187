"""A guest pays: what is held is theirs, and only what is theirs is paid."""

from typing import Any

import asyncpg
import pytest

from engine.checkout import ATTEMPTS_MAX
from engine.viewer import Role
from models.booking import BookingStatus
from models.database import Database
from models.errors import (
    HoldExpired,
    IdempotencyConflict,
    InvalidInput,
    InvalidState,
    NothingDue,
    PaymentDeclined,
    PaymentRequired,
    PaymentUnavailable,
    VersionConflict,
)
from models.ledger.requests import BookingAction
from models.payment import PaymentProgress
from models.price import CancellationPolicy
from models.queries.work import expire_over
from models.resource import Resource
from tests.support.checkouts import AUTHENTICATED, DECLINED, VISA, Till, in_seconds
from tests.support.factories import key_of, let_run_out
from tests.support.ledger import status_of
from tests.support.prices import make_guesthouse, make_room
from tests.support.settings import put
from tests.support.staff import fresh_key, viewer_of

NIGHT = 100_00
STOLEN = "pm_card_chargeDeclinedStolenCard"


async def test_a_card_is_held_the_booking_confirmed_and_then_the_money_taken(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    done = await till.begin(record, VISA)
    assert done.error is None
    assert done.money.record.booking.status == BookingStatus.CONFIRMED
    payment = await till.payment(record)
    assert (payment.state, payment.captured, payment.refunded) == (PaymentProgress.CAPTURED, NIGHT, 0)
    assert await till.events(owner, record) == [
        ("AUTHORIZE", "REQUESTED", NIGHT),
        ("AUTHORIZE", "SUCCEEDED", NIGHT),
        ("CAPTURE", "REQUESTED", NIGHT),
        ("CAPTURE", "SUCCEEDED", NIGHT),
    ]
    kinds = await owner.fetch(
        "SELECT kind, actor FROM booking_event WHERE booking_id = $1 ORDER BY version", record.booking.id
    )
    assert [row["kind"] for row in kinds] == ["HELD", "CHECKOUT", "CONFIRMED"]
    assert kinds[2]["actor"] == "payments"
    assert await till.collect() == 0  # nothing is left to look after


async def test_a_browser_pays_and_the_page_asks(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    done = await till.begin(record)
    assert done.said is not None
    assert done.said.client_secret
    assert done.error is None
    assert isinstance((await till.complete(record)).error, PaymentRequired)
    await till.pay(record)
    done = await till.complete(record)
    assert (done.error, done.money.record.booking.status) == (None, BookingStatus.CONFIRMED)
    assert (await till.intent(record)).status == "succeeded"
    assert (await till.complete(record)).money.payments == done.money.payments


async def test_who_never_comes_back_is_booked_all_the_same(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await till.pay(record)
    assert await till.collect() == 0  # nobody has said anything, and it is not time yet
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")
    assert await till.collect() == 1
    assert await status_of(owner, record.booking.id) == "CONFIRMED"
    assert (await till.intent(record)).status == "succeeded"


async def test_a_declined_card_leaves_time_for_another(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await till.hold(room)
    done = await till.begin(record, DECLINED)
    assert isinstance(done.error, PaymentDeclined)
    assert (done.error.reason, done.error.until) == (
        "insufficient_funds",
        done.money.record.booking.hold_expires_at,
    )
    again = await till.complete(record)
    assert isinstance(again.error, PaymentDeclined)
    assert (await till.payment(record)).failures == 1
    done = await till.begin(record, VISA)
    assert (done.error, done.money.record.booking.status) == (None, BookingStatus.CONFIRMED)
    assert ("AUTHORIZE", "FAILED", NIGHT) in await till.events(owner, record)
    assert len(done.money.payments) == 1


async def test_nobody_tries_a_list_of_cards(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    for _ in range(ATTEMPTS_MAX):
        assert isinstance((await till.begin(record, STOLEN)).error, PaymentDeclined)
    with pytest.raises(PaymentDeclined) as refused:
        await till.begin(record, VISA)
    assert (refused.value.reason, refused.value.until) == ("too_many_attempts", None)
    assert await till.totals() == {"authorized": 0, "captured": 0, "refunded": 0}


async def test_who_shows_a_stolen_card_is_not_told_so(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    done = await till.begin(record, STOLEN)
    assert isinstance(done.error, PaymentDeclined)
    assert done.error.reason == "generic_decline"
    assert (await till.payment(record)).decline_code == "stolen_card"


async def test_the_bank_wants_the_guest(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    done = await till.begin(record, AUTHENTICATED)
    assert isinstance(done.error, PaymentRequired)
    assert done.said is not None
    assert done.said.next_url is not None
    assert "authenticate" in done.said.next_url
    await till.authenticate(record, "fail")
    done = await till.complete(record)
    assert isinstance(done.error, PaymentDeclined)
    assert done.error.reason == "payment_intent_authentication_failure"
    await till.begin(record, AUTHENTICATED)
    await till.authenticate(record)
    done = await till.complete(record)
    assert (done.error, done.money.record.booking.status) == (None, BookingStatus.CONFIRMED)


async def test_the_same_key_pays_once(till: Till, room: Resource) -> None:
    record, key = await till.hold(room), fresh_key()
    declined = await till.begin(record, DECLINED, key=key)
    repeated = await till.begin(record, DECLINED, key=key)
    assert isinstance(repeated.error, PaymentDeclined)
    assert repeated.money.payments[0].failures == declined.money.payments[0].failures == 1
    with pytest.raises(IdempotencyConflict):
        await till.begin(record, VISA, key=key)
    other = fresh_key()
    first, second = await till.begin(record, VISA, key=other), await till.begin(record, VISA, key=other)
    assert first.money.payments == second.money.payments
    assert (await till.totals())["captured"] == NIGHT


async def test_what_costs_nothing_now_is_confirmed_and_not_paid(till: Till, database: Database) -> None:
    free = await make_room(database, await make_guesthouse(database), priced=False)
    record = await till.hold(free)
    with pytest.raises(NothingDue):
        await till.begin(record)
    assert (await till.change(record, BookingAction.CONFIRM)).booking.status == BookingStatus.CONFIRMED


async def test_what_is_due_is_not_confirmed_without_money_but_by_staff(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    with pytest.raises(PaymentRequired):
        await till.change(record, BookingAction.CONFIRM)
    await till.begin(record)
    with pytest.raises(PaymentRequired):
        await till.change(record, BookingAction.CONFIRM)
    staff = viewer_of(Role.STAFF, room.organization_id)
    confirmed = await till.change(record, BookingAction.CONFIRM, viewer=staff)
    assert confirmed.booking.status == BookingStatus.CONFIRMED
    assert await till.collect() == 1  # nobody is to pay it once more
    assert (await till.intent(record)).status == "canceled"
    assert await till.collect() == 0
    assert (await till.money(record)).record.booking.status == BookingStatus.CONFIRMED


async def test_of_a_deposit_the_card_is_kept_for_the_rest(till: Till, room: Resource, database: Database) -> None:
    half: dict[str, Any] = {"deposit": {"percent": "50"}, "balance": {"daysBefore": 1}}
    key = key_of(room)
    await put(database, CancellationPolicy, key, identity="HALF", name="Half now", parameters=half)
    record = await till.hold(room)
    await till.begin(record, VISA)
    payment, intent = await till.payment(record), await till.intent(record)
    assert (payment.amount, payment.captured) == (NIGHT // 2, NIGHT // 2)
    assert (intent.customer, intent.setup_future_usage) == (payment.customer, "off_session")
    assert payment.customer is not None
    kept = await till.client.v1.payment_methods.retrieve_async(str(payment.method))
    assert kept.customer == payment.customer


async def test_where_nothing_is_collected_it_is_confirmed(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    confirmed = await till.change(record, BookingAction.CONFIRM, collects=False)
    assert confirmed.booking.status == BookingStatus.CONFIRMED
    with pytest.raises(InvalidState):
        await till.begin(record)


async def test_only_what_is_held_is_paid(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    with pytest.raises(VersionConflict):
        await till.begin(record, expected_version=7)
    await till.change(record, BookingAction.RELEASE)
    with pytest.raises(InvalidState):
        await till.begin(record)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"method": "pm card"}, "paymentMethod"),
        ({"method": "pm_unknown"}, "paymentMethod"),
        ({"return_url": "javascript:alert(1)"}, "returnUrl"),
        ({"return_url": f"https://shop.example/{'x' * 2_048}"}, "returnUrl"),
    ],
)
async def test_what_makes_no_sense_is_refused(till: Till, room: Resource, given: dict[str, Any], path: str) -> None:
    record = await till.hold(room)
    with pytest.raises(InvalidInput) as refused:
        await till.begin(record, **given)
    assert refused.value.path == ("input", path)
    assert (await till.money(record)).record.booking.status == BookingStatus.ON_HOLD


async def test_while_the_provider_is_away_the_same_call_goes_on(till: Till, room: Resource) -> None:
    record, key = await till.hold(room), fresh_key()
    for fault in ("lost_before", "lost_after"):
        await till.simulator.fault(fault, "POST /v1/payment_intents")
        with pytest.raises(PaymentUnavailable) as refused:
            await till.begin(record, VISA, key=key)
        assert refused.value.retryable
    done = await till.begin(record, VISA, key=key)
    assert done.money.record.booking.status == BookingStatus.CONFIRMED
    assert await till.totals() == {"authorized": 0, "captured": NIGHT, "refunded": 0}


async def test_the_time_to_pay_begins_with_checkout(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE resource SET hold_seconds = 60")
    record = await till.hold(room)
    done = await till.begin(record)
    assert in_seconds(record) <= 60
    assert 590 < in_seconds(done.money.record) <= 600
    once_more = await till.begin(record)
    assert once_more.money.record.booking.hold_expires_at == done.money.record.booking.hold_expires_at
    assert once_more.money.record.booking.version == done.money.record.booking.version


async def test_a_hold_that_has_ended_is_not_paid(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await till.hold(room)
    await let_run_out(owner, record)
    await expire_over(till.database, room.organization_id, limit=10, patient=True)
    with pytest.raises(HoldExpired):
        await till.begin(record)
