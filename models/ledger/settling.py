"""The calls of the ledger that settle what was taken (sql/59_settling.sql): each is one transaction, and repeatable.

As in `models.ledger.payments`, none asks the provider.
"""

from models.database import Database
from models.keys import BookingKey
from models.ledger.calls import answer_of, repeated
from models.ledger.money import BookingMoney, DisputeSnapshot


async def settle(database: Database, key: BookingKey, *, version: int, owed: int) -> BookingMoney:
    """Write what of the booking's money is to go back: what was taken beyond `owed`, in minor units of its currency.

    Raises Stale unless the booking is at `version`, for which `owed` was counted; Busy. Locks the booking, then its
    payments.
    """
    payload = {"booking_id": key.id, "version": version, "owed": owed}
    answer = await repeated(database, key.organization_id, "SELECT ledger_settle($1, $2)", payload)
    return BookingMoney.from_json(answer)


async def dispute_seen(database: Database, key: BookingKey, dispute: DisputeSnapshot) -> BookingMoney:
    """Write what the provider says of a dispute; one that is over stays so. Raises Busy. Locks as `settle`."""
    payload = {
        "booking_id": key.id,
        "number": dispute.payment_number,
        "reference": dispute.reference,
        "amount": dispute.amount,
        "currency": dispute.currency,
        "state": dispute.state,
    }
    answer = await repeated(database, key.organization_id, "SELECT ledger_dispute_seen($1, $2)", payload)
    return BookingMoney.from_json(answer)


async def begin_balance(database: Database, key: BookingKey) -> BookingMoney:
    """Begin to take what has fallen due of a kept card, if there is something to take and a card.

    Raises Busy. Locks as `settle`.
    """
    return BookingMoney.from_json(await answer_of(database, "SELECT ledger_balance($1, $2)", *key))
