"""Bookings that are paid, without a provider: what one would say is told to the ledger."""

from engine.availability import Wish
from engine.holds import HoldRequest, ItemRequest, hold
from engine.settling import settle
from engine.viewer import GUEST
from models.database import Database
from models.ledger import calls, payments
from models.ledger.money import BookingMoney
from models.ledger.payments import PaymentPeriod, SeenPayment
from models.ledger.requests import NO_CONTACT, BookingAction, Command
from models.payment import PaymentProgress, RefundState
from models.price import RatePlan
from models.resource import Resource
from tests.support import settings
from tests.support.factories import at, between, booking_key_of, change_of, key_of, make_resource
from tests.support.staff import fresh_key


async def paid_for(database: Database, beside: Resource) -> None:
    """Two bookings of a court, in the same venue: one is paid and stays, of one all went back when it was cancelled."""
    resource = await make_resource(database, beside=beside, capacity=2)
    hour = {"amount": 8_00, "every": "MINUTES"}
    await settings.put(database, RatePlan, key_of(resource), identity="STANDARD", parameters=hour)
    await _paid(database, resource)
    money = await _paid(database, resource)
    record = await calls.change_booking(database, change_of(money.record, BookingAction.CANCEL))
    found = await payments.read_money(database, booking_key_of(record))
    assert found is not None
    money = await settle(database, found)
    (refund,) = money.refunds
    key = booking_key_of(record)
    money = await payments.refund_seen(database, key, refund.number, reference="re_1", state=RefundState.SUCCEEDED)
    await _seen(database, money, captured=money.payments[0].amount, refunded=refund.amount)


async def _paid(database: Database, resource: Resource) -> BookingMoney:
    now, key = at("2030-05-31 12:00"), fresh_key()
    wish = Wish(window=between("2030-07-01 14:00", "2030-07-01 16:00"))
    request = HoldRequest(key, key.encode(), (ItemRequest(key_of(resource), wish),), NO_CONTACT, {})
    record = await hold(database, GUEST, request, now=now)
    command = Command(record.booking.organization_id, f"guest:{record.booking.id}", fresh_key(), b"")
    asked = payments.Checkout(command, record.booking.id, PaymentPeriod())
    money, row = await payments.checkout(database, asked)
    money = await _seen(database, money)
    return await _seen(database, money, captured=row.amount)


async def _seen(database: Database, money: BookingMoney, *, captured: int = 0, refunded: int = 0) -> BookingMoney:
    """The provider says that so much was taken; nothing: it is held."""
    (row,) = money.payments
    state = PaymentProgress.CAPTURED if captured else PaymentProgress.HELD
    seen = SeenPayment(state, f"pi_{row.booking_id}", row.amount, row.currency, captured=captured, refunded=refunded)
    return await payments.payment_seen(database, row, seen)
