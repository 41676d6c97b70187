"""Quotes: what a request costs, item by item, as it is told, kept, and held by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from engine.bookings import acting_in, partner_in
from engine.cancellation.payments import Payments
from engine.cancellation.terms import Terms
from engine.costs import Cost, CostItem
from engine.facts import ResourceFacts
from engine.money import AMOUNT_MAX
from engine.occupancy import price_facts
from engine.ports import TaxProvider
from engine.pricing.price import price_item
from engine.promo_codes import good_promo_code
from engine.provided_taxes import NO_TAX_PROVIDER, cost_with_taxes
from engine.quote_rows import kept
from engine.rules import limits
from engine.rules.base import RuleRequest
from engine.rules.guests import guests_as_stored
from engine.taxes.assess import Assessment
from engine.viewer import Viewer
from models.base import new_id
from models.database import Database
from models.errors import BookingError, InvalidInput
from models.interval import Interval
from models.keys import ResourceKey
from models.ledger.requests import hash_request
from models.ledger.tables import Claim
from models.price import PromoCode, Quote
from models.queries.timelines import TimelineView, read_timelines, without

QUOTE_SECONDS = 900
"""How long a quote holds: long enough to fill in a form, and shorter than a hold can be extended."""

LINES_MAX = 5_000
"""Of one quote: twenty stays of a month, with eight lines a night."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a booking has that is to be priced anew: its claims count as free, and its promo code as used by it."""

    claims: Sequence[Claim] = ()
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be priced: of one organization, for a viewer, asked `now`.

    `requests` and `plans` go together: of each item the facts by which it is priced, and the code of its rate plan.
    `taxes` is asked where a venue leaves its taxes to a provider. `changed`: for a booking that there is; then its
    partner counts, and not the viewer.
    """

    viewer: Viewer
    requests: Sequence[tuple[ResourceFacts, RuleRequest]]
    plans: Sequence[str | None]
    now: datetime
    taxes: TaxProvider = NO_TAX_PROVIDER
    changed: Changed | None = None

    @property
    def has_prices(self) -> bool:
        """Whether anything of it can have a price."""
        return any(not facts.prices.is_empty for facts, _ in self.requests)

    @property
    def partner(self) -> str | None:
        """The partner who asks, if one does: role and subject, as in Booking.customer."""
        if self.changed is not None:
            return self.changed.partner
        facts, _ = self.requests[0]
        return partner_in(self.viewer, facts.key.organization_id)

    def inputs(self, promo: str | None) -> dict[str, Any]:
        """What the price is asked for: the same inputs are the same request, whoever asks and whenever."""
        items = [
            {
                "resource": str(facts.resource.id),
                "starts_at": request.interval.starts_at.isoformat(),
                "ends_at": request.interval.ends_at.isoformat(),
                "quantity": request.quantity,
                "activity": request.activity,
                "guests": _sorted_guests(request),
                "plan": plan,
            }
            for (facts, request), plan in zip(self.requests, self.plans, strict=True)
        ]
        return {"items": items, "partner": self.partner, "promo": promo}


def hash_of(inputs: Mapping[str, Any]) -> bytes:
    """SHA-256 of what a price was asked for."""
    return hash_request("quote", inputs)


async def quote(database: Database, question: Question, promo: str | None) -> Quote | None:
    """What it costs now; None: nothing of it has a price. Nothing is written.

    Raises PromoCodeInvalid, InvalidInput (two currencies, a rate plan that is not to be had, more than can be charged
    or told), NotPriced; with the path of the input's item; TaxUnavailable. Reads the promo code if one was entered, and
    timelines in one statement if a price depends on how much is taken. No transaction may be open.
    """
    _check_limits(question)
    if not question.has_prices:
        return None
    facts, _ = question.requests[0]
    code = await _promo_code(database, question, promo)
    load = partial(_read_timelines, database, question, own=[facts.key.organization_id])
    known = await price_facts(
        question.requests,
        load=load,
        now=question.now,
        partner=question.partner,
        promo=None if code is None else code.code,
    )
    items: list[CostItem] = []
    for position, ((found, request), about, plan) in enumerate(
        zip(question.requests, known, question.plans, strict=True)
    ):
        try:
            priced = price_item(found.prices, request, about, plan=plan, item=position)
        except BookingError as error:
            error.path = (*_path(position), *error.path)
            raise
        if priced is not None:
            items.append(CostItem(found, request, priced))
    if len({item.facts.venue.currency for item in items}) > 1:
        raise InvalidInput("One booking is paid in one currency.", path=("input", "items"))
    if not items:
        return None
    return quote_of(question, await cost_with_taxes(question.taxes, items, booked_at=question.now), code)


def quote_of(question: Question, cost: Cost, code: PromoCode | None = None) -> Quote:
    """The quote of what has been found to cost so much. Not kept yet. Raises InvalidInput for too many lines."""
    if sum(len(item.charges) for item in cost.items) > LINES_MAX:
        raise InvalidInput(f"A price of more than {LINES_MAX:,} lines: ask for less at once.", path=("input", "items"))
    if cost.total > AMOUNT_MAX:
        raise InvalidInput("This costs more than can be charged.", path=("input", "items"))
    return _row(question, code, cost)


def quote_of_nothing(question: Question, currency: str) -> Quote:
    """The quote of what costs nothing, for a booking that did cost something."""
    return _row(question, None, Cost(currency, (), Assessment(), Payments(), Terms(currency, ())))


def _row(question: Question, code: PromoCode | None, cost: Cost) -> Quote:
    inputs = question.inputs(None if code is None else code.code)
    facts, _ = question.requests[0]
    return Quote(
        organization_id=facts.key.organization_id,
        id=new_id(),
        inputs=inputs,
        inputs_hash=hash_of(inputs),
        promo_code_id=None if code is None else code.id,
        actor=acting_in(question.viewer, facts.key.organization_id).actor,
        expires_at=question.now.astimezone(UTC) + timedelta(seconds=QUOTE_SECONDS),
        **kept(cost),
    )


async def _read_timelines(
    database: Database,
    question: Question,
    asked: Sequence[tuple[ResourceKey, Interval]],
    *,
    own: Sequence[UUID],
) -> list[TimelineView]:
    claims = question.changed.claims if question.changed is not None else ()
    return [without(view, claims) for view in await read_timelines(database, asked, own=own)]


async def _promo_code(database: Database, question: Question, promo: str | None) -> PromoCode | None:
    """The code that was entered, of the venue of what is asked for: one booking has one code, of one venue."""
    if promo is None:
        return None
    venues = {facts.venue.id: facts.venue for facts, _ in question.requests}
    if len(venues) > 1:
        raise InvalidInput("A promo code is of one venue, and this is of several.", path=("input", "promoCode"))
    try:
        is_used = question.changed is not None
        return await good_promo_code(database, next(iter(venues.values())), promo, now=question.now, is_used=is_used)
    except BookingError as error:
        error.path = ("input", "promoCode")
        raise


def _check_limits(question: Question) -> None:
    """What is over the platform's limits is not priced: it would cost too much to tell what it costs."""
    for position, (_, request) in enumerate(question.requests):
        nights = request.nights > limits.DURATION_DAYS_MAX
        if nights or request.interval.duration > timedelta(days=limits.DURATION_DAYS_MAX + 1):
            message = f"At most {limits.DURATION_DAYS_MAX} days can be priced at once."
            raise InvalidInput(message, path=_path(position))


def _sorted_guests(request: RuleRequest) -> list[dict[str, Any]] | None:
    """The same party is the same request, in whatever order it was told."""
    guests = guests_as_stored(request.guests)
    if guests is None:
        return None
    for one in guests:
        one["ages"] = None if one["ages"] is None else sorted(one["ages"])
    return sorted(guests, key=lambda one: str(one["type"]))


def _path(position: int) -> tuple[str, ...]:
    return ("input", "items", str(position))
