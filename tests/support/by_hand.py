"""What somebody with a psql prompt writes, past all of the code."""

import uuid

import asyncpg

from models.resource import Resource
from tests.support.factories import at

BOOKING = """
    INSERT INTO booking (organization_id, id, reference, status, version, hold_expires_at, hold_ceiling_at, claim_count,
                         last_event, last_actor)
    VALUES ($1, $2, $3, 'ON_HOLD', 1, clock_timestamp() + interval '1 min', clock_timestamp() + interval '1 min', 1,
            'HELD', 'psql')
"""
ITEM = """
    INSERT INTO booking_item (organization_id, booking_id, position, resource_id, starts_at, ends_at, quantity)
    VALUES ($1, $2, 0, $3, $4, $5, $6)
"""
CLAIM = """
    INSERT INTO claim (organization_id, booking_id, resource_id, starts_at, ends_at, quantity, sharing_key)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def claim_by_hand(
    session: asyncpg.Connection, resource: Resource, *, quantity: int = 1, key: str | None = None
) -> None:
    """A booking and its claim, in a transaction of its own or a part of one, as somebody at a psql prompt would."""
    booking = (resource.organization_id, uuid.uuid4())
    what = (*booking, resource.id, at("10:00"), at("12:00"), quantity)
    async with session.transaction():
        await session.execute(BOOKING, *booking, booking[1].hex)
        await session.execute(ITEM, *what)
        await session.execute(CLAIM, *what, key)
