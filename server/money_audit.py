"""Whether what was taken of each booking, and has not gone back, is what is owed for it.

What is owed follows from terms that only the engine reads, so this is no statement of models/queries/audit.sql; it goes
over all bookings that were paid, a few hundred at a time.
"""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import orjson

from engine.owing import owed
from models.audit import EXAMPLES_MAX, Finding, Invariant, money_of_bookings
from models.ledger.records import BookingSnapshot
from models.price import Quote

MONEY: Final = Invariant(8, "no more is kept of what was paid for a booking than is owed for it, and no less", "")


async def examine_money(connection: "asyncpg.Connection") -> Finding:
    """Count the bookings of which too much was kept or given back."""
    count, examples = 0, list[str]()
    async for row in money_of_bookings(connection):
        told = violation(row)
        if told is not None:
            count += 1
            examples = sorted([*examples, told])[:EXAMPLES_MAX]
    return Finding(MONEY, count, tuple(examples))


def violation(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row of `audit_money`, by the booking's id.

    Less than is owed may have been taken so far: a surcharge that is not paid, a balance that is not due. But if money
    went back at the version that the booking has, just what is owed was left, unless a bank has taken more since.
    """
    booking = BookingSnapshot.from_json(orjson.loads(row["booking"]))
    before = row["paid"] + row["returned"]
    wanted = 0
    if row["quote"] is not None:
        wanted = owed(booking, Quote(**orjson.loads(row["quote"])), paid=before).amount
    if row["paid"] > wanted:
        return f"booking {booking.id}: {row['paid'] - wanted} too much kept"
    if row["returned"] and row["paid"] < wanted and not row["charged_back"]:
        return f"booking {booking.id}: {wanted - row['paid']} too much given back"
    return None
