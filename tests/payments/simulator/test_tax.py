from typing import Any

import pytest
import stripe

from tests.payments.simulator.support import refused
from tests.support.payments import Simulator

Client = stripe.StripeClient
LISBON: Any = {"address": {"country": "PT"}, "address_source": "billing"}


async def calculated(client: Client, *lines: Any, **more: Any) -> stripe.tax.Calculation:
    params: Any = {
        "currency": "eur",
        "customer_details": LISBON,
        "line_items": list(lines),
        "expand": ["line_items"],
        **more,
    }
    return await client.v1.tax.calculations.create_async(params)


@pytest.mark.parametrize(
    ("money", "behavior", "tax"),
    [
        (10_000, "exclusive", 2_300),  # 100.00 × 23 %
        (12_300, "inclusive", 2_300),  # 123.00 × 23 / 123
        (10, "exclusive", 2),  # 0.10 × 23 % = 0.023
        (50, "exclusive", 12),  # 0.50 × 23 % = 0.115, half up
        (-50, "exclusive", -12),
        (100, "inclusive", 19),  # 1.00 × 23 / 123 = 0.18699
    ],
)
async def test_tax_is_rounded_by_line(client: Client, money: int, behavior: Any, tax: int) -> None:
    calculation = await calculated(client, {"amount": money, "reference": "a", "tax_behavior": behavior})
    assert calculation.line_items is not None
    assert calculation.line_items.data[0].amount_tax == tax
    assert calculation.amount_total == money + (tax if behavior == "exclusive" else 0)
    assert (calculation.tax_amount_exclusive, calculation.tax_amount_inclusive) == (
        (tax, 0) if behavior == "exclusive" else (0, tax)
    )


async def test_where_nothing_is_collected_there_is_no_tax(client: Client) -> None:
    calculation = await calculated(
        client, {"amount": 10_000, "reference": "a"}, customer_details={"address": {"country": "JP"}}
    )
    assert (calculation.amount_total, calculation.tax_amount_exclusive) == (10_000, 0)
    assert calculation.tax_breakdown[0].taxability_reason == "not_collecting"


async def test_a_test_sets_the_rate_it_needs(simulator: Simulator, client: Client) -> None:
    await simulator.tell("/tax_rates", country="PT", percentage="6.0", display_name="IVA")
    assert (await calculated(client, {"amount": 10_000, "reference": "a"})).tax_amount_exclusive == 600


async def test_a_customer_s_address_serves(client: Client) -> None:
    customer = await client.v1.customers.create_async({"address": {"country": "DZ"}})
    params: Any = {"currency": "dzd", "customer": customer.id, "line_items": [{"amount": 10_000, "reference": "a"}]}
    assert (await client.v1.tax.calculations.create_async(params)).tax_amount_exclusive == 1_900
    nowhere: Any = {"currency": "eur", "line_items": [{"amount": 10_000, "reference": "a"}]}
    error = await refused(client.v1.tax.calculations.create_async(nowhere))
    assert error.code == "customer_tax_location_invalid"


async def test_a_calculation_is_recorded_once_and_while_it_is_good(simulator: Simulator, client: Client) -> None:
    record = client.v1.tax.transactions.create_from_calculation_async
    first = await calculated(client, {"amount": 10_000, "reference": "a"})
    transaction = await record({"calculation": str(first.id), "reference": "booking-1"})
    assert (transaction.type, transaction.reference) == ("transaction", "booking-1")
    await refused(record({"calculation": str(first.id), "reference": "booking-2"}))
    second = await calculated(client, {"amount": 10_000, "reference": "a"})
    assert "booking-1" in str(await refused(record({"calculation": str(second.id), "reference": "booking-1"})))
    await simulator.tell("/clock", seconds=91 * 86_400)
    assert "expired" in str(await refused(record({"calculation": str(second.id), "reference": "booking-2"})))


async def test_a_transaction_is_taken_back_line_by_line_and_never_twice(client: Client) -> None:
    calculation = await calculated(client, {"amount": 10_000, "reference": "a"}, {"amount": 5_000, "reference": "b"})
    transaction = await client.v1.tax.transactions.create_from_calculation_async(
        {"calculation": str(calculation.id), "reference": "booking-1"}
    )
    lines = (await client.v1.tax.transactions.line_items.list_async(transaction.id)).data
    assert [(line.amount, line.amount_tax) for line in lines] == [(10_000, 2_300), (5_000, 1_150)]

    async def back(reference: str, amount: int, tax: int) -> stripe.tax.Transaction:
        line: Any = {"original_line_item": lines[0].id, "amount": amount, "amount_tax": tax, "reference": reference}
        return await client.v1.tax.transactions.create_reversal_async(
            {
                "mode": "partial",
                "original_transaction": transaction.id,
                "reference": reference,
                "line_items": [line],
                "expand": ["line_items"],
            }
        )

    reversal = await back("refund-1", -4_000, -920)
    assert reversal.line_items is not None
    assert (reversal.type, reversal.line_items.data[0].amount) == ("reversal", -4_000)
    await refused(back("refund-2", -6_001, -1_380))
    await back("refund-3", -6_000, -1_380)
    whole: Any = {"mode": "full", "original_transaction": transaction.id, "reference": "refund-4"}
    assert "reversed already" in str(await refused(client.v1.tax.transactions.create_reversal_async(whole)))
