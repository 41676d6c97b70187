"""Reading payments and their history, of many bookings in one statement each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlmodel import and_, col, or_, select, tuple_

from models.database import Database, ReadSession
from models.keys import BookingKey
from models.payment import PaymentEvent, PaymentRow

EVENTS_MAX = 100
"""Of one booking: what is told of its history."""


class PaymentsForStaff(NamedTuple):
    """How much only people can see to: refunds that failed three times, balances whose card was declined four times,
    disputes that are open."""

    refunds: int
    balances: int
    disputes: int


async def read_payments_for_staff(database: Database) -> PaymentsForStaff:
    """Of all organizations, as it is now; counts end at 10,000."""
    return PaymentsForStaff(*await database.ledger.fetchrow("SELECT * FROM worker_payments_for_staff()"))


async def read_payments(session: ReadSession, keys: Sequence[BookingKey]) -> Mapping[BookingKey, list[PaymentRow]]:
    """The payments of each booking, in the order of their numbers; none for an unknown one."""
    rows = await session.exec(
        select(PaymentRow)
        .where(tuple_(col(PaymentRow.organization_id), col(PaymentRow.booking_id)).in_(keys))
        .order_by(col(PaymentRow.number))
    )
    found: dict[BookingKey, list[PaymentRow]] = defaultdict(list)
    for row in rows:
        found[BookingKey(row.organization_id, row.booking_id)].append(row)
    return found


_OUTSTANDING = text(
    """
    SELECT b.organization_id, b.id,
           CASE WHEN b.status IN ('CANCELLED', 'REJECTED', 'EXPIRED') THEN 0
                WHEN b.confirmed_at IS NOT NULL AND ledger_is_collected_by_venue(b.organization_id, b) THEN 0
                ELSE greatest(0, ledger_outstanding(b.organization_id, b)) END
      FROM unnest(:organization_ids, :booking_ids) AS k (organization_id, id)
      JOIN booking b ON b.organization_id = k.organization_id AND b.id = k.id
    """
).bindparams(bindparam("organization_ids", type_=ARRAY(Uuid)), bindparam("booking_ids", type_=ARRAY(Uuid)))


async def read_outstanding(session: ReadSession, keys: Sequence[BookingKey]) -> dict[BookingKey, int]:
    """What is to be paid online now of each booking and is neither held nor taken, in minor units. One statement.

    By the functions that checking out goes by; unknown keys are absent.
    """
    given = {"organization_ids": [key.organization_id for key in keys], "booking_ids": [key.id for key in keys]}
    rows = await session.exec(_OUTSTANDING, params=given)  # type: ignore[call-overload]
    return {BookingKey(organization_id, id_): amount for organization_id, id_, amount in rows}


async def read_payment_events(
    session: ReadSession, keys: Sequence[BookingKey]
) -> Mapping[BookingKey, list[PaymentEvent]]:
    """The first EVENTS_MAX events of each booking's money, in their order."""
    of_each = [
        and_(
            col(PaymentEvent.organization_id) == key.organization_id,
            col(PaymentEvent.booking_id) == key.id,
            col(PaymentEvent.position) <= EVENTS_MAX,
        )
        for key in keys
    ]
    rows = await session.exec(select(PaymentEvent).where(or_(*of_each)).order_by(col(PaymentEvent.position)))
    found: dict[BookingKey, list[PaymentEvent]] = defaultdict(list)
    for row in rows:
        found[BookingKey(row.organization_id, row.booking_id)].append(row)
    return found
