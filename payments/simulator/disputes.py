"""Disputes: a buyer asks the bank for the money back; it is gone until the dispute is won."""

from typing import Any, Final

from payments.simulator.documents import Document, new_id
from payments.simulator.lists import listed
from payments.simulator.operations import Call, Operation, get, post
from payments.simulator.parameters import COMMON, LISTED, boolean, merged, metadata, object_of, optional, text
from payments.simulator.refusals import invalid
from payments.simulator.world import World

RESPOND_WITHIN_SECONDS: Final = 7 * 24 * 3_600
EVIDENCE: Final = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "uncategorized_text",
)
# docs.stripe.com/testing: what decides a dispute of a test card, given as uncategorized_text.
DECIDING: Final = {"winning_evidence": "won", "losing_evidence": "lost"}


def retrieve(world: World, call: Call) -> Document:
    """The dispute."""
    return world.get("dispute", call.path["id"])


def find_all(world: World, call: Call) -> Document:
    """A page of the disputes, all or those of a charge or an intent."""
    wanted = {name: call.params[name] for name in ("charge", "payment_intent") if name in call.params}
    return listed(
        world,
        "dispute",
        call.params,
        "/v1/disputes",
        lambda dispute: all(dispute[name] == value for name, value in wanted.items()),
    )


def update(world: World, call: Call) -> Document:
    """Add evidence. It is submitted unless `submit` is false, and then decides at once if it is a test's."""
    dispute = _open(world, call.path["id"])
    evidence: dict[str, Any] = call.params.get("evidence", {})
    dispute["evidence"] = {**dispute["evidence"], **evidence}
    dispute["metadata"] = merged(dispute["metadata"], call.params.get("metadata"))
    if evidence:
        dispute["evidence_details"]["has_evidence"] = True
    if call.params.get("submit", True) and evidence:
        dispute["status"] = "under_review"
        dispute["evidence_details"] |= {"submission_count": 1, "submission_method": "manual"}
    world.put("dispute", dispute)
    world.happened("charge.dispute.updated", dispute)
    verdict = DECIDING.get(str(dispute["evidence"]["uncategorized_text"]))
    if dispute["status"] == "under_review" and verdict is not None:
        decide(world, dispute, verdict)
    return dispute


def close(world: World, call: Call) -> Document:
    """Give up: the dispute is lost."""
    return decide(world, _open(world, call.path["id"]), "lost")


def open_dispute(world: World, charge: Document, reason: str) -> Document:
    """The buyer disputes all that was captured."""
    card = charge["payment_method_details"].get("card", {})
    dispute: Document = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount_captured"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now() + RESPOND_WITHIN_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": card.get("brand", "visa"),
                "case_type": "chargeback",
                "network": card.get("network", "visa"),
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }
    charge.update(disputed=True, _charged_back=True)
    world.put("charge", charge)
    world.put("dispute", dispute)
    world.happened("charge.dispute.created", dispute)
    world.happened("charge.dispute.funds_withdrawn", dispute)
    return dispute


def decide(world: World, dispute: Document, verdict: str) -> Document:
    """The bank has decided: `won` gives the money back to us, `lost` keeps it."""
    dispute["status"] = verdict
    world.put("dispute", dispute)
    if verdict == "won":
        charge = world.get("charge", dispute["charge"])
        charge["_charged_back"] = False
        world.put("charge", charge)
        world.happened("charge.dispute.funds_reinstated", dispute)
    world.happened("charge.dispute.closed", dispute)
    return dispute


def _open(world: World, identifier: str) -> Document:
    dispute = world.get("dispute", identifier)
    if dispute["status"] != "needs_response":
        raise invalid(f"Dispute {identifier} has a status of {dispute['status']}, and cannot be changed.")
    return dispute


OPERATIONS: Final[tuple[Operation, ...]] = (
    get(
        "/v1/disputes",
        find_all,
        {**LISTED, "charge": optional(text(100)), "payment_intent": optional(text(100))},
    ),
    get("/v1/disputes/{id}", retrieve),
    post(
        "/v1/disputes/{id}",
        update,
        {
            **COMMON,
            "evidence": optional(object_of({name: optional(text(20_000)) for name in EVIDENCE})),
            "metadata": optional(metadata),
            "submit": optional(boolean),
        },
    ),
    post("/v1/disputes/{id}/close", close, COMMON),
)
