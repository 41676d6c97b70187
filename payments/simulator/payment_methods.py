"""Payment methods: a test card, or iDEAL, which is confirmed at a bank and cannot be authorized ahead of capture."""

from typing import Final

from payments.simulator.cards import BY_PAYMENT_METHOD, TestCard, card_of_number
from payments.simulator.customers import living
from payments.simulator.documents import Document
from payments.simulator.lists import listed
from payments.simulator.new_methods import card_method, new_method
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import (
    ADDRESS,
    COMMON,
    PAGED,
    Parameters,
    integer,
    merged,
    metadata,
    object_of,
    one_of,
    optional,
    required,
    text,
    unsettable,
)
from payments.simulator.refusals import invalid, missing
from payments.simulator.world import World

TYPES: Final = ("card", "ideal")
AUTHORIZED_AHEAD: Final = frozenset({"card"})
"""Those whose money can be held and captured later."""

BILLING: Final = object_of(
    {
        "address": optional(unsettable(ADDRESS)),
        "email": optional(unsettable(text(512))),
        "name": optional(unsettable(text(256))),
        "phone": optional(unsettable(text(20))),
    }
)
CARD: Final = object_of(
    {
        "cvc": optional(text(4)),
        "exp_month": optional(integer(0, 99)),
        "exp_year": optional(integer(0, 9999)),
        "number": optional(text(30)),
        "token": optional(text(100)),
    }
)
DATA: Final[Parameters] = {
    "allow_redisplay": optional(one_of("always", "limited", "unspecified")),
    "billing_details": optional(BILLING),
    "card": optional(CARD),
    "ideal": optional(object_of({"bank": optional(text(50))})),
    "metadata": optional(metadata),
    "type": required(one_of(*TYPES)),
}


def create(world: World, call: Call) -> Document:
    """A new payment method that belongs to nobody yet."""
    return world.put("payment_method", new_method(world, call.params))


def retrieve(world: World, call: Call) -> Document:
    """The payment method."""
    return world.get("payment_method", call.path["id"])


def update(world: World, call: Call) -> Document:
    """Change billing details or metadata of one that belongs to a customer."""
    method = world.get("payment_method", call.path["id"])
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    method["metadata"] = merged(method["metadata"], call.params.get("metadata"))
    method["billing_details"] = {**method["billing_details"], **call.params.get("billing_details", {})}
    world.put("payment_method", method)
    world.happened("payment_method.updated", method)
    return method


def attach(world: World, call: Call) -> Document:
    """Keep it for a customer."""
    method = usable(world, call.path["id"], "id", status=404)
    customer = living(world, call.params["customer"], "customer", status=400)
    keep_for(world, method, customer["id"])
    return method


def detach(world: World, call: Call) -> Document:
    """Take it from its customer; it can never be used again."""
    method = world.get("payment_method", call.path["id"])
    if method["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = {"customer": method["customer"]}
    method.update(customer=None, _spent=True)
    world.put("payment_method", method)
    world.happened("payment_method.detached", method, before=before)
    return method


def find_all(world: World, call: Call) -> Document:
    """A page of a customer's payment methods."""
    customer = call.path.get("id") or call.params.get("customer")
    kind = call.params.get("type")
    if customer is not None:
        living(world, customer, "customer")

    def matches(method: Document) -> bool:
        return (
            method["customer"] is not None and customer in (None, method["customer"]) and kind in (None, method["type"])
        )

    return listed(world, "payment_method", call.params, "/v1/payment_methods", matches)


def usable(world: World, identifier: str, param: str = "payment_method", *, status: int = 400) -> Document:
    """The payment method, or a fresh one for a test's `pm_card_…`. Raises Refusal for one that was used up."""
    if identifier in BY_PAYMENT_METHOD:
        return world.put("payment_method", card_method(world, BY_PAYMENT_METHOD[identifier], {}))
    method = world.documents.find("payment_method", identifier)
    if method is None:
        raise missing("payment_method", identifier, param, status=status)
    if method["_spent"]:
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be used "
            "again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
            param=param,
        )
    return method


def keep_for(world: World, method: Document, customer: str) -> None:
    """Attach `method` to `customer`. Raises Refusal, 402, where the bank refuses to have the card kept."""
    if method["customer"] == customer:
        return
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.")
    card = card_of(method)
    if card is not None and card.decline is not None and "chargeCustomerFail" not in card.names:
        raise card.decline.refusal()
    method["customer"] = customer
    world.put("payment_method", method)
    world.happened("payment_method.attached", method)


def card_of(method: Document) -> TestCard | None:
    """The test card behind it; None for another type."""
    return card_of_number(method["_number"]) if method["type"] == "card" else None


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("POST", "/v1/payment_methods", create, {**COMMON, **DATA}, publishable=True),
    get(
        "/v1/payment_methods",
        find_all,
        {**PAGED, "customer": optional(text(100)), "type": optional(one_of(*TYPES))},
    ),
    get("/v1/payment_methods/{id}", retrieve),
    post(
        "/v1/payment_methods/{id}",
        update,
        {**COMMON, "billing_details": optional(BILLING), "metadata": optional(metadata)},
    ),
    post("/v1/payment_methods/{id}/attach", attach, {**COMMON, "customer": required(text(100))}),
    post("/v1/payment_methods/{id}/detach", detach, COMMON),
    get("/v1/customers/{id}/payment_methods", find_all, {**PAGED, "type": optional(one_of(*TYPES))}),
)
