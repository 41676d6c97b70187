"""A unit of work by hand: the application's role, for one organization, as the code's own are."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from models.database import Database


@asynccontextmanager
async def scoped(database: Database, organization_id: uuid.UUID | None) -> AsyncIterator["asyncpg.Connection"]:
    """A transaction of the application's role that is for this organization, or for none; committed at its end."""
    async with database.ledger.acquire() as connection, connection.transaction():
        if organization_id is not None:
            await connection.execute("SELECT set_config('vacancy.organization_id', $1, true)", str(organization_id))
        yield connection
