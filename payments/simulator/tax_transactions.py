"""Tax transactions: a calculation put on record under a reference of its own, and taken back in whole or in part."""

from typing import Any, Final

from payments.simulator.documents import Document, new_id
from payments.simulator.lists import page
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import (
    COMMON,
    INSTANT,
    PAGED,
    list_of,
    merged,
    metadata,
    object_of,
    one_of,
    optional,
    required,
    text,
)
from payments.simulator.refusals import Malformed, invalid
from payments.simulator.tax import REVERSED_LINE
from payments.simulator.world import World


def create(world: World, call: Call) -> Document:
    """Put a calculation on record. Raises Refusal when it has expired, is recorded, or the reference is taken."""
    calculation = world.get("tax.calculation", call.params["calculation"], "calculation", status=400)
    if calculation["expires_at"] < world.now():
        raise invalid(f"The tax calculation {calculation['id']} has expired.", param="calculation")
    if calculation.get("_recorded"):
        raise invalid(f"The tax calculation {calculation['id']} was recorded already.", param="calculation")
    _check_reference(world, call.params["reference"])
    calculation["_recorded"] = True
    world.put("tax.calculation", calculation)
    lines = [_recorded(line) for line in calculation["_lines"]]
    return _keep(world, call, calculation, lines, None)


def reverse(world: World, call: Call) -> Document:
    """Take a transaction back: all of it, or some of its lines. Raises Refusal for more than it has left."""
    original = world.get("tax.transaction", call.params["original_transaction"], "original_transaction", status=400)
    if original["type"] != "transaction":
        raise invalid("A reversal cannot be reversed.", param="original_transaction")
    _check_reference(world, call.params["reference"])
    if call.params["mode"] == "full":
        if any(line["_left"] != [line["amount"], line["amount_tax"]] for line in original["_lines"]):
            raise invalid("The transaction was reversed already, at least in part.", param="original_transaction")
        lines = [_reversed(line, line["amount"], line["amount_tax"], line["reference"]) for line in original["_lines"]]
    else:
        lines = _partly(original, call.params)
    world.put("tax.transaction", original)
    return _keep(world, call, original, lines, original["id"])


def retrieve(world: World, call: Call) -> Document:
    """The transaction."""
    return world.get("tax.transaction", call.path["id"])


def line_items(world: World, call: Call) -> Document:
    """A page of its lines."""
    transaction = world.get("tax.transaction", call.path["id"])
    url = f"/v1/tax/transactions/{transaction['id']}/line_items"
    return page(transaction["_lines"], call.params, url, "tax_transaction_line_item")


def _keep(world: World, call: Call, source: Document, lines: list[Document], original: str | None) -> Document:
    return world.put(
        "tax.transaction",
        {
            "id": new_id("tax"),
            "object": "tax.transaction",
            "created": world.now(),
            "currency": source["currency"],
            "customer": source["customer"],
            "customer_details": source["customer_details"],
            "livemode": False,
            "metadata": merged({}, call.params.get("metadata")),
            "posted_at": call.params.get("posted_at", world.now()),
            "reference": call.params["reference"],
            "reversal": None if original is None else {"original_transaction": original},
            "ship_from_details": None,
            "shipping_cost": None,
            "tax_date": source["tax_date"],
            "type": "transaction" if original is None else "reversal",
            "_lines": lines,
        },
    )


def _recorded(line: Document) -> Document:
    kept = {name: value for name, value in line.items() if name != "tax_breakdown"}
    return kept | {
        "id": new_id("tax_li"),
        "object": "tax.transaction_line_item",
        "reversal": None,
        "type": "transaction",
        "_left": [line["amount"], line["amount_tax"]],
    }


def _reversed(line: Document, money: int, tax: int, reference: str) -> Document:
    """The line that takes `money` and `tax` of `line` back, which has that much less left."""
    line["_left"] = [line["_left"][0] - money, line["_left"][1] - tax]
    return {**line} | {
        "id": new_id("tax_li"),
        "amount": -money,
        "amount_tax": -tax,
        "reference": reference,
        "reversal": {"original_line_item": line["id"]},
        "type": "reversal",
        "_left": [0, 0],
    }


def _partly(original: Document, params: dict[str, Any]) -> list[Document]:
    if "line_items" not in params:
        raise Malformed("Missing required param: line_items.", code="parameter_missing", param="line_items")
    by_id = {line["id"]: line for line in original["_lines"]}
    if len({given["original_line_item"] for given in params["line_items"]}) < len(params["line_items"]):
        raise invalid("A line item can be reversed once in a request.", param="line_items")
    for given in params["line_items"]:
        line = by_id.get(given["original_line_item"])
        if line is None:
            raise invalid(f"No such line item: '{given['original_line_item']}'", param="original_line_item")
        if -given["amount"] > line["_left"][0] or -given["amount_tax"] > line["_left"][1]:
            raise invalid("The reversed amount is greater than what is left of the line.", param="line_items")
    return [
        _reversed(by_id[given["original_line_item"]], -given["amount"], -given["amount_tax"], given["reference"])
        for given in params["line_items"]
    ]


def _check_reference(world: World, reference: str) -> None:
    if any(each["reference"] == reference for each in world.documents.oldest_first("tax.transaction")):
        raise invalid(f"A tax transaction with the reference {reference} exists already.", param="reference")


OPERATIONS: Final[tuple[Operation, ...]] = (
    post(
        "/v1/tax/transactions/create_from_calculation",
        create,
        {
            **COMMON,
            "calculation": required(text(100)),
            "metadata": optional(metadata),
            "posted_at": optional(INSTANT),
            "reference": required(text(500)),
        },
    ),
    post(
        "/v1/tax/transactions/create_reversal",
        reverse,
        {
            **COMMON,
            "line_items": optional(list_of(object_of(REVERSED_LINE))),
            "metadata": optional(metadata),
            "mode": required(one_of("full", "partial")),
            "original_transaction": required(text(100)),
            "reference": required(text(500)),
        },
    ),
    get("/v1/tax/transactions/{id}", retrieve),
    get("/v1/tax/transactions/{id}/line_items", line_items, PAGED),
)
