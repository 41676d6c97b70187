"""How long a hold lasts for who pays: from checkout, once more from a failed attempt, and never beyond its ceiling."""

from datetime import timedelta

import asyncpg
import pytest

from models.booking import BookingStatus
from models.database import Database
from models.payment import PaymentProgress
from models.resource import Resource
from tests.support.checkouts import AUTHENTICATED, DECLINED, Till, in_seconds, till_of
from tests.support.payments import Simulator


async def pass_by(owner: asyncpg.Connection, seconds: int) -> None:
    """Let time go by for holds and payments, without a version made."""
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        gone = timedelta(seconds=seconds)
        await owner.execute(
            "UPDATE booking SET hold_expires_at = hold_expires_at - $1::interval,"
            " hold_ceiling_at = hold_ceiling_at - $1::interval",
            gone,
        )
        await owner.execute(
            "UPDATE payment SET ceiling_at = ceiling_at - $1::interval, check_at = check_at - $1::interval", gone
        )


async def test_a_failed_attempt_gives_time_for_another_once(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await pass_by(owner, 570)
    done = await till.begin(record, DECLINED)
    assert 290 < in_seconds(done.money.record) <= 300
    assert done.money.record.booking.last_event == "EXTENDED"
    await pass_by(owner, 200)
    done = await till.begin(record, DECLINED)
    assert in_seconds(done.money.record) <= 100
    assert (await till.payment(record)).failures == 2


async def test_a_failure_while_there_is_time_leaves_the_one_extension(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    first = await till.begin(record, DECLINED)
    assert first.money.record.booking.last_event == "CHECKOUT"
    await pass_by(owner, 570)
    done = await till.begin(record, DECLINED)
    assert 290 < in_seconds(done.money.record) <= 300


async def test_a_failure_is_counted_once_however_often_it_is_seen(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    record = await till.hold(room)
    await till.begin(record, AUTHENTICATED)
    await till.authenticate(record, "fail")
    for _ in range(3):
        await till.complete(record)
    assert (await till.payment(record)).failures == 1


async def test_the_ceiling_is_from_the_first_checkout(
    database: Database, simulator: Simulator, room: Resource, owner: asyncpg.Connection
) -> None:
    async with till_of(database, simulator, ceiling_seconds=700) as till:
        record = await till.hold(room)
        await till.begin(record)
        await pass_by(owner, 590)
        done = await till.begin(record, DECLINED)
        assert 100 < in_seconds(done.money.record) <= 110


async def test_another_payment_of_the_hold_has_no_longer(
    database: Database, simulator: Simulator, room: Resource, owner: asyncpg.Connection
) -> None:
    """What somebody has ended at the provider may be begun anew, within the same bounds."""
    async with till_of(database, simulator, ceiling_seconds=700) as till:
        record = await till.hold(room)
        await till.begin(record)
        await till.client.v1.payment_intents.cancel_async(str((await till.payment(record)).reference))
        await till.complete(record)
        assert (await till.payment(record)).state == PaymentProgress.VOID
        await pass_by(owner, 590)
        done = await till.begin(record)
        assert 100 < in_seconds(done.money.record) <= 110
        assert [payment.number for payment in done.money.payments] == [1, 2]
        await till.client.v1.payment_intents.confirm_async(
            str(done.money.payments[1].reference),
            {"payment_method": "pm_card_visa", "return_url": "https://shop.example/back"},
        )
        assert (await till.complete(record)).money.record.booking.status == BookingStatus.CONFIRMED


@pytest.mark.parametrize("seconds", [0, 30, 595])
async def test_somebody_looks_before_the_hold_ends(
    till: Till, room: Resource, owner: asyncpg.Connection, seconds: int
) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await pass_by(owner, seconds)
    for _ in range(20):  # each look that finds nothing puts the next one off
        await owner.execute("UPDATE payment SET checks = 20")
        await till.drive(record)
    left = await owner.fetchval(
        "SELECT extract(epoch FROM b.hold_expires_at - p.check_at)::float FROM payment p"
        " JOIN booking b ON b.id = p.booking_id"
    )
    assert left >= 4 or seconds > 590
    next_ = await owner.fetchval("SELECT extract(epoch FROM check_at - clock_timestamp())::float FROM payment")
    assert 0 < next_ <= 300
