"""What a change of a rate plan, price rule, tax or policy would make of sample requests. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from engine.availability import Wish, interval_of, request_of
from engine.cancellation.deciding import policy_set
from engine.costs import Cost, CostItem
from engine.facts import ResourceFacts, load_facts
from engine.occupancy import price_facts
from engine.ports import TaxProvider
from engine.price_settings import PriceEdit
from engine.price_targets import SettingRow
from engine.pricing.charges import PriceFacts, PriceRequest
from engine.pricing.price import PLAN_PATH, price_item
from engine.pricing.stored import price_book
from engine.provided_taxes import NO_TAX_PROVIDER, cost_with_taxes
from engine.reading import TimelineLoader
from engine.taxes.stored import tax_set
from models.database import Database
from models.errors import BookingError, InvalidInput, NotFound
from models.keys import ResourceKey
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule

SAMPLES_MAX = 10

Row = TypeVar("Row", bound=SettingRow)


@dataclass(frozen=True, slots=True)
class PriceSample:
    """A request, with the code of the rate plan by which it is asked for and the promo code that counts as good."""

    resource: ResourceKey
    wish: Wish
    plan: str | None = None
    promo: str | None = None


@dataclass(frozen=True, slots=True)
class SamplePrice:
    """What it costs before the change and after; None: it has no price."""

    before: Cost | None
    after: Cost | None


async def preview(
    database: Database,
    edit: PriceEdit,
    samples: Sequence[PriceSample],
    *,
    load: TimelineLoader,
    now: datetime,
    taxes: TaxProvider = NO_TAX_PROVIDER,
) -> list[SamplePrice]:
    """What each of at most 10 samples costs now and would cost, asked for now.

    Raises InvalidInput for more samples, or one that makes no sense or can not be priced, with the path of the input's
    `samples`, NotFound for one of a resource that is not in the change's scope, and TaxUnavailable.
    """
    if len(samples) > SAMPLES_MAX:
        raise InvalidInput(f"At most {SAMPLES_MAX} samples can be priced.", path=("input", "samples"))
    facts = await load_facts(database, list(dict.fromkeys(sample.resource for sample in samples)))
    prices: list[SamplePrice] = []
    for position, sample in enumerate(samples):
        path = ("input", "samples", str(position), "item")
        found = facts.get(sample.resource)
        if found is None or not found.is_in(edit.scope):
            raise NotFound("The change has no say on such a resource.", path=(*path, "resourceId"))
        try:
            prices.append(await _price(found, sample, edit, load, now, taxes))
        except BookingError as error:
            error.path = (*path, *error.path)
            raise
    return prices


async def _price(
    found: ResourceFacts, sample: PriceSample, edit: PriceEdit, load: TimelineLoader, now: datetime, taxes: TaxProvider
) -> SamplePrice:
    request = request_of(sample.wish, interval_of(found, sample.wish))
    before, after = _with(found, edit, edit.before), _with(found, edit, edit.after)
    known = await price_facts([(before, request), (after, request)], load=load, now=now, promo=sample.promo)
    was, will_be = [
        await _by_plan(one, request, facts, sample.plan, taxes)
        for one, facts in zip((before, after), known, strict=True)
    ]
    return SamplePrice(was, will_be)


async def _by_plan(
    facts: ResourceFacts, request: PriceRequest, known: PriceFacts, plan: str | None, taxes: TaxProvider
) -> Cost | None:
    """What it costs; None also where the plan is only there before the change, or only after."""
    try:
        priced = price_item(facts.prices, request, known, plan=plan)
    except InvalidInput as error:
        if error.path == PLAN_PATH:
            return None
        raise
    if priced is None:
        return None
    return await cost_with_taxes(taxes, [CostItem(facts, request, priced)], booked_at=known.now)


def _with(facts: ResourceFacts, edit: PriceEdit, row: SettingRow | None) -> ResourceFacts:
    """The facts as if what changes was this; None: as if there was none."""
    plans = _set(RatePlan, facts.stored_plans, edit, row)
    rules = _set(PriceRule, facts.stored_price_rules, edit, row)
    taxes = _set(TaxRule, facts.stored_taxes, edit, row)
    policies = _set(CancellationPolicy, facts.stored_policies, edit, row)
    return replace(
        facts,
        stored_plans=plans,
        stored_price_rules=rules,
        stored_taxes=taxes,
        stored_policies=policies,
        prices=price_book(facts.resource, plans, rules),
        taxes=tax_set(taxes),
        policies=policy_set(policies),
    )


def _set(model: type[Row], stored: Sequence[Row], edit: PriceEdit, row: SettingRow | None) -> tuple[Row, ...]:
    others = [one for one in stored if one.id != edit.row.id]
    return (*others, row) if isinstance(row, model) else tuple(others)
