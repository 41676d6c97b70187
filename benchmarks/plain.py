"""The plain implementation of the usual kind, to compare with: REST, SQLAlchemy, a lock on the resource, a sum.

It holds for an interval and never oversells. It has no rules, no idempotency, no history, no live updates and no
GraphQL; and summing all that overlaps, it refuses what the peak would admit (docs/adr/0002).
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import DateTime, ForeignKey, Index, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.baseline import DATABASE_VARIABLE, POOL_SIZE

HOLD_TIME = timedelta(minutes=10)


class Table(DeclarativeBase):
    """The tables of the plain implementation."""


class PlainResource(Table):
    """Something with capacity."""

    __tablename__ = "plain_resource"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    capacity: Mapped[int]


class PlainHold(Table):
    """So much of a resource over an interval, for somebody."""

    __tablename__ = "plain_hold"
    __table_args__ = (Index("plain_hold_starts_at_idx", "resource_id", "starts_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    resource_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_resource.id"))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    quantity: Mapped[int]
    contact_name: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def hold(request: Request) -> Response:
    """Hold what the body asks for, or 409."""
    asked = await request.json()
    starts_at, ends_at = (datetime.fromisoformat(asked[name]) for name in ("startsAt", "endsAt"))
    sessions: async_sessionmaker[AsyncSession] = request.state.sessions
    async with sessions.begin() as session:
        wanted = select(PlainResource).where(PlainResource.id == uuid.UUID(asked["resourceId"]))
        resource = (await session.scalars(wanted.with_for_update())).one()
        now = datetime.now(UTC)
        taken = await session.scalar(
            select(func.coalesce(func.sum(PlainHold.quantity), 0)).where(
                PlainHold.resource_id == resource.id,
                PlainHold.starts_at < ends_at,
                PlainHold.ends_at > starts_at,
                PlainHold.expires_at > now,
            )
        )
        vacancies = resource.capacity - (taken or 0)
        if asked["quantity"] > vacancies:
            return JSONResponse({"error": "SOLD_OUT", "vacancies": vacancies}, 409)
        held = PlainHold(
            id=uuid.uuid4(),
            resource_id=resource.id,
            starts_at=starts_at,
            ends_at=ends_at,
            quantity=asked["quantity"],
            contact_name=asked["contact"]["name"],
            expires_at=now + HOLD_TIME,
        )
        session.add(held)
    return JSONResponse({"id": str(held.id), "status": "ON_HOLD", "expiresAt": held.expires_at.isoformat()}, 201)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
    """The pool; it has as many connections as the others'."""
    url = os.environ[DATABASE_VARIABLE]
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), pool_size=POOL_SIZE, max_overflow=0
    )
    yield {"sessions": async_sessionmaker(engine, expire_on_commit=False)}
    await engine.dispose()


app = Starlette(routes=[Route("/holds", hold, methods=["POST"])], lifespan=lifespan)
