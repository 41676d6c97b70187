"""What things cost: rate plans, price rules, taxes, promo codes, cancellation policies, their history, and quotes."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import CreatedRow, Instant, Row, one_of


class PriceSettingKind(StrEnum):
    """Of what a line of the history is."""

    RATE_PLAN = "RATE_PLAN"
    PRICE_RULE = "PRICE_RULE"
    PROMO_CODE = "PROMO_CODE"
    TAX_RULE = "TAX_RULE"
    CANCELLATION_POLICY = "CANCELLATION_POLICY"


class _Setting(CreatedRow):
    """What all have; `version` and `updated_at` are the database's to give, and the history, from `last_actor`."""

    version: int = Field(default=1, sa_type=BigInteger, sa_column_kwargs={"server_default": text("1")})
    is_removed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    last_actor: str = Field(default="system", sa_column_kwargs={"server_default": text("'system'")})
    updated_at: datetime = Field(
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class RatePlan(_Setting, table=True):
    """One rate plan, as data: `engine.pricing.plans` reads `parameters`.

    It is of one resource, or of a venue and so of all its resources, and of use for what begins on a civil day of the
    venue in [valid_from, valid_until); None: no bound. Guests choose it by `code` and read `name`.
    """

    __tablename__ = "rate_plan"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        CheckConstraint("(venue_id IS NULL) <> (resource_id IS NULL)", name="scope"),
        CheckConstraint("valid_from < valid_until", name="valid"),
        Index("rate_plan_resource_idx", "organization_id", "resource_id", postgresql_where=text("NOT is_removed")),
        Index("rate_plan_venue_idx", "organization_id", "venue_id", postgresql_where=text("NOT is_removed")),
    )

    resource_id: uuid.UUID | None = None
    venue_id: uuid.UUID | None = None
    code: str
    name: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    priority: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    valid_from: date | None = None
    valid_until: date | None = None


class PriceRule(_Setting, table=True):
    """One price rule, as data: its type names the class in `engine.pricing`, which reads `parameters`.

    Of one resource or of a venue; it has its say on what is charged for civil days in [valid_from, valid_until). Guests
    read `name` beside what it adds or takes off.
    """

    __tablename__ = "price_rule"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        CheckConstraint("(venue_id IS NULL) <> (resource_id IS NULL)", name="scope"),
        CheckConstraint("valid_from < valid_until", name="valid"),
        Index("price_rule_resource_idx", "organization_id", "resource_id", postgresql_where=text("NOT is_removed")),
        Index("price_rule_venue_idx", "organization_id", "venue_id", postgresql_where=text("NOT is_removed")),
    )

    resource_id: uuid.UUID | None = None
    venue_id: uuid.UUID | None = None
    type: str
    name: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    priority: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    valid_from: date | None = None
    valid_until: date | None = None


class TaxRule(_Setting, table=True):
    """One tax, as data: its type names the class in `engine.taxes`, which reads `parameters`.

    Of one resource or of a venue; it is owed for civil days in [valid_from, valid_until). Guests read `name`. Which
    decides of several of one code, which is one of the parameters, is told by `engine.taxes.deciding`.
    """

    __tablename__ = "tax_rule"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        CheckConstraint("(venue_id IS NULL) <> (resource_id IS NULL)", name="scope"),
        CheckConstraint("valid_from < valid_until", name="valid"),
        Index("tax_rule_resource_idx", "organization_id", "resource_id", postgresql_where=text("NOT is_removed")),
        Index("tax_rule_venue_idx", "organization_id", "venue_id", postgresql_where=text("NOT is_removed")),
    )

    resource_id: uuid.UUID | None = None
    venue_id: uuid.UUID | None = None
    type: str
    name: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    priority: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    valid_from: date | None = None
    valid_until: date | None = None


class CancellationPolicy(_Setting, table=True):
    """What comes back when a booking is cancelled, as data: `engine.cancellation.policy` reads `parameters`.

    Of one resource or of a venue, for what begins on a civil day in [valid_from, valid_until). `code` is its short
    name, guests read `name`. Which decides of several is told by `engine.cancellation.deciding`.
    """

    __tablename__ = "cancellation_policy"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "resource_id"], ["resource.organization_id", "resource.id"]),
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        CheckConstraint("(venue_id IS NULL) <> (resource_id IS NULL)", name="scope"),
        CheckConstraint("valid_from < valid_until", name="valid"),
        Index(
            "cancellation_policy_resource_idx",
            "organization_id",
            "resource_id",
            postgresql_where=text("NOT is_removed"),
        ),
        Index("cancellation_policy_venue_idx", "organization_id", "venue_id", postgresql_where=text("NOT is_removed")),
    )

    resource_id: uuid.UUID | None = None
    venue_id: uuid.UUID | None = None
    code: str
    name: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    priority: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("0")})
    valid_from: date | None = None
    valid_until: date | None = None


class PromoCode(_Setting, table=True):
    """A word that guests enter at a venue, by which price rules of type PROMO_CODE have their say.

    It holds for who asks on a civil day of the venue in [valid_from, valid_until), and for `uses_max` bookings; None:
    any number. Bookings that are over, cancelled or rejected give their use back.
    """

    __tablename__ = "promo_code"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "venue_id"], ["venue.organization_id", "venue.id"]),
        CheckConstraint("uses_max BETWEEN 1 AND 1000000", name="uses_max"),
        CheckConstraint("valid_from < valid_until", name="valid"),
        Index(
            "promo_code_code_key",
            "organization_id",
            "venue_id",
            "code",
            unique=True,
            postgresql_where=text("NOT is_removed"),
        ),
    )

    venue_id: uuid.UUID
    code: str
    uses_max: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class PriceChange(Row, table=True):
    """One of the above as it was from one change on. Written by the database, never altered."""

    __tablename__ = "price_change"
    __table_args__ = (one_of("kind", PriceSettingKind),)

    setting_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str
    content: dict[str, Any] = Field(sa_type=JSONB)
    is_removed: bool
    actor: str
    created_at: datetime = Field(sa_type=Instant)


class Quote(CreatedRow, table=True):
    """What was asked, and what it costs until `expires_at`: never altered, whatever is set later.

    Amounts are minor units of `currency`. `inputs` is what was asked, `inputs_hash` its SHA-256: a hold of something
    else does not get this price. `lines`, `taxes`, `terms` and `due_later` are a cost as
    engine/quote_rows.py keeps it; `total` is what is due now, later and at the venue. `promo_code_id`: the code that
    it is priced by. `replaces_id`: the quote that the booking had before it was changed; so its quotes are a chain.
    `kept_before` and `owed_least`: what a changed booking owes of before (`engine.cancellation.terms.Terms`).
    """

    __tablename__ = "quote"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "promo_code_id"], ["promo_code.organization_id", "promo_code.id"]),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("subtotal >= 0 AND tax >= 0 AND total >= 0", name="amounts"),
        CheckConstraint("due_now >= 0 AND due_at_venue >= 0 AND due_now + due_at_venue <= total", name="due"),
        CheckConstraint("kept_before >= 0 AND owed_least >= 0", name="before"),
        ForeignKeyConstraint(["organization_id", "replaces_id"], ["quote.organization_id", "quote.id"]),
        Index("quote_expires_at_idx", "expires_at"),
        Index("quote_replaces_idx", "organization_id", "replaces_id", postgresql_where=text("replaces_id IS NOT NULL")),
    )

    currency: str
    inputs: dict[str, Any] = Field(sa_type=JSONB)
    inputs_hash: bytes = Field(sa_type=LargeBinary)
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    taxes: list[dict[str, Any]] = Field(sa_type=JSONB)
    terms: list[dict[str, Any]] = Field(sa_type=JSONB)
    due_later: list[dict[str, Any]] = Field(sa_type=JSONB)
    subtotal: int = Field(sa_type=BigInteger)
    tax: int = Field(sa_type=BigInteger)
    total: int = Field(sa_type=BigInteger)
    due_now: int = Field(sa_type=BigInteger)
    due_at_venue: int = Field(sa_type=BigInteger)
    kept_before: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    owed_least: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    replaces_id: uuid.UUID | None = None
    promo_code_id: uuid.UUID | None = None
    actor: str
    expires_at: datetime = Field(sa_type=Instant)
