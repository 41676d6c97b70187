"""What is to be told to tax providers: taken, read, and noted once it was told."""

import uuid
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, null, update
from sqlmodel import col, select

from models.database import Database
from models.price import Quote
from models.tax_entry import TaxEntry


class DueEntry(NamedTuple):
    """An entry that is this worker's to tell until its next time, tried for the `attempts`-th time."""

    organization_id: uuid.UUID
    booking_id: uuid.UUID
    quote_id: uuid.UUID
    attempts: int


async def take_tax_entries(database: Database, *, limit: int) -> list[DueEntry]:
    """At most so many entries that are due; each comes again, later, unless something is noted of it."""
    return [DueEntry(*row) for row in await database.ledger.fetch("SELECT * FROM worker_take_tax_entries($1)", limit)]


async def read_tax_entry(database: Database, due: DueEntry) -> tuple[TaxEntry, Quote]:
    """The entry as it is now, and the quote that it is of."""
    statement = (
        select(TaxEntry, Quote)
        .join(Quote, (Quote.organization_id == TaxEntry.organization_id) & (Quote.id == TaxEntry.quote_id))  # type: ignore[arg-type]
        .where(_is(due))
    )
    async with database.reading(due.organization_id) as session:
        row, quote = (await session.exec(statement)).one()
        return row, quote


async def note_recorded(database: Database, due: DueEntry, reference: str) -> None:
    """It is on record. What is to be reversed is due at once, also where that was asked for meanwhile."""
    next_at = case((col(TaxEntry.reverses).is_(None), null()), else_=func.clock_timestamp())
    await _note(database, due, recorded=reference, attempts=0, next_at=next_at)


async def note_reversed(database: Database, due: DueEntry, reference: str | None) -> None:
    """It is reversed as far as it is to be; None: nothing of it was."""
    await _note(database, due, reversed=reference, attempts=0, next_at=null())


async def note_fault(database: Database, due: DueEntry, fault: str) -> None:
    """It is given up, for this reason."""
    await _note(database, due, fault=fault, next_at=null())


async def _note(database: Database, due: DueEntry, **values: object) -> None:
    async with database.writing(due.organization_id) as session:
        await session.exec(update(TaxEntry).where(_is(due)).values(**values))


def _is(due: DueEntry) -> ColumnElement[bool]:
    return and_(
        col(TaxEntry.organization_id) == due.organization_id,
        col(TaxEntry.booking_id) == due.booking_id,
        col(TaxEntry.quote_id) == due.quote_id,
    )
