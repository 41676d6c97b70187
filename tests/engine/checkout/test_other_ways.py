"""Approval, ways to pay that can not be held, series, and money that is not what was asked for."""

from contextlib import suppress

import asyncpg
import pytest

from engine.viewer import Role
from models.booking import BookingStatus
from models.database import Database
from models.errors import BookingError, InvalidState, PaymentUnavailable
from models.ledger.calls import Stale
from models.ledger.payments import SeenPayment, payment_seen
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.payment import PaymentDecision, PaymentProgress, RefundReason, RefundState
from models.queries.work import expire_over
from models.resource import Resource
from tests.support.checkouts import BACK, VISA, Till
from tests.support.factories import key_of, let_run_out
from tests.support.ledger import status_of
from tests.support.rules import put as put_rule
from tests.support.staff import viewer_of

NIGHT = 100_00
NOTHING = {"authorized": 0, "captured": 0, "refunded": 0}


async def ended(till: Till, owner: asyncpg.Connection, record: BookingRecord) -> None:
    """Let its time be over, and be seen to be."""
    await let_run_out(owner, record)
    await expire_over(till.database, record.booking.organization_id, limit=10, patient=True)


@pytest.fixture
async def approved_room(database: Database, room: Resource) -> Resource:
    """One that the venue looks at first."""
    await put_rule(database, key_of(room), type="APPROVAL_REQUIRED", parameters={"withinHours": 24})
    return room


async def test_what_waits_for_approval_is_held_and_taken_when_approved(till: Till, approved_room: Resource) -> None:
    record = await till.hold(approved_room)
    done = await till.begin(record, VISA)
    assert done.money.record.booking.status == BookingStatus.PENDING
    payment = await till.payment(record)
    assert (payment.state, payment.decision, payment.captured) == (PaymentProgress.HELD, None, 0)
    staff = viewer_of(Role.STAFF, approved_room.organization_id)
    await till.change(record, BookingAction.APPROVE, viewer=staff)
    assert await till.collect() == 1
    assert (await till.payment(record)).captured == NIGHT


@pytest.mark.parametrize("action", [BookingAction.REJECT, BookingAction.CANCEL, None])
async def test_what_is_not_approved_is_let_go(
    till: Till, approved_room: Resource, owner: asyncpg.Connection, action: BookingAction | None
) -> None:
    """Rejected, cancelled, or left until it ends by itself: money that came in time is not late then."""
    record = await till.hold(approved_room)
    await till.begin(record, VISA)
    if action is None:
        await ended(till, owner, record)
    else:
        staff = viewer_of(Role.STAFF, approved_room.organization_id)
        await till.change(record, action, viewer=staff)
    assert await till.collect() == 1
    assert await till.totals() == NOTHING
    assert await till.collect() == 0
    assert await status_of(owner, record.booking.id) in ("REJECTED", "CANCELLED", "EXPIRED")


async def test_late_money_asks_the_venue_too(till: Till, approved_room: Resource, owner: asyncpg.Connection) -> None:
    record = await till.hold(approved_room)
    await till.begin(record)
    await till.pay(record)
    await ended(till, owner, record)
    done = await till.complete(record)
    assert (done.error, done.money.record.booking.status) == (None, BookingStatus.PENDING)
    assert done.money.payments[0].state == PaymentProgress.HELD
    await ended(till, owner, record)
    assert await till.collect() == 1
    assert await till.totals() == NOTHING


async def pay_by_ideal(till: Till, record: BookingRecord, outcome: str = "succeed") -> None:
    """A way to pay that can not be held: what the bank says is taken at once."""
    await till.client.v1.payment_intents.confirm_async(
        str((await till.payment(record)).reference),
        {"payment_method_data": {"type": "ideal"}, "return_url": BACK},
    )
    await till.authenticate(record, outcome)


async def test_what_is_taken_at_once_is_booked(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await pay_by_ideal(till, record)
    done = await till.complete(record)
    assert (done.error, done.money.record.booking.status) == (None, BookingStatus.CONFIRMED)
    assert done.money.payments[0].captured == NIGHT
    assert [kind for kind, outcome, _ in await till.events(owner, record) if outcome == "SUCCEEDED"] == [
        "AUTHORIZE",
        "CAPTURE",
    ]
    assert await till.collect() == 0


async def test_what_is_taken_too_late_goes_back(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await pay_by_ideal(till, record)
    await ended(till, owner, record)
    await till.hold(room)
    done = await till.complete(record)
    assert done.error is not None
    assert done.error.code == "SOLD_OUT"
    (refund,) = done.money.refunds
    assert (refund.amount, refund.reason, refund.state) == (NIGHT, RefundReason.NOT_BOOKED, RefundState.SUCCEEDED)
    assert done.money.payments[0].refunded == NIGHT
    assert (await till.totals())["refunded"] == NIGHT
    for _ in range(2):
        await till.drive(record)
    assert (await till.totals())["refunded"] == NIGHT
    assert ("REFUND", "SUCCEEDED", NIGHT) in await till.events(owner, record)


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_after"])
async def test_what_goes_back_goes_back_once(till: Till, room: Resource, owner: asyncpg.Connection, fault: str) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await pay_by_ideal(till, record)
    await till.change(record, BookingAction.RELEASE)
    await till.simulator.fault(fault, "POST /v1/refunds")
    for _ in range(3):
        await owner.execute("UPDATE payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
        await till.collect()
    assert (await till.totals())["refunded"] == NIGHT
    assert [refund.state for refund in (await till.money(record)).refunds] == [RefundState.SUCCEEDED]


async def test_what_was_given_up_while_the_bank_was_at_it_goes_back(till: Till, room: Resource) -> None:
    """It was decided that it may not be paid, and then it was: the bank was faster."""
    record = await till.hold(room)
    await till.begin(record)
    await till.change(record, BookingAction.RELEASE)
    payment = await till.payment(record)
    seen = SeenPayment(
        PaymentProgress.OPEN, reference=payment.reference, amount=NIGHT, currency="EUR", captured=0, refunded=0
    )
    decided = await payment_seen(till.database, payment, seen)  # then whoever was to do it dies
    assert decided.payments[0].decision == PaymentDecision.VOID
    await pay_by_ideal(till, record)
    money = await till.drive(record)
    assert (money.payments[0].captured, money.payments[0].refunded) == (NIGHT, NIGHT)


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_before", "error_after"])
async def test_an_answer_that_is_lost_takes_nothing_twice(
    till: Till, room: Resource, owner: asyncpg.Connection, fault: str
) -> None:
    record = await till.hold(room)
    await till.simulator.fault(fault, "POST /v1/payment_intents/*/capture")
    with suppress(PaymentUnavailable):  # booked, and not known to be paid yet
        await till.begin(record, VISA)
    assert await status_of(owner, record.booking.id) == "CONFIRMED"
    await owner.execute("UPDATE payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
    await till.collect()
    assert await till.totals() == {"authorized": 0, "captured": NIGHT, "refunded": 0}
    assert (await till.payment(record)).captured == NIGHT


async def test_money_that_is_gone_for_good_books_nothing(till: Till, room: Resource, owner: asyncpg.Connection) -> None:
    """Somebody has cancelled the authorization at the provider, between the confirmation and the capture."""
    record = await till.hold(room)
    await till.simulator.fault("lost_before", "POST /v1/payment_intents/*/capture")
    with pytest.raises(BookingError, match="does not answer"):
        await till.begin(record, VISA)
    await till.client.v1.payment_intents.cancel_async(str((await till.payment(record)).reference))
    money = await till.drive(record)
    assert money.record.booking.status == BookingStatus.CANCELLED
    assert money.record.booking.last_actor == "payments"
    assert ("CAPTURE", "FAILED", NIGHT) in await till.events(owner, record)


@pytest.mark.parametrize("wrong", [{"amount": NIGHT + 1}, {"amount": 1}, {"currency": "USD"}])
async def test_money_that_is_not_what_was_asked_for_buys_nothing(
    till: Till, room: Resource, wrong: dict[str, object]
) -> None:
    record = await till.hold(room)
    await till.begin(record)
    payment = await till.payment(record)
    given = {"amount": NIGHT, "currency": "EUR", "captured": 0, "refunded": 0} | wrong
    seen = SeenPayment(PaymentProgress.HELD, reference=payment.reference, **given)  # type: ignore[arg-type]
    money = await payment_seen(till.database, payment, seen)
    assert money.record.booking.status == BookingStatus.ON_HOLD
    assert money.payments[0].decision == PaymentDecision.VOID


async def test_an_amount_that_was_altered_at_the_provider_is_let_go(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    await till.begin(record)
    await till.client.v1.payment_intents.update_async(str((await till.payment(record)).reference), {"amount": 100})
    await till.pay(record)
    done = await till.complete(record)
    assert done.money.record.booking.status == BookingStatus.ON_HOLD
    assert (await till.intent(record)).status == "canceled"
    again = await till.begin(record, VISA)  # another payment, of what it costs
    assert again.money.record.booking.status == BookingStatus.CONFIRMED
    assert (await till.totals())["captured"] == NIGHT


async def test_what_another_booking_has_paid_pays_for_no_second_one(
    till: Till, room: Resource, owner: asyncpg.Connection
) -> None:
    """Even a reference in our own table that leads to another's payment."""
    record, other = await till.hold(room), await till.hold(room, night=1)
    await till.begin(record)
    await till.begin(other)
    await till.pay(other)
    theirs = (await till.payment(other)).reference
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute("UPDATE payment SET reference = 'pi_moved' WHERE reference = $1", theirs)
        await owner.execute("UPDATE payment SET reference = $1 WHERE booking_id = $2", theirs, record.booking.id)
    with pytest.raises(BookingError):
        await till.complete(record)
    assert await status_of(owner, record.booking.id) == "ON_HOLD"
    intent = await till.client.v1.payment_intents.retrieve_async(str(theirs))
    assert intent.status == "requires_capture"  # it is not ours to let go


async def test_what_was_said_before_another_wrote_is_not_believed(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    await till.begin(record)
    before = await till.payment(record)
    await till.pay(record)
    await till.complete(record)
    old = SeenPayment(PaymentProgress.OPEN, reference=before.reference, amount=NIGHT, currency="EUR")
    with pytest.raises(Stale):
        await payment_seen(till.database, before, old)
    assert (await till.payment(record)).state == PaymentProgress.CAPTURED


async def test_a_confirmed_booking_is_not_paid_again(till: Till, room: Resource) -> None:
    record = await till.hold(room)
    await till.begin(record, VISA)
    with pytest.raises(BookingError) as refused:
        await till.begin(record, VISA)
    assert refused.value.code == "NOTHING_DUE"
    await till.change(record, BookingAction.CANCEL)
    with pytest.raises(InvalidState):
        await till.begin(record, VISA)
