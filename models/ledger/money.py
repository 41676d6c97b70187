"""The money of a booking as it was at one instant: values, as `models.ledger.records` has them of the booking."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from models.ledger.records import BookingRecord
from models.ledger.rows import columns_of, values_of
from models.payment import DisputeState, PaymentDecision, PaymentProgress, PaymentPurpose, RefundReason, RefundState


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A row of `payment`, without what only the ledger needs."""

    organization_id: uuid.UUID
    booking_id: uuid.UUID
    number: int
    purpose: PaymentPurpose
    amount: int
    currency: str
    reference: str | None
    state: PaymentProgress
    decision: PaymentDecision | None
    captured: int
    refunded: int
    failure_code: str | None
    decline_code: str | None
    failures: int
    customer: str | None
    method: str | None
    refusal: Mapping[str, Any] | None
    version: int
    settled_version: int | None
    is_disputed: bool
    charged_back: int
    charge_at: datetime | None
    updated_at: datetime

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The values of a row that PostgreSQL has made JSON of."""
        return cls(*values_of(row, _PAYMENT))


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A row of `payment_refund`."""

    number: int
    payment_number: int
    amount: int
    currency: str
    reason: RefundReason
    state: RefundState
    reference: str | None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """As that of a payment."""
        return cls(*values_of(row, _REFUND))


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A row of `payment_dispute`."""

    payment_number: int
    reference: str
    amount: int
    currency: str
    state: DisputeState

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """As that of a payment."""
        return cls(*values_of(row, _DISPUTE))


@dataclass(frozen=True, slots=True)
class BookingMoney:
    """A booking, its payments and refunds in the order of their numbers, and disputes as they came (of one instant)."""

    record: BookingRecord
    payments: tuple[PaymentSnapshot, ...]
    refunds: tuple[RefundSnapshot, ...]
    disputes: tuple[DisputeSnapshot, ...]

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """What `ledger_booking_money` answers with."""
        return cls(
            BookingRecord.from_json(answer),
            tuple(PaymentSnapshot.from_json(row) for row in answer["payments"]),
            tuple(RefundSnapshot.from_json(row) for row in answer["refunds"]),
            tuple(DisputeSnapshot.from_json(row) for row in answer["disputes"]),
        )

    def payment(self, number: int) -> PaymentSnapshot:
        """The number-th payment."""
        return next(payment for payment in self.payments if payment.number == number)


_PAYMENT: Final = columns_of(PaymentSnapshot)
_REFUND: Final = columns_of(RefundSnapshot)
_DISPUTE: Final = columns_of(DisputeSnapshot)
