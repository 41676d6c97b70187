"""Money that is collected for bookings: what is paid, what goes back, and what has happened to either."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import Instant, Row, one_of

_NONE: dict[str, Any] = {"server_default": text("0")}
_NOW: dict[str, Any] = {"server_default": text("clock_timestamp()")}


class PaymentPurpose(StrEnum):
    """What is paid for: the booking itself, what its guest pays after that, or what is taken of a kept card later."""

    BOOKING = "BOOKING"
    SURCHARGE = "SURCHARGE"
    BALANCE = "BALANCE"


class PaymentProgress(StrEnum):
    """How far a payment was when the provider was last asked; NEW: it was not asked for one yet.

    The others are those of engine.payment.PaymentState.
    """

    NEW = "NEW"
    OPEN = "OPEN"
    AWAITS_BUYER = "AWAITS_BUYER"
    PROCESSING = "PROCESSING"
    HELD = "HELD"
    CAPTURED = "CAPTURED"
    VOID = "VOID"


class PaymentDecision(StrEnum):
    """What is to be done at the provider: decided once, in the transaction that says what becomes of the booking."""

    CAPTURE = "CAPTURE"
    VOID = "VOID"


class RefundReason(StrEnum):
    """Why money goes back."""

    CANCELLED = "CANCELLED"
    CHANGED = "CHANGED"
    PART = "PART"
    NOT_BOOKED = "NOT_BOOKED"


class RefundState(StrEnum):
    """How far a refund is. One that has failed may be tried again as another."""

    REQUESTED = "REQUESTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class DisputeState(StrEnum):
    """How a dispute stands: while it is OPEN, and when it is LOST, its money is not ours."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class PaymentEventKind(StrEnum):
    """What was asked of the provider, or came from it."""

    AUTHORIZE = "AUTHORIZE"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"


class PaymentOutcome(StrEnum):
    """What came of it."""

    REQUESTED = "REQUESTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class PaymentRow(Row, table=True):
    """The number-th payment of a booking: what was asked for, and what the provider last said of it.

    Amounts are minor units of `currency`. `reference` is the provider's id of it, None until it has one; `customer` and
    `method` are the provider's ids of who pays and with what. `failures` counts the attempts that were seen to fail,
    of which `failure_id` is the last. `claims` is what the booking claimed when checkout began: what late money would
    buy; `refusal`, why it could not. From a failed attempt the buyer has `retry_seconds`, once (`is_extended`), and
    never beyond `ceiling_at`. `check_at`: when somebody is to look next; None: nothing is left to do. `checks` counts
    how often nothing came of it. `version` grows with all else that changes: who writes what the provider said tells
    which version it was asked about. `settled_version`: the version of the booking against which what was taken is
    settled; None: it is to be looked at. `is_disputed`: the provider says that it is or was; `charged_back` is what
    disputes hold or have taken. `charge_at`, of a BALANCE: when a kept card is tried next.
    """

    __tablename__ = "payment"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        UniqueConstraint("organization_id", "reference"),
        one_of("purpose", PaymentPurpose),
        one_of("state", PaymentProgress),
        one_of("decision", PaymentDecision),
        CheckConstraint("number > 0 AND amount > 0", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("refunded BETWEEN 0 AND captured", name="captured"),
        CheckConstraint("reference IS NOT NULL OR state IN ('NEW', 'VOID')", name="reference"),
        Index("payment_reference_idx", "reference"),  # whose it is, of an event that has nothing of ours
        Index("payment_check_idx", "organization_id", "check_at", postgresql_where=text("check_at IS NOT NULL")),
    )

    booking_id: UUID = Field(primary_key=True)
    number: int = Field(sa_type=SmallInteger, primary_key=True)
    purpose: str
    amount: int = Field(sa_type=BigInteger)
    currency: str
    reference: str | None = None
    state: str = Field(default=PaymentProgress.NEW, sa_column_kwargs={"server_default": text("'NEW'")})
    decision: str | None = None
    captured: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=_NONE)
    refunded: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=_NONE)
    failure_code: str | None = None
    decline_code: str | None = None
    failure_id: str | None = None
    failures: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs=_NONE)
    customer: str | None = None
    method: str | None = None
    claims: list[dict[str, Any]] = Field(sa_type=JSONB)
    refusal: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    retry_seconds: int
    ceiling_at: datetime = Field(sa_type=Instant)
    is_extended: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    check_at: datetime | None = Field(default=None, sa_type=Instant)
    checks: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs=_NONE)
    version: int = Field(default=1, sa_type=BigInteger, sa_column_kwargs={"server_default": text("1")})
    settled_version: int | None = Field(default=None, sa_type=BigInteger)
    is_disputed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    charged_back: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=_NONE)
    charge_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)
    updated_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)


class PaymentRefundRow(Row, table=True):
    """The number-th time that money of a booking goes back: written before the provider is asked.

    `booking_version`: of the booking for which it was counted that so much is too much; None: it bought nothing.
    """

    __tablename__ = "payment_refund"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "booking_id", "payment_number"],
            ["payment.organization_id", "payment.booking_id", "payment.number"],
        ),
        UniqueConstraint("organization_id", "reference"),
        one_of("reason", RefundReason),
        one_of("state", RefundState),
        CheckConstraint("number > 0 AND amount > 0", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    )

    booking_id: UUID = Field(primary_key=True)
    number: int = Field(sa_type=SmallInteger, primary_key=True)
    payment_number: int = Field(sa_type=SmallInteger)
    amount: int = Field(sa_type=BigInteger)
    currency: str
    reason: str
    booking_version: int | None = Field(default=None, sa_type=BigInteger)
    state: str = Field(default=RefundState.REQUESTED, sa_column_kwargs={"server_default": text("'REQUESTED'")})
    reference: str | None = None
    created_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)
    updated_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)


class PaymentDispute(Row, table=True):
    """A buyer has asked their bank for the money back: what the provider says of it, by its id."""

    __tablename__ = "payment_dispute"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "booking_id", "payment_number"],
            ["payment.organization_id", "payment.booking_id", "payment.number"],
        ),
        one_of("state", DisputeState),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    )

    booking_id: UUID = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    payment_number: int = Field(sa_type=SmallInteger)
    amount: int = Field(sa_type=BigInteger)
    currency: str
    state: str = Field(default=DisputeState.OPEN, sa_column_kwargs={"server_default": text("'OPEN'")})
    created_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)
    updated_at: datetime = Field(default=None, sa_type=Instant, nullable=False, sa_column_kwargs=_NOW)


class PaymentEvent(Row, table=True):
    """One thing that happened to a booking's money: written by the database with the change, never altered.

    `code`: why something failed, by the provider. A dispute is REQUESTED by the buyer; if it has SUCCEEDED the money is
    theirs, and if it has FAILED ours.
    """

    __tablename__ = "payment_event"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "booking_id"], ["booking.organization_id", "booking.id"]),
        one_of("kind", PaymentEventKind),
        one_of("outcome", PaymentOutcome),
    )

    booking_id: UUID = Field(primary_key=True)
    position: int = Field(sa_type=SmallInteger, primary_key=True)
    payment_number: int = Field(sa_type=SmallInteger)
    refund_number: int | None = Field(default=None, sa_type=SmallInteger)
    kind: str
    outcome: str
    amount: int = Field(sa_type=BigInteger)
    currency: str
    code: str | None = None
    created_at: datetime = Field(sa_type=Instant)
