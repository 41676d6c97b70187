"""What the mutations of rate plans, price rules, taxes and cancellation policies do: the same, with other rows."""

from dataclasses import dataclass
from typing import Any, Final, Generic

from engine.price_settings import RemovePrice, SetPrice, plan, remove_price, set_price
from engine.price_targets import Setting
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule
from resolvers.access import input_hash
from resolvers.price_answers import fields_of, priced_samples, samples_of, target_of
from schema.context import Info
from schema.global_id import GlobalKind, price_key
from schema.price_payload import PriceSample


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
    info: Info, input: Any, kind: SettingKind[Setting]
) -> tuple[Setting | None, list[PriceSample] | None]:
    """The row as it was set; or of a dry run, what the samples would cost. Once per key."""
    samples = samples_of(input.samples)
    own = f"{kind.name}Id", getattr(input, kind.own_id)
    request = SetPrice(
        model=kind.model,
        key=input.idempotency_key,
        request_hash=input_hash(f"{kind.name}Set", input),
        target=target_of(kind.kind, own, input.venue_id, input.resource_id),
        fields=fields_of(input, kind.identity),
        expected_version=input.expected_version,
    )
    context = info.context
    if input.dry_run:
        return None, await priced_samples(context, await plan(context.database, context.viewer, request), samples)
    return await set_price(context.database, context.viewer, request), None


async def remove_or_try(
    info: Info, input: Any, kind: SettingKind[Setting]
) -> tuple[Setting | None, list[PriceSample] | None]:
    """The row as it was removed; or of a dry run, what the samples would cost. Once per key."""
    samples = samples_of(input.samples)
    request = RemovePrice(
        model=kind.model,
        key=input.idempotency_key,
        request_hash=input_hash(f"{kind.name}Remove", input),
        target=price_key(kind.kind, getattr(input, kind.own_id), ("input", f"{kind.name}Id")),
        expected_version=input.expected_version,
    )
    context = info.context
    if input.dry_run:
        return None, await priced_samples(context, await plan(context.database, context.viewer, request), samples)
    return await remove_price(context.database, context.viewer, request), None
