"""What is written of a payment by what the provider says of it: never the client's secret, and nothing of the card."""

from engine.payment import Payment, PaymentKey, PaymentRefused
from models.ledger.money import PaymentSnapshot
from models.ledger.payments import SeenPayment
from models.payment import PaymentProgress


def first_seen(said: Payment, customer: str | None) -> SeenPayment:
    """Of a payment that was made at the provider just now, for this customer if a card is kept."""
    return SeenPayment(
        state=PaymentProgress[said.state.name],
        reference=said.reference,
        amount=said.amount,
        currency=said.currency,
        captured=said.captured,
        refunded=said.refunded,
        customer=customer,
    )


def seen_of(payment: PaymentSnapshot, said: Payment) -> SeenPayment:
    """Of one that is known. Raises PaymentRefused if it is not ours: then nothing that is said of it counts."""
    if said.key != PaymentKey.of(payment):
        raise PaymentRefused("not_ours", "The provider says that the payment is another booking's")
    failure = said.failure
    return first_seen(said, None)._replace(
        failure_code=None if failure is None else failure.code,
        decline_code=None if failure is None else failure.decline_code,
        failure_id=None if failure is None else failure.attempt or failure.code,
        method=said.method,
        is_disputed=said.is_disputed,
    )
