"""The price of a hold: locked by a quote, or told again when it is not what was expected."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from engine.quotes import Question, hash_of, quote
from models.database import Database
from models.errors import BookingError, InvalidInput, NotFound, PriceChanged
from models.keys import QuoteKey
from models.ledger.requests import Price
from models.price import Quote
from models.queries.prices import read_quotes

GONE = "The price is not what was expected: look at the new quote, and hold by it."


@dataclass(frozen=True, slots=True)
class AskedPrice:
    """By which quote something is to be held; or with which promo code it is to be priced.

    `expected_total`: refuse if it costs anything else, in minor units; 0 also where nothing has a price.
    """

    quote_id: UUID | None = None
    promo: str | None = None
    expected_total: int | None = None

    @property
    def is_any(self) -> bool:
        """Whether nothing is asked of the price."""
        return self.quote_id is None and self.promo is None and self.expected_total is None


ANY_PRICE = AskedPrice()


class _Priced(PriceChanged):
    """PriceChanged, with a quote that is not kept yet."""

    def __init__(self, row: Quote | None) -> None:
        super().__init__(GONE)
        self.row = row


async def price_of_hold(database: Database, question: Question, asked: AskedPrice) -> Price | None:
    """What to hold by; None: nothing of it has a price. Nothing is written.

    With a quote its price, whatever has been set since. Raises PriceChanged where that quote is over, or the total is
    not the expected one (`told` has it keep the new quote); NotFound for an unknown quote, InvalidInput for one of
    something else, and what `quote` raises.
    """
    if asked.is_any and not question.has_prices:
        return None
    if asked.quote_id is not None:
        return await _by_quote(database, question, asked)
    row = await quote(database, question, asked.promo)
    if asked.expected_total is not None and asked.expected_total != (0 if row is None else row.total):
        raise _Priced(row)
    return None if row is None else price_of(row)


def price_of(row: Quote, *, is_new: bool = True) -> Price:
    """To hold by this quote, which is kept with the booking if it is new."""
    return Price(row.id, row.promo_code_id, _as_json(row) if is_new else None)


async def told(database: Database, error: BookingError) -> BookingError:
    """The error to raise; a changed price with its new quote, which is kept now."""
    if not isinstance(error, _Priced):
        return error
    if error.row is None:
        return PriceChanged(GONE, path=("input", "expectedTotal"))
    return PriceChanged(GONE, quote=await keep(database, error.row), path=("input", "expectedTotal"))


async def changed(database: Database, question: Question, asked: AskedPrice) -> BookingError:
    """The error to raise where the ledger has found the quote to be over: with what it costs now."""
    row = await quote(database, question, await _promo_of(database, question, asked))
    return await told(database, _Priced(row))


async def keep(database: Database, row: Quote) -> QuoteKey:
    """Write the quote, so that something can be held by it."""
    key = QuoteKey(row.organization_id, row.id)
    async with database.writing(row.organization_id) as session:
        session.add(row)
    return key


async def _by_quote(database: Database, question: Question, asked: AskedPrice) -> Price:
    row = await _read(database, question, asked)
    promo = row.inputs["promo"]
    if hash_of(question.inputs(promo)) != row.inputs_hash:
        raise InvalidInput("The quote is for something else.", path=("input", "quoteId"))
    if asked.promo is not None and asked.promo.strip().upper() != promo:
        raise InvalidInput("The quote is with another promo code, or none.", path=("input", "promoCode"))
    if row.expires_at <= question.now:
        raise _Priced(await quote(database, question, promo))
    if asked.expected_total is not None and asked.expected_total != row.total:
        key = QuoteKey(row.organization_id, row.id)
        raise PriceChanged(GONE, quote=key, path=("input", "expectedTotal"))
    return price_of(row, is_new=False)


async def _promo_of(database: Database, question: Question, asked: AskedPrice) -> str | None:
    if asked.quote_id is None:
        return asked.promo
    promo: str | None = (await _read(database, question, asked)).inputs["promo"]
    return promo


async def _read(database: Database, question: Question, asked: AskedPrice) -> Quote:
    facts, _ = question.requests[0]
    assert asked.quote_id is not None, "a quote is read that was named"
    key = QuoteKey(facts.key.organization_id, asked.quote_id)
    async with database.reading(key.organization_id) as session:
        row = (await read_quotes(session, [key])).get(key)
    if row is None:
        raise NotFound("There is no such quote.", path=("input", "quoteId"))
    return row


def _as_json(row: Quote) -> dict[str, Any]:
    """The row as `ledger_keep_quotes` wants it (ledger/sql/42_quotes.sql)."""
    amounts = ("subtotal", "tax", "total", "due_now", "due_at_venue", "kept_before", "owed_least", "replaces_id")
    names = ("currency", "inputs", "lines", "taxes", "terms", "due_later", *amounts, "expires_at")
    return {"inputs_hash": row.inputs_hash.hex(), **{name: getattr(row, name) for name in names}}
