"""Customers: who pays, and whose cards are kept."""

from typing import Any, Final

from payments.simulator.documents import Document, new_id
from payments.simulator.lists import listed
from payments.simulator.operations import Call, Operation, delete, get, post
from payments.simulator.parameters import (
    ADDRESS,
    COMMON,
    LISTED,
    merged,
    metadata,
    optional,
    text,
    unsettable,
)
from payments.simulator.refusals import missing
from payments.simulator.world import World

DETAILS: Final = {
    **COMMON,
    "address": optional(unsettable(ADDRESS)),
    "description": optional(unsettable(text(350))),
    "email": optional(unsettable(text(512))),
    "metadata": optional(metadata),
    "name": optional(unsettable(text(256))),
    "phone": optional(unsettable(text(20))),
}


def create(world: World, call: Call) -> Document:
    """A new customer."""
    customer: Document = {
        "id": new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": new_id("x")[2:10].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    _fill(customer, call.params)
    world.put("customer", customer)
    world.happened("customer.created", customer)
    return customer


def retrieve(world: World, call: Call) -> Document:
    """The customer; of one that was deleted, that it was."""
    return world.get("customer", call.path["id"])


def update(world: World, call: Call) -> Document:
    """Change what is given."""
    customer = living(world, call.path["id"])
    before = {name: customer[name] for name in call.params if name in customer and name != "metadata"}
    _fill(customer, call.params)
    world.put("customer", customer)
    world.happened("customer.updated", customer, before=before)
    return customer


def remove(world: World, call: Call) -> Document:
    """Delete the customer: its cards are no more, its payments are kept."""
    customer = living(world, call.path["id"])
    for method in world.documents.newest_first("payment_method"):
        if method["customer"] == customer["id"]:
            method.update(customer=None, _spent=True)
            world.put("payment_method", method)
    world.happened("customer.deleted", customer)
    return world.put("customer", {"id": customer["id"], "object": "customer", "deleted": True})


def find_all(world: World, call: Call) -> Document:
    """A page of the customers, all or those with an email address."""
    email = call.params.get("email")

    def matches(customer: Document) -> bool:
        return not customer.get("deleted") and (email is None or customer["email"] == email)

    return listed(world, "customer", call.params, "/v1/customers", matches)


def living(world: World, identifier: str, param: str = "id", *, status: int = 404) -> Document:
    """The customer. Raises Refusal if there never was one, or it was deleted."""
    customer = world.get("customer", identifier, param, status=status)
    if customer.get("deleted"):
        raise missing("customer", identifier, param, status=status)
    return customer


def _fill(customer: Document, params: dict[str, Any]) -> None:
    customer["metadata"] = merged(customer["metadata"], params.get("metadata"))
    for name in DETAILS:
        if name in params and name not in COMMON and name != "metadata":
            customer[name] = params[name]


OPERATIONS: Final[tuple[Operation, ...]] = (
    post("/v1/customers", create, DETAILS),
    get("/v1/customers", find_all, {**LISTED, "email": optional(text(512))}),
    get("/v1/customers/{id}", retrieve),
    post("/v1/customers/{id}", update, DETAILS),
    delete("/v1/customers/{id}", remove),
)
