"""Stripe Tax behind its port: what is asked, what comes back, and what repeating and failing do."""

import uuid
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import pytest
import stripe

from engine.payment import PaymentRefused, PaymentUnavailable
from engine.ports import TaxProvider
from engine.taxes.bill import BillLine, TaxBill, TaxKey, TaxPlace
from models.keys import BookingKey
from payments import taxes as taxes_module
from payments.breaker import Breaker
from payments.calls import Calls
from payments.settings import StripeSettings
from payments.taxes import LINES_MAX, StripeTaxes
from tests.support.payments import SECRET_KEY, Simulator

RECORD = "POST /v1/tax/transactions/create_from_calculation"
REVERSE = "POST /v1/tax/transactions/create_reversal"
FAULTS = ["lost_before", "lost_after", "error_before", "rate_limited", "hang_after"]


@pytest.fixture
async def calls(simulator: Simulator) -> AsyncIterator[Calls]:
    """Without repetitions, so that each fault is seen; and soon tired of waiting."""
    settings = StripeSettings(secret_key=SECRET_KEY, url=simulator.url)
    made = Calls(settings, retries_max=0, breaker=Breaker(failures_max=1_000), read_seconds_max=0.5)
    yield made
    await made.close()


@pytest.fixture
def taxes(calls: Calls) -> TaxProvider:
    return StripeTaxes(calls)


def tax_key() -> TaxKey:
    return TaxKey(BookingKey(uuid.uuid4(), uuid.uuid4()), uuid.uuid4())


def bill(*amounts: int, included: bool = False, country: str = "PT", currency: str = "EUR") -> TaxBill:
    lines = tuple(BillLine(item, uuid.uuid4(), amount, included, None) for item, amount in enumerate(amounts))
    return TaxBill(currency, TaxPlace(country), lines)


async def transactions(simulator: Simulator, client: stripe.StripeClient, *references: str) -> list[list[Any]]:
    """Amount and tax of each line of these transactions."""
    found = [(await client.v1.tax.transactions.line_items.list_async(one)).data for one in references]
    return [[(line.amount, line.amount_tax) for line in lines] for lines in found]


@pytest.mark.parametrize(
    ("asked", "taxes_due", "rate"),
    [
        (bill(10_000, 5_000), [2_300, 1_150], "23 %"),
        (bill(12_300, included=True), [2_300], "23 %"),
        (bill(10_000, country="US"), [0], "0 %"),
        (bill(333, currency="JPY"), [77], "23 %"),  # 76.59 yen
        (bill(1_001, currency="TND"), [230], "23 %"),  # 230.23 millimes
    ],
)
async def test_each_line_has_its_tax(taxes: TaxProvider, asked: TaxBill, taxes_due: list[int], rate: str) -> None:
    answer = await taxes.calculate(asked)
    assert [(tax.amount, tax.rate) for tax in answer.taxes] == [(due, rate) for due in taxes_due]
    assert answer.reference.startswith("taxcalc_")


async def test_what_is_sold_and_where_is_told_and_nothing_else(taxes: TaxProvider, client: stripe.StripeClient) -> None:
    line = BillLine(0, uuid.uuid4(), 10_000, False, "txcd_20030000")
    answer = await taxes.calculate(TaxBill("EUR", TaxPlace("PT", "Lisboa", "1100-148"), (line,)))
    made = await client.v1.tax.calculations.retrieve_async(answer.reference, {"expand": ["line_items"]})
    assert made.customer_details.address is not None
    told = {name: value for name, value in made.customer_details.address.to_dict().items() if value is not None}
    assert told == {"country": "PT", "state": "Lisboa", "postal_code": "1100-148"}
    assert (made.customer, made.customer_details.ip_address, made.customer_details.tax_ids) == (None, None, [])
    assert made.line_items is not None
    assert made.line_items.data[0].tax_code == "txcd_20030000"


async def test_a_booking_is_recorded_once_and_taken_back_whole(
    taxes: TaxProvider, simulator: Simulator, client: stripe.StripeClient
) -> None:
    key = tax_key()
    calculation = (await taxes.calculate(bill(10_000, 5_000))).reference
    recorded = await taxes.record(calculation, key)
    assert await taxes.record(calculation, key) == recorded
    reversal = await taxes.reverse(recorded, key, None)
    assert await taxes.reverse(recorded, key, None) == reversal
    lines = await transactions(simulator, client, recorded, reversal)
    assert lines == [[(10_000, 2_300), (5_000, 1_150)], [(-10_000, -2_300), (-5_000, -1_150)]]


async def test_of_each_item_comes_back_what_the_terms_say(
    taxes: TaxProvider, simulator: Simulator, client: stripe.StripeClient
) -> None:
    """Half of 100.01 and 23.00, of the second item nothing, and of the third all of it."""
    key = tax_key()
    recorded = await taxes.record((await taxes.calculate(bill(10_001, 5_000, 100))).reference, key)
    reversal = await taxes.reverse(recorded, key, {0: Fraction(1, 2), 1: Fraction(0), 2: Fraction(1)})
    assert await transactions(simulator, client, reversal) == [[(-5_001, -1_150), (-100, -23)]]


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_failed_is_repeated_with_one_effect(
    taxes: TaxProvider, simulator: Simulator, client: stripe.StripeClient, fault: str
) -> None:
    more = {"seconds": 0.6} if fault.startswith("hang") else {}
    key = tax_key()
    calculation = (await taxes.calculate(bill(10_000))).reference
    await simulator.fault(fault, RECORD, count=1, **more)
    with pytest.raises(PaymentUnavailable):
        await taxes.record(calculation, key)
    recorded = await taxes.record(calculation, key)
    await simulator.fault(fault, REVERSE, count=1, **more)
    with pytest.raises(PaymentUnavailable):
        await taxes.reverse(recorded, key, None)
    reversal = await taxes.reverse(recorded, key, None)
    assert await transactions(simulator, client, recorded, reversal) == [[(10_000, 2_300)], [(-10_000, -2_300)]]


async def test_what_failed_for_a_day_is_asked_with_another_key_and_still_has_one_effect(
    taxes: TaxProvider, simulator: Simulator
) -> None:
    """It was done, and what it is called will not be said: Stripe takes its reference once, so it is refused."""
    calculation = (await taxes.calculate(bill(10_000))).reference
    await simulator.fault("error_after", RECORD, count=1)
    with pytest.raises(PaymentRefused):
        await taxes.record(calculation, tax_key())
    requests = [one["operation"] for one in await simulator.ask("/requests")]
    assert requests.count(RECORD) == 2


async def test_who_does_not_answer_is_unavailable_and_soon(taxes: TaxProvider, simulator: Simulator) -> None:
    await simulator.fault("lost_before", "POST /v1/tax/calculations", count=1)
    with pytest.raises(PaymentUnavailable):
        await taxes.calculate(bill(10_000))
    assert (await taxes.calculate(bill(10_000))).taxes[0].amount == 2_300


async def test_what_can_not_be_told_is_refused(taxes: TaxProvider) -> None:
    with pytest.raises(PaymentRefused, match="customer_tax_location_invalid"):
        await taxes.calculate(bill(10_000, country=""))
    with pytest.raises(PaymentRefused, match="100 lines"):
        await taxes.calculate(bill(*[1] * (LINES_MAX + 1)))


async def test_so_many_are_calculated_at_once(taxes: TaxProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taxes_module, "UNDER_WAY_MAX", 0)
    with pytest.raises(PaymentUnavailable, match="at once"):
        await taxes.calculate(bill(10_000))
