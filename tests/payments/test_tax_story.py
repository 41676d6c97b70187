"""A room whose tax the provider counts: quoted, held, confirmed, cancelled; and what the provider is told of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import stripe

from engine.asked_prices import AskedPrices
from engine.availability import Wish, availability
from engine.facts import load_facts
from engine.hold_prices import AskedPrice
from engine.holds import HoldRequest, ItemRequest, hold
from engine.part_cancelling import PartRequest, part_quote
from engine.ports import TaxProvider
from engine.quote_rows import taxes_of
from engine.quoting import QuoteRequest, create, look
from engine.rebooking import Opened, RebookRequest, rebook
from engine.tax_entries import ATTEMPTS_MAX, tell_taxes
from engine.viewer import GUEST
from models.booking import BookingStatus
from models.database import Database
from models.errors import NotPriced, TaxUnavailable
from models.ledger import calls as ledger
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.price import CancellationPolicy, Quote, TaxRule
from models.queries.timelines import read_timelines
from models.resource import Resource
from payments.breaker import Breaker
from payments.calls import Calls
from payments.settings import StripeSettings
from payments.taxes import StripeTaxes
from tests.support.factories import at, booking_key_of, change_of, key_of
from tests.support.payments import SECRET_KEY, Simulator
from tests.support.prices import FRIDAY, make_guesthouse, make_room
from tests.support.settings import put
from tests.support.staff import fresh_key

NOW = at("2030-05-31 12:00")
STAY = Wish(stay=(FRIDAY, FRIDAY + timedelta(days=2)))
VAT: dict[str, Any] = {"code": "IVA"}
RECORD = "POST /v1/tax/transactions/create_from_calculation"


@pytest.fixture
async def taxes(simulator: Simulator) -> AsyncIterator[TaxProvider]:
    settings = StripeSettings(secret_key=SECRET_KEY, url=simulator.url)
    calls = Calls(settings, retries_max=0, breaker=Breaker(failures_max=1_000))
    yield StripeTaxes(calls)
    await calls.close()


@pytest.fixture
async def room(database: Database) -> Resource:
    """100.00 a night, and VAT as the provider counts it; half comes back once it is confirmed."""
    room = await make_room(database, await make_guesthouse(database), capacity=5)
    await put(database, TaxRule, key_of(room), identity="PROVIDED", name="IVA", parameters=VAT)
    half = {"steps": [{"hoursBefore": 1, "refund": "50"}]}
    await put(database, CancellationPolicy, key_of(room), identity="HALF", parameters=half)
    return room


def asked(room: Resource) -> QuoteRequest:
    return QuoteRequest((ItemRequest(key_of(room), STAY),))


async def held(database: Database, room: Resource, taxes: TaxProvider, quote: Quote | None = None) -> BookingRecord:
    key = fresh_key()
    price = AskedPrice(quote_id=None if quote is None else quote.id)
    request = HoldRequest(key, key.encode(), asked(room).items, NO_CONTACT, {}, asked_price=price)
    return await hold(database, GUEST, request, now=NOW, taxes=taxes)


async def changed(database: Database, record: BookingRecord, action: BookingAction) -> BookingRecord:
    return await ledger.change_booking(database, change_of(record, action))


async def entries(owner: asyncpg.Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in await owner.fetch("SELECT * FROM tax_entry ORDER BY created_at")]


async def posted(client: stripe.StripeClient, reference: str) -> list[tuple[int, int]]:
    lines = await client.v1.tax.transactions.line_items.list_async(reference)
    return [(line.amount, line.amount_tax) for line in lines.data]


async def tried_again(owner: asyncpg.Connection) -> None:
    """Time passes: what was tried in vain is due again."""
    await owner.execute("UPDATE tax_entry SET next_at = clock_timestamp() WHERE next_at IS NOT NULL")


async def test_from_quote_to_cancellation(
    database: Database, owner: asyncpg.Connection, room: Resource, taxes: TaxProvider, client: stripe.StripeClient
) -> None:
    """2 × 100.00 and 23 % of 200.00: 246.00, half of which comes back."""
    quote = await create(database, GUEST, asked(room), key=fresh_key(), request_hash=b"", now=NOW, taxes=taxes)
    assert quote is not None
    (line,) = taxes_of(quote)
    assert (quote.subtotal, quote.tax, quote.total) == (200_00, 46_00, 246_00)
    assert (line.amount, line.rate, line.label) == (46_00, "23 %", "IVA")
    booking = await held(database, room, taxes, quote)
    assert await entries(owner) == []

    booking = await changed(database, booking, BookingAction.CONFIRM)
    (entry,) = await entries(owner)
    assert (entry["calculation"], entry["recorded"]) == (line.calculation, None)
    assert await tell_taxes(database, taxes, limit=10) == 1
    (entry,) = await entries(owner)
    assert await posted(client, entry["recorded"]) == [(200_00, 46_00)]
    assert (entry["next_at"], await tell_taxes(database, taxes, limit=10)) == (None, 0)

    await changed(database, booking, BookingAction.CANCEL)
    assert await tell_taxes(database, taxes, limit=10) == 1
    (entry,) = await entries(owner)
    assert await posted(client, entry["reversed"]) == [(-100_00, -23_00)]
    assert (entry["next_at"], entry["fault"]) == (None, None)


async def test_a_hold_by_a_quote_asks_nobody_and_costs_what_the_quote_does(
    database: Database, room: Resource, taxes: TaxProvider, simulator: Simulator
) -> None:
    quote = await create(database, GUEST, asked(room), key=fresh_key(), request_hash=b"", now=NOW, taxes=taxes)
    await simulator.tell("/tax_rates", country="PT", percentage="6.0")
    before = len(await simulator.ask("/requests"))
    booking = await held(database, room, taxes, quote)
    assert len(await simulator.ask("/requests")) == before
    assert quote is not None
    assert booking.booking.quote_id == quote.id


@pytest.mark.parametrize("fault", ["lost_before", "error_before", "rate_limited"])
async def test_no_price_is_told_without_its_tax(
    database: Database, owner: asyncpg.Connection, room: Resource, taxes: TaxProvider, simulator: Simulator, fault: str
) -> None:
    await simulator.fault(fault, "POST /v1/tax/calculations", count=3)
    with pytest.raises(TaxUnavailable) as caught:
        await look(database, GUEST, asked(room), now=NOW, taxes=taxes)
    assert caught.value.retryable
    with pytest.raises(TaxUnavailable):
        await create(database, GUEST, asked(room), key=fresh_key(), request_hash=b"", now=NOW, taxes=taxes)
    with pytest.raises(TaxUnavailable):
        await held(database, room, taxes)
    assert await owner.fetchval("SELECT (SELECT count(*) FROM quote) + (SELECT count(*) FROM booking)") == 0
    assert (await held(database, room, taxes)).booking.status == BookingStatus.ON_HOLD


async def test_where_no_provider_is_set_up_nothing_is_priced(database: Database, room: Resource) -> None:
    with pytest.raises(NotPriced, match="provider can not tell"):
        await look(database, GUEST, asked(room), now=NOW)


@pytest.mark.parametrize(("included", "total"), [(True, 200_00), (False, None)])
async def test_who_looks_at_many_prices_is_told_those_that_include_it(
    database: Database, room: Resource, included: bool, total: int | None
) -> None:
    await put(database, TaxRule, key_of(room), identity="PROVIDED", parameters={**VAT, "included": included})
    facts = (await load_facts(database, [key_of(room)]))[key_of(room)]

    async def load(views: Any) -> Any:
        return await read_timelines(database, views, own=[room.organization_id])

    answer = await availability(facts, STAY, load=load, now=NOW)
    prices = answer.prices
    assert isinstance(prices, AskedPrices)
    cost = prices.cost(None)
    assert (None if cost is None else cost.total) == total


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
async def test_a_record_that_failed_comes_again_and_is_made_once(
    database: Database,
    owner: asyncpg.Connection,
    room: Resource,
    taxes: TaxProvider,
    simulator: Simulator,
    client: stripe.StripeClient,
    fault: str,
) -> None:
    """Cancelled before it was recorded: recorded first, and then taken back, in one go."""
    booking = await changed(database, await held(database, room, taxes), BookingAction.CONFIRM)
    await changed(database, booking, BookingAction.CANCEL)
    await simulator.fault(fault, RECORD, count=1)
    assert await tell_taxes(database, taxes, limit=10) == 1
    (entry,) = await entries(owner)
    assert (entry["recorded"], entry["attempts"]) == (None, 1)
    assert await tell_taxes(database, taxes, limit=10) == 0, "it is not due before its time"
    await tried_again(owner)
    assert await tell_taxes(database, taxes, limit=10) == 1
    (entry,) = await entries(owner)
    assert await posted(client, entry["recorded"]) == [(200_00, 46_00)]
    assert await posted(client, entry["reversed"]) == [(-100_00, -23_00)]
    assert entry["next_at"] is None


async def test_workers_do_not_take_the_same(
    database: Database, owner: asyncpg.Connection, room: Resource, taxes: TaxProvider
) -> None:
    for _ in range(3):
        await changed(database, await held(database, room, taxes), BookingAction.CONFIRM)
    told = await asyncio.gather(*(tell_taxes(database, taxes, limit=10) for _ in range(3)))
    assert sum(told) == 3
    assert all(entry["recorded"] is not None for entry in await entries(owner))


async def test_what_is_refused_or_never_answered_is_given_up_with_its_reason(
    database: Database, owner: asyncpg.Connection, room: Resource, taxes: TaxProvider, simulator: Simulator
) -> None:
    await changed(database, await held(database, room, taxes), BookingAction.CONFIRM)
    await owner.execute("UPDATE tax_entry SET attempts = $1", ATTEMPTS_MAX - 1)
    await simulator.fault("lost_before", RECORD, count=1)
    assert await tell_taxes(database, taxes, limit=10) == 1
    (entry,) = await entries(owner)
    assert (entry["fault"], entry["next_at"]) == ("unavailable", None)
    await owner.execute("UPDATE tax_entry SET calculation = 'taxcalc_none', next_at = clock_timestamp()")
    assert await tell_taxes(database, taxes, limit=10) == 1
    (entry,) = await entries(owner)
    assert (entry["fault"], entry["next_at"]) == ("resource_missing", None)


async def test_another_price_takes_the_first_record_back_whole(
    database: Database, owner: asyncpg.Connection, room: Resource, taxes: TaxProvider, client: stripe.StripeClient
) -> None:
    booking = await changed(database, await held(database, room, taxes), BookingAction.CONFIRM)
    await tell_taxes(database, taxes, limit=10)
    other = await create(database, GUEST, asked(room), key=fresh_key(), request_hash=b"", now=NOW, taxes=taxes)
    assert other is not None
    await owner.execute(
        "UPDATE booking SET quote_id = $3 WHERE organization_id = $1 AND id = $2", *booking_key_of(booking), other.id
    )
    assert await tell_taxes(database, taxes, limit=10) == 2
    first, second = await entries(owner)
    assert await posted(client, first["reversed"]) == [(-200_00, -46_00)]
    assert await posted(client, second["recorded"]) == [(200_00, 46_00)]
    assert second["quote_id"] == other.id


async def test_a_change_is_counted_anew_and_a_part_is_not_taken_off_what_was_counted_elsewhere(
    database: Database, owner: asyncpg.Connection, room: Resource, taxes: TaxProvider, client: stripe.StripeClient
) -> None:
    """Two rooms of 200.00 become one: one record is taken back, and there is another."""
    two = HoldRequest(fresh_key(), b"", (ItemRequest(key_of(room), replace(STAY, quantity=2)),), NO_CONTACT, {})
    record = await hold(database, GUEST, two, now=NOW, taxes=taxes)
    await changed(database, record, BookingAction.CONFIRM)
    await tell_taxes(database, taxes, limit=10)
    opened = Opened(booking_key_of(record), booking_key_of(record))
    with pytest.raises(NotPriced, match="counted elsewhere"):
        await part_quote(database, GUEST, PartRequest(opened, 0, 1))
    one = RebookRequest(fresh_key(), b"", opened, asked(room).items)
    with pytest.raises(NotPriced, match="provider can not tell"):
        await rebook(database, GUEST, one, now=NOW)
    await rebook(database, GUEST, one, now=NOW, taxes=taxes)
    assert await tell_taxes(database, taxes, limit=10) == 2
    first, second = await entries(owner)
    assert await posted(client, first["reversed"]) == [(-400_00, -92_00)]
    assert await posted(client, second["recorded"]) == [(200_00, 46_00)]
