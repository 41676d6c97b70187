"""Stripe as the business needs it: hold money, take it, let it go, give it back; asked any number of times, done once.

An idempotency key follows from the booking, so that whoever asks again, after a crash or in another process, asks for
the same thing. Stripe forgets keys after a day; what could be done twice then is looked for first.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import stripe

from engine.payment import Dispute, Payment, PaymentKey, PaymentOrder, PaymentRefused, PaymentState, Refund
from models.keys import BookingKey
from payments.calls import Calls
from payments.translation import metadata_of, to_dispute, to_payment, to_refund

Intents = Callable[[Any], Awaitable[stripe.PaymentIntent]]

EXPANDED: Final = ["latest_charge"]
REFUNDS_MAX: Final = 100
DISPUTES_MAX: Final = 20
DISPUTES_PER_PAGE: Final = 100
DISPUTE_PAGES_MAX: Final = 10
INQUIRY: Final = "warning_"
MOVED_ON: Final = "payment_intent_unexpected_state"
ENDED: Final = frozenset({PaymentState.CAPTURED, PaymentState.VOID})
CHARGED: Final = ENDED | {PaymentState.HELD, PaymentState.PROCESSING}


class StripeGateway:
    """The port PaymentGateway, by stripe-python."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._intents = calls.stripe.v1.payment_intents
        self._refunds = calls.stripe.v1.refunds

    async def open(self, order: PaymentOrder) -> Payment:
        """Make the intent: cards are held and captured later, what cannot be held is captured at once."""
        params: Any = {
            "amount": order.amount,
            "currency": order.currency.lower(),
            "automatic_payment_methods": {
                "enabled": True,
                "allow_redirects": "always" if order.buyer_is_there else "never",
            },
            "payment_method_options": {"card": {"capture_method": "manual"}},
            "metadata": metadata_of(order.key),
            "expand": EXPANDED,
        }
        if order.customer is not None:
            params["customer"] = order.customer
        if order.keeps_card:
            params["setup_future_usage"] = "off_session"

        def create(options: Any) -> Awaitable[stripe.PaymentIntent]:
            return self._intents.create_async(params, options)

        # An intent that nobody was told of is never paid: another may be made.
        made = await self._calls.once(_named("open", order.key), create)
        # The answer to a repeated key is that of the first time: the state may be another by now.
        return await self.look(made.id) if _is_replay(made) else to_payment(made)

    async def look(self, reference: str) -> Payment:
        """Ask for the intent."""
        call = self._intents.retrieve_async
        return to_payment(await self._calls.ask(lambda: call(reference, {"expand": EXPANDED})))

    async def enroll(self, booking: BookingKey) -> str:
        """Make the customer: a name for a kept card, and no more."""
        params: Any = {"metadata": {"organization": str(booking.organization_id), "booking": str(booking.id)}}
        create = self._calls.stripe.v1.customers.create_async
        # A customer that nothing is kept for is nothing: another may be made.
        made = await self._calls.once(_named("enroll", PaymentKey(booking, 1)), lambda options: create(params, options))
        return made.id

    async def pay(
        self, reference: str, key: PaymentKey, method: str, *, attempt: str, return_url: str | None
    ) -> Payment:
        """Confirm the intent with its buyer there; what the bank says is in the payment."""
        back = {"use_stripe_sdk": True} if return_url is None else {"return_url": return_url}
        return await self._confirmed(reference, f"pay-{attempt}", key, {"payment_method": method, **back})

    async def charge(self, reference: str, key: PaymentKey, method: str, *, attempt: int = 1) -> Payment:
        """Confirm the intent off session; what the bank says is in the payment."""
        params = {"payment_method": method, "off_session": True}
        return await self._confirmed(reference, f"charge-{attempt}-{method}", key, params)

    async def capture(self, reference: str, key: PaymentKey, amount: int) -> Payment:
        """Capture `amount` of the intent."""
        params: Any = {"amount_to_capture": amount, "expand": EXPANDED}

        def capture(options: Any) -> Awaitable[stripe.PaymentIntent]:
            return self._intents.capture_async(reference, params, options)

        return await self._moved(reference, "capture", key, capture, ENDED)

    async def void(self, reference: str, key: PaymentKey) -> Payment:
        """Cancel the intent."""
        params: Any = {"cancellation_reason": "abandoned", "expand": EXPANDED}

        def cancel(options: Any) -> Awaitable[stripe.PaymentIntent]:
            return self._intents.cancel_async(reference, params, options)

        return await self._moved(reference, "void", key, cancel, ENDED)

    async def refund(self, reference: str, key: PaymentKey, amount: int) -> Refund:
        """Refund `amount`, unless a refund with this key is there."""
        wanted = metadata_of(key)
        params: Any = {"payment_intent": reference, "amount": amount, "metadata": wanted}
        listed: Any = {"payment_intent": reference, "limit": REFUNDS_MAX}

        def create(options: Any) -> Awaitable[stripe.Refund]:
            return self._refunds.create_async(params, options)

        async def there() -> stripe.Refund | None:
            known = await self._calls.ask(lambda: self._refunds.list_async(listed))
            same = (each for each in known.data if each.metadata is not None and each.metadata.to_dict() == wanted)
            return next(same, None)

        refund = await there()
        if refund is None:
            refund = await self._calls.once(_named("refund", key), create, there)
        if refund.amount != amount:
            raise PaymentRefused("idempotency_error", "The key belongs to a refund of another amount")
        return to_refund(refund)

    async def disputes(self, reference: str) -> list[Dispute]:
        """List the disputes of the intent."""
        listed: Any = {"payment_intent": reference, "limit": DISPUTES_MAX}
        found = await self._calls.ask(lambda: self._calls.stripe.v1.disputes.list_async(listed))
        return _disputes(found.data)

    async def disputes_since(self, since: datetime) -> list[Dispute]:
        """List the disputes of the account page by page; Stripe has the latest first."""
        params: Any = {"created": {"gte": int(since.timestamp())}, "limit": DISPUTES_PER_PAGE}
        found: list[stripe.Dispute] = []
        for _ in range(DISPUTE_PAGES_MAX):
            page = await self._calls.ask(partial(self._calls.stripe.v1.disputes.list_async, params))
            found += page.data
            if not page.has_more:
                break
            params = params | {"starting_after": page.data[-1].id}
        return _disputes(found)

    async def _confirmed(self, reference: str, what: str, key: PaymentKey, more: dict[str, object]) -> Payment:
        params: Any = {**more, "expand": EXPANDED}

        def confirm(options: Any) -> Awaitable[stripe.PaymentIntent]:
            return self._intents.confirm_async(reference, params, options)

        try:
            return await self._moved(reference, what, key, confirm, CHARGED)
        except stripe.CardError:  # that is in the payment, with all else about it
            return await self.look(reference)

    async def _moved(
        self, reference: str, what: str, key: PaymentKey, call: Intents, done: frozenset[PaymentState]
    ) -> Payment:
        """The payment after `call`; or as it is, if it had moved on before: who asked looks at its state."""

        async def as_it_is() -> Payment | None:
            payment = await self.look(reference)
            return payment if payment.state in done else None

        async def moved(options: Any) -> Payment:
            intent = await call(options)
            # The answer to a repeated key is that of the first time: what it has come to since is asked for.
            return await self.look(reference) if _is_replay(intent) else to_payment(intent)

        try:
            return await self._calls.once(_named(what, key), moved, as_it_is)
        except PaymentRefused as refused:
            if refused.code != MOVED_ON:
                raise
            return await self.look(reference)


def _named(what: str, key: PaymentKey) -> str:
    """The idempotency key of what is asked of the payment."""
    organization, booking = key.booking
    return f"vacancy-{organization}-{booking}-{key.number}-{what}"


def _disputes(found: Sequence[stripe.Dispute]) -> list[Dispute]:
    """Those that have cost money."""
    return [to_dispute(each) for each in found if not each.status.startswith(INQUIRY)]


def _is_replay(intent: stripe.PaymentIntent) -> bool:
    answer = intent.last_response
    return answer is not None and "idempotent-replayed" in answer.headers
