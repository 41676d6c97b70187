"""What the mutations of rate plans, price rules, taxes and cancellation policies do: the same, with other rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeAlias

from engine.price_preview import PriceSample as AskedSample
from engine.price_preview import preview
from engine.price_settings import RemovePrice, SetPrice, plan, remove_price, set_price
from engine.price_targets import Setting
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule
from resolvers.access import input_hash
from resolvers.price_inputs import PriceInput, PriceSetInput, fields_of, samples_of
from resolvers.targets import exactly_one
from schema.context import Info
from schema.global_id import GlobalKind, price_key, resource_key, venue_key
from schema.price_payload import PriceSample

Samples: TypeAlias = list[PriceSample]


@dataclass(frozen=True, slots=True)
class SettingKind(Generic[Setting]):
    """What is set: `name` as in its mutations, `own_id` and `identity` as in their input: its id, its code or type."""

    model: type[Setting]
    kind: GlobalKind
    name: str
    own_id: str
    identity: str


RATE_PLAN: Final = SettingKind(RatePlan, GlobalKind.RATE_PLAN, "ratePlan", "rate_plan_id", "code")
PRICE_RULE: Final = SettingKind(PriceRule, GlobalKind.PRICE_RULE, "priceRule", "price_rule_id", "type")
TAX_RULE: Final = SettingKind(TaxRule, GlobalKind.TAX_RULE, "taxRule", "tax_rule_id", "type")
CANCELLATION_POLICY: Final = SettingKind(
    CancellationPolicy, GlobalKind.CANCELLATION_POLICY, "cancellationPolicy", "cancellation_policy_id", "code"
)


async def set_or_try(
    info: Info, input: PriceSetInput, kind: SettingKind[Setting]
) -> tuple[Setting | None, Samples | None]:
    """The row as it was set; or of a dry run, what the samples would cost. Once per key."""
    samples = samples_of(input.samples)
    own_id: str | None = getattr(input, kind.own_id)
    request = SetPrice(
        model=kind.model,
        key=input.idempotency_key,
        request_hash=input_hash(f"{kind.name}Set", input),
        target=exactly_one(
            (f"{kind.name}Id", own_id, partial(price_key, kind.kind)),
            ("venueId", input.venue_id, venue_key),
            ("resourceId", input.resource_id, resource_key),
        ),
        fields=fields_of(input, kind.identity),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        return None, await _tried(info, request, samples)
    return await set_price(info.context.database, info.context.viewer, request), None


async def remove_or_try(
    info: Info, input: PriceInput, kind: SettingKind[Setting]
) -> tuple[Setting | None, Samples | None]:
    """The row as it was removed; or of a dry run, what the samples would cost. Once per key."""
    samples = samples_of(input.samples)
    request = RemovePrice(
        model=kind.model,
        key=input.idempotency_key,
        request_hash=input_hash(f"{kind.name}Remove", input),
        target=price_key(kind.kind, getattr(input, kind.own_id), ("input", f"{kind.name}Id")),
        expected_version=input.expected_version,
    )
    if input.dry_run:
        return None, await _tried(info, request, samples)
    return await remove_price(info.context.database, info.context.viewer, request), None


async def _tried(
    info: Info, request: SetPrice[Setting] | RemovePrice[Setting], samples: Sequence[AskedSample]
) -> Samples:
    context, now = info.context, info.context.clock()
    edit = await plan(context.database, context.viewer, request)
    load = context.loaders.timelines_anew
    found = await preview(context.database, edit, samples, load=load, now=now, taxes=context.taxes)
    return [PriceSample.of(sample, now) for sample in found]
