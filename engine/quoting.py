"""Asking what a request costs, and keeping the answer so that it can be held by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.bookings import acting_in
from engine.facts import load_facts
from engine.holds import ItemRequest, check_count, sensible
from engine.idempotency import commit_once
from engine.ports import TaxProvider
from engine.provided_taxes import NO_TAX_PROVIDER
from engine.quotes import Question, quote
from engine.viewer import Viewer
from models.database import Database, WriteSession
from models.errors import InvalidInput
from models.keys import QuoteKey
from models.ledger.requests import Command
from models.price import Quote
from models.queries.prices import read_quotes


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """What is to be priced, all of one organization, with a promo code if one was entered."""

    items: tuple[ItemRequest, ...]
    promo: str | None = None


async def look(
    database: Database, viewer: Viewer, request: QuoteRequest, *, now: datetime, taxes: TaxProvider = NO_TAX_PROVIDER
) -> Quote | None:
    """What it costs, asked for now; None: nothing of it has a price. Nothing is written, so it can not be held by.

    Whether it can be booked is not looked at. Raises NotFound for a resource that the viewer may not see, InvalidInput,
    InvalidTime, and what `quote` raises.
    """
    return await quote(database, await _question(database, viewer, request.items, now, taxes), request.promo)


async def create(
    database: Database,
    viewer: Viewer,
    request: QuoteRequest,
    *,
    key: str,
    request_hash: bytes,
    now: datetime,
    taxes: TaxProvider = NO_TAX_PROVIDER,
) -> Quote | None:
    """The same, kept until it expires; once per key: the same quote for the same key. Raises as `look`, and Busy."""
    question = await _question(database, viewer, request.items, now, taxes)
    facts, _ = question.requests[0]
    organization_id = facts.key.organization_id
    row = await quote(database, question, request.promo)

    async def work(session: WriteSession) -> dict[str, Any]:
        if row is None:
            return {"quote_id": None}
        # A copy, since a repetition adds it to another session.
        session.add(Quote(**row.model_dump(exclude={"created_at"})))
        return {"quote_id": str(row.id)}

    command = Command(organization_id, acting_in(viewer, organization_id).actor, key, request_hash)
    done = await commit_once(database, command, work)
    if done["quote_id"] is None:
        return None
    made = QuoteKey(organization_id, UUID(done["quote_id"]))
    async with database.reading(organization_id) as session:
        return (await read_quotes(session, [made]))[made]


async def _question(
    database: Database, viewer: Viewer, items: Sequence[ItemRequest], now: datetime, taxes: TaxProvider
) -> Question:
    check_count(items)
    if len({item.resource.organization_id for item in items}) > 1:
        raise InvalidInput("One booking is of one organization.", path=("input", "items"))
    facts = await load_facts(database, list(dict.fromkeys(item.resource for item in items)))
    requests = [sensible(viewer, facts, item, position) for position, item in enumerate(items)]
    return Question(viewer, requests, [item.plan for item in items], now, taxes)
