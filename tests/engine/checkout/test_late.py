"""Money that comes when the hold has ended: it buys what it was to buy, or it goes back."""

from typing import Any

import asyncpg
import pytest

from engine.viewer import Role
from models.booking import BookingStatus
from models.database import Database
from models.errors import HoldExpired, PromoCodeInvalid, SoldOut
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.payment import PaymentProgress
from models.queries.work import expire_over
from models.resource import Resource
from tests.support.checkouts import Till
from tests.support.factories import key_of, let_run_out
from tests.support.ledger import status_of
from tests.support.rules import put as put_rule
from tests.support.staff import viewer_of

NIGHT = 100_00


async def ended(till: Till, owner: asyncpg.Connection, record: BookingRecord) -> None:
    """Let the hold end, and be seen to have."""
    await let_run_out(owner, record)
    await expire_over(till.database, record.booking.organization_id, limit=10, patient=True)
    assert await status_of(owner, record.booking.id) == "EXPIRED"


async def paid_late(till: Till, owner: asyncpg.Connection, room: Resource, **more: Any) -> BookingRecord:
    """Somebody who paid in the moment in which the hold ended."""
    record = await till.hold(room, **more)
    await till.begin(record)
    await till.pay(record)
    await ended(till, owner, record)
    return record


async def test_what_is_still_free_is_booked(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await paid_late(till, owner, room)
    assert await till.collect() == 1
    money = await till.money(record)
    assert money.record.booking.status == BookingStatus.CONFIRMED
    assert (money.payments[0].state, money.payments[0].captured) == (PaymentProgress.CAPTURED, NIGHT)
    last = await owner.fetchrow(
        "SELECT kind, actor FROM booking_event WHERE booking_id = $1 ORDER BY version DESC", record.booking.id
    )
    assert tuple(last) == ("CONFIRMED_LATE", "payments")
    with pytest.raises(SoldOut):
        await till.hold(room)
    assert (await till.complete(record)).error is None


async def test_what_is_gone_is_not_and_the_money_is_let_go(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await paid_late(till, owner, room)
    await till.hold(room)  # by somebody else
    for _ in range(2):
        done = await till.complete(record)
        assert isinstance(done.error, SoldOut)
        assert (done.error.vacancies, done.error.resource_id) == (0, room.id)
        assert done.money.record.booking.status == BookingStatus.EXPIRED
    assert (await till.intent(record)).status == "canceled"
    assert await till.totals() == {"authorized": 0, "captured": 0, "refunded": 0}
    assert await till.collect() <= 1
    assert await till.collect() == 0


async def test_a_hold_that_is_over_makes_room_for_who_has_paid(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await paid_late(till, owner, room)
    other = await till.hold(room)
    await let_run_out(owner, other)
    assert (await till.complete(record)).error is None
    assert await status_of(owner, record.booking.id) == "CONFIRMED"
    assert await status_of(owner, other.booking.id) == "EXPIRED"


async def test_what_was_closed_meanwhile_is_not_booked(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await paid_late(till, owner, room)
    await owner.execute(
        "INSERT INTO adjustment (organization_id, resource_id, version, starts_at, closed, actor)"
        " VALUES ($1, $2, 0, clock_timestamp(), true, 'staff:1')",
        *key_of(room),
    )
    done = await till.complete(record)
    assert done.error is not None
    assert done.error.code == "CLOSED"
    assert (await till.intent(record)).status == "canceled"


async def test_what_has_begun_is_not_booked(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await paid_late(till, owner, room)
    await owner.execute("UPDATE booking_item SET starts_at = clock_timestamp() - interval '1 minute'")
    assert isinstance((await till.complete(record)).error, HoldExpired)
    assert (await till.intent(record)).status == "canceled"


@pytest.mark.unaudited
async def test_a_code_that_is_used_up_meanwhile_buys_nothing(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await paid_late(till, owner, room)
    code = await owner.fetchval(
        "INSERT INTO promo_code (organization_id, id, venue_id, code, uses_max)"
        " VALUES ($1, gen_random_uuid(), $2, 'SPRING', 1) RETURNING id",
        room.organization_id,
        room.venue_id,
    )
    other = await till.hold(room, night=1)
    await owner.execute("UPDATE booking SET promo_code_id = $1", code)
    assert isinstance((await till.complete(record)).error, PromoCodeInvalid)
    await till.change(other, BookingAction.RELEASE)


async def test_what_rules_count_is_counted_again(
    till: Till, room: Resource, database: Database, owner: asyncpg.Connection
) -> None:
    ada = viewer_of(Role.CUSTOMER, room.organization_id)
    await put_rule(database, key_of(room), type="CUSTOMER_LIMIT", parameters={"max": 1})
    record = await paid_late(till, owner, room, viewer=ada)
    await till.hold(room, viewer=ada, night=1)
    assert isinstance((await till.complete(record)).error, HoldExpired)
    assert await till.totals() == {"authorized": 0, "captured": 0, "refunded": 0}


async def test_without_another_the_limit_lets_it_in(
    till: Till, room: Resource, database: Database, owner: asyncpg.Connection
) -> None:
    ada = viewer_of(Role.CUSTOMER, room.organization_id)
    await put_rule(database, key_of(room), type="CUSTOMER_LIMIT", parameters={"max": 1})
    record = await paid_late(till, owner, room, viewer=ada)
    assert (await till.complete(record)).error is None
    assert await status_of(owner, record.booking.id) == "CONFIRMED"


async def test_who_leaves_the_page_can_not_pay_any_more(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await ended(till, owner, record)
    assert await till.collect() == 1
    assert (await till.intent(record)).status == "canceled"
    assert (await till.payment(record)).state == PaymentProgress.VOID
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")  # as a webhook does, however late
    assert [await till.collect() for _ in range(2)] == [1, 0]
    assert await owner.fetchval("SELECT check_at FROM payment") is None
    assert isinstance((await till.complete(record)).error, HoldExpired)


@pytest.mark.parametrize("action", [BookingAction.RELEASE, BookingAction.CANCEL])
async def test_who_gives_up_what_is_being_paid_pays_nothing(
    till: Till, room: Resource, action: BookingAction, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await till.pay(record)
    await till.change(record, action)
    assert await till.collect() == 1
    assert (await till.intent(record)).status == "canceled"
    assert await till.totals() == {"authorized": 0, "captured": 0, "refunded": 0}
    assert await status_of(owner, record.booking.id) == "CANCELLED"


async def test_what_was_begun_and_never_opened_ends_without_the_provider(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    await till.simulator.fault("lost_before", "POST /v1/payment_intents")
    with pytest.raises(Exception, match="does not answer"):
        await till.begin(record)
    await ended(till, owner, record)
    assert await till.collect() == 1
    payment = await till.payment(record)
    assert (payment.state, payment.reference) == (PaymentProgress.VOID, None)
    assert await till.collect() == 0


async def test_while_the_provider_is_away_nothing_is_decided(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    """A buyer who pays meanwhile is booked once it answers again."""
    record = await till.hold(room)
    await till.begin(record)
    await ended(till, owner, record)
    await till.simulator.fault("error_before", "GET /v1/payment_intents/*", count=1)
    assert await till.collect() == 1
    assert (await till.payment(record)).decision is None
    await till.pay(record)
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")
    assert await till.collect() == 1
    assert await status_of(owner, record.booking.id) == "CONFIRMED"
