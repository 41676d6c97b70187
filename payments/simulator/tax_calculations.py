"""Tax calculations: what the tax would be, by the country of the customer's address; good for ninety days."""

from typing import Any, Final

from payments.simulator.customers import living
from payments.simulator.documents import Document, new_id
from payments.simulator.lists import page
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import (
    COMMON,
    INSTANT,
    PAGED,
    currency,
    list_of,
    object_of,
    optional,
    required,
    text,
)
from payments.simulator.refusals import invalid
from payments.simulator.tax import CUSTOMER_DETAILS, LINE, RATES, Rate, customer_details, taxed
from payments.simulator.world import World

GOOD_FOR_SECONDS: Final = 90 * 24 * 3_600


def create(world: World, call: Call) -> Document:
    """The tax on each line, and in all."""
    params = call.params
    details = customer_details(_customer(world, params))
    rate = _rate(world, details)
    lines = [taxed(line, rate, position) for position, line in enumerate(params["line_items"])]
    exclusive = sum(line["amount_tax"] for line in lines if line["tax_behavior"] == "exclusive")
    inclusive = sum(line["amount_tax"] for line in lines if line["tax_behavior"] == "inclusive")
    return world.put(
        "tax.calculation",
        {
            "id": new_id("taxcalc"),
            "object": "tax.calculation",
            "amount_total": sum(line["amount"] for line in lines) + exclusive,
            "currency": params["currency"],
            "customer": params.get("customer"),
            "customer_details": details,
            "expires_at": world.now() + GOOD_FOR_SECONDS,
            "livemode": False,
            "ship_from_details": None,
            "shipping_cost": None,
            "tax_amount_exclusive": exclusive,
            "tax_amount_inclusive": inclusive,
            "tax_breakdown": _breakdown(lines, rate),
            "tax_date": params.get("tax_date", world.now()),
            "_lines": lines,
        },
    )


def retrieve(world: World, call: Call) -> Document:
    """The calculation."""
    return world.get("tax.calculation", call.path["id"])


def line_items(world: World, call: Call) -> Document:
    """A page of its lines."""
    calculation = world.get("tax.calculation", call.path["id"])
    url = f"/v1/tax/calculations/{calculation['id']}/line_items"
    return page(calculation["_lines"], call.params, url, "tax_calculation_line_item")


def _customer(world: World, params: dict[str, Any]) -> dict[str, Any]:
    """The details given, or those of the customer named. Raises Refusal where the address is not known."""
    details: dict[str, Any] = params.get("customer_details", {})
    if "customer" in params:
        details = {"address": living(world, params["customer"], "customer", status=400)["address"], **details}
    if not (details.get("address") or {}).get("country"):
        raise invalid(
            "We could not determine the customer's tax location based on the provided customer address.",
            code="customer_tax_location_invalid",
            param="customer_details[address]",
        )
    return details


def _rate(world: World, details: Document) -> Rate | None:
    country = str(details["address"]["country"]).upper()
    kept = world.documents.find("tax_rate", country)
    if details["taxability_override"] != "none":
        return None
    return Rate(country, kept["display_name"], kept["tax_type"], kept["percentage"]) if kept else RATES.get(country)


def _breakdown(lines: list[Document], rate: Rate | None) -> list[Document]:
    return [
        {
            "amount": sum(line["amount_tax"] for line in same),
            "inclusive": behavior == "inclusive",
            "tax_rate_details": {
                "country": rate.country if rate is not None else None,
                "flat_amount": None,
                "percentage_decimal": rate.percentage if rate is not None else "0.0",
                "rate_type": "percentage" if rate is not None else None,
                "state": None,
                "tax_type": rate.tax_type if rate is not None else None,
            },
            "taxability_reason": "standard_rated" if rate is not None else "not_collecting",
            "taxable_amount": sum(line["tax_breakdown"][0]["taxable_amount"] for line in same),
        }
        for behavior in ("exclusive", "inclusive")
        if (same := [line for line in lines if line["tax_behavior"] == behavior])
    ]


OPERATIONS: Final[tuple[Operation, ...]] = (
    post(
        "/v1/tax/calculations",
        create,
        {
            **COMMON,
            "currency": required(currency),
            "customer": optional(text(100)),
            "customer_details": optional(CUSTOMER_DETAILS),
            "line_items": required(list_of(object_of(LINE))),
            "tax_date": optional(INSTANT),
        },
    ),
    get("/v1/tax/calculations/{id}", retrieve),
    get("/v1/tax/calculations/{id}/line_items", line_items, PAGED),
)
