import pytest
import stripe

from tests.payments.simulator.support import event_types, held, paid, refused
from tests.support.payments import Simulator

Client = stripe.StripeClient


async def test_money_is_given_back_in_parts_until_there_is_none(client: Client) -> None:
    intent = await paid(client)
    first = await client.v1.refunds.create_async(
        {"payment_intent": intent.id, "amount": 4_000, "metadata": {"line": "night"}}
    )
    assert (first.status, first.amount, first.metadata and first.metadata.to_dict()) == (
        "succeeded",
        4_000,
        {"line": "night"},
    )
    charge = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (4_000, False)
    rest = await client.v1.refunds.create_async({"charge": str(intent.latest_charge)})
    assert rest.amount == 6_000
    charge = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (10_000, True)
    listed = await client.v1.refunds.list_async({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [rest.id, first.id]
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "succeeded"
    assert (await event_types(client))[-2:] == ["charge.refunded", "refund.created"]


async def test_never_more_is_given_back_than_there_is(client: Client) -> None:
    intent = await paid(client)
    over = await refused(client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 10_001}))
    assert (over.http_status, getattr(over, "param", "")) == (400, "amount")
    assert "Refund amount (€100.01) is greater than charge amount (€100.00)" in str(over)
    await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 9_000})
    over = await refused(client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1_001}))
    assert "Refund amount (€10.01) is greater than unrefunded amount on charge (€10.00)" in str(over)
    await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1_000})
    over = await refused(client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1}))
    assert over.code == "charge_already_refunded"
    assert len((await client.v1.refunds.list_async({"charge": str(intent.latest_charge)})).data) == 2


async def test_of_a_part_that_was_captured_that_part_is_all_there_is(client: Client) -> None:
    intent = await held(client)
    await client.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 6_000})
    await refused(client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 6_001}))
    assert (await client.v1.refunds.create_async({"payment_intent": intent.id})).amount == 6_000


async def test_what_was_not_captured_is_not_refunded(client: Client) -> None:
    intent = await held(client)
    by_intent = await refused(client.v1.refunds.create_async({"payment_intent": intent.id}))
    by_charge = await refused(client.v1.refunds.create_async({"charge": str(intent.latest_charge)}))
    assert "must cancel the PaymentIntent" in str(by_intent)
    assert "must cancel the PaymentIntent" in str(by_charge)
    unpaid = await client.v1.payment_intents.create_async({"amount": 1_000, "currency": "eur"})
    assert "successful charge" in str(await refused(client.v1.refunds.create_async({"payment_intent": unpaid.id})))
    assert (await refused(client.v1.refunds.create_async({"payment_intent": "pi_none"}))).code == "resource_missing"
    assert "One of the following params" in str(await refused(client.v1.refunds.create_async({})))


async def test_a_refund_may_take_its_time(simulator: Simulator, client: Client) -> None:
    intent = await paid(client, "pm_card_pendingRefund")
    refund = await client.v1.refunds.create_async({"payment_intent": intent.id})
    assert refund.status == "pending"
    await simulator.tell("/clock", seconds=3_600)
    assert (await client.v1.refunds.retrieve_async(refund.id)).status == "succeeded"
    assert "refund.updated" in await event_types(client)


async def test_a_refund_may_fail_and_the_money_is_there_again(simulator: Simulator, client: Client) -> None:
    intent = await paid(client, "pm_card_refundFail")
    refund = await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 2_500})
    assert refund.status == "succeeded"
    await simulator.tell("/clock", seconds=3_600)
    refund = await client.v1.refunds.retrieve_async(refund.id)
    assert (refund.status, refund.failure_reason) == ("failed", "unknown")
    charge = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert (await event_types(client))[-1] == "refund.failed"
    assert (await simulator.ask())["money"] == {"eur": {"authorized": 0, "captured": 10_000, "refunded": 0}}


async def test_a_refund_s_metadata_may_change(client: Client) -> None:
    intent = await paid(client)
    refund = await client.v1.refunds.create_async({"payment_intent": intent.id})
    changed = await client.v1.refunds.update_async(refund.id, {"metadata": {"seen": "yes"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"seen": "yes"}


@pytest.mark.parametrize(("evidence", "verdict"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
async def test_a_disputed_charge_is_not_refunded_and_evidence_decides(
    client: Client, evidence: str, verdict: str
) -> None:
    intent = await paid(client, "pm_card_createDispute")
    dispute = (await client.v1.disputes.list_async({"payment_intent": intent.id})).data[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 10_000)
    error = await refused(client.v1.refunds.create_async({"payment_intent": intent.id}))
    assert error.code == "charge_disputed"
    saved = await client.v1.disputes.update_async(dispute.id, {"evidence": {"customer_name": "Ana"}, "submit": False})
    assert saved.status == "needs_response"
    decided = await client.v1.disputes.update_async(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    assert decided.status == verdict
    events = await event_types(client)
    assert events[-1] == "charge.dispute.closed"
    assert ("charge.dispute.funds_reinstated" in events) is (verdict == "won")
    if verdict == "won":
        assert (await client.v1.refunds.create_async({"payment_intent": intent.id})).status == "succeeded"
    else:
        assert (await refused(client.v1.refunds.create_async({"payment_intent": intent.id}))).code == "charge_disputed"
    await refused(client.v1.disputes.close_async(dispute.id))


async def test_any_charge_can_be_disputed_on_demand_and_given_up(simulator: Simulator, client: Client) -> None:
    intent = await paid(client)
    opened = await simulator.tell(f"/charges/{intent.latest_charge}/dispute", reason="product_not_received")
    assert (await client.v1.disputes.retrieve_async(opened["id"])).reason == "product_not_received"
    assert (await client.v1.disputes.close_async(opened["id"])).status == "lost"
