"""Versions of what is set about prices: each is a line of its history, and what a call has made is read back there.

So a repetition of the call gets the same answer, whatever has become of the setting since.
"""

from typing import Any
from uuid import UUID

from models.database import Database, WriteSession
from models.price import CancellationPolicy, PriceChange, PriceRule, PromoCode, RatePlan, TaxRule


async def written(
    session: WriteSession, row: RatePlan | PriceRule | TaxRule | CancellationPolicy | PromoCode
) -> dict[str, Any]:
    """Write the row; which version of it that has made, as it is remembered with the key of the call."""
    await session.flush()
    await session.refresh(row, ["version"])  # the database's own to give
    return {"setting_id": str(row.id), "version": row.version}


async def content_of(database: Database, organization_id: UUID, done: dict[str, Any]) -> dict[str, Any]:
    """The row at the version that `written` has told of."""
    async with database.reading(organization_id) as session:
        change = await session.get(PriceChange, (organization_id, UUID(done["setting_id"]), done["version"]))
    assert change is not None, "each version has its line in the history"
    return change.content
