"""Which rate plan, price rule, tax or policy is to change, or what a new one is of: found, locked, and allowed."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from sqlalchemy import func, not_
from sqlmodel import col, select

from engine import authority, fields
from engine.viewer import Role, Viewer
from models.database import ReadSession, WriteSession
from models.keys import PriceKey, ResourceKey, VenueKey
from models.ledger.locks import lock_resources
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule
from models.queries.rules import RuleScope
from models.resource import Resource
from models.venue import Venue

Target: TypeAlias = PriceKey | VenueKey | ResourceKey
"""The one to change; or what a new one is to be of."""

SettingRow: TypeAlias = RatePlan | PriceRule | TaxRule | CancellationPolicy
Session: TypeAlias = ReadSession | WriteSession
Setting = TypeVar("Setting", RatePlan, PriceRule, TaxRule, CancellationPolicy)

NAMES: dict[type, tuple[str, str]] = {
    RatePlan: ("rate plan", "ratePlanId"),
    PriceRule: ("price rule", "priceRuleId"),
    TaxRule: ("tax rule", "taxRuleId"),
    CancellationPolicy: ("cancellation policy", "cancellationPolicyId"),
    VenueKey: ("venue", "venueId"),
    ResourceKey: ("resource", "resourceId"),
}
"""What each is called, and the field of the input that has its id."""


@dataclass(frozen=True, slots=True)
class Found(Generic[Setting]):
    """What there is: the scope, the venue, the kind of the resource if it is one, and how many are set there.

    `row`: the one to change; None: a new one is to be made.
    """

    model: type[Setting]
    scope: RuleScope
    venue: Venue
    availability_type: str | None
    count: int
    row: Setting | None

    def to_change(self, expected_version: int | None) -> Setting:
        """The row. Raises VersionConflict if it is not of the expected version."""
        assert self.row is not None, "a change is of what was found"
        fields.check_version(NAMES[self.model][0], self.row.version, expected_version)
        return self.row


def require(viewer: Viewer, model: type[Setting], target: Target) -> None:
    """Only managers, and in their own organization; raises as `authority.require`."""
    name, field = NAMES[model if isinstance(target, PriceKey) else type(target)]
    authority.require(viewer, Role.MANAGER, target.organization_id, name, field)


async def lock(session: WriteSession, model: type[Setting], target: Target) -> None:
    """Let nobody else set one of the same scope until the transaction ends; raises NotFound as `find`.

    In the order of `engine.rule_targets.lock`, and for its reasons.
    """
    scope = await _scope(session, model, target)
    if scope.resource_id is not None:
        await lock_resources(session, scope.organization_id, [scope.resource_id])
        return
    await session.get(Venue, (scope.organization_id, scope.venue_id), with_for_update={"key_share": True})
    if model is TaxRule:
        # Taxes may be on one another: those of the resources stand still too while a venue's are checked with them.
        resources = await session.exec(
            select(Resource.id).where(
                Resource.organization_id == scope.organization_id, Resource.venue_id == scope.venue_id
            )
        )
        await lock_resources(session, scope.organization_id, resources.all())


async def find(session: Session, model: type[Setting], target: Target) -> Found[Setting]:
    """What there is now. Raises NotFound for what does not exist, and for what was removed."""
    scope = await _scope(session, model, target)
    resource = None
    if scope.resource_id is not None:
        resource = await session.get(Resource, (scope.organization_id, scope.resource_id))
        if resource is None:
            raise authority.unknown("resource", "resourceId")
    venue_id = scope.venue_id if resource is None else resource.venue_id
    venue = await session.get(Venue, (scope.organization_id, venue_id))
    if venue is None:
        raise authority.unknown("venue", "venueId")
    counted = select(func.count()).select_from(model).where(
        model.organization_id == scope.organization_id,
        model.resource_id == scope.resource_id if scope.resource_id else model.venue_id == scope.venue_id,
        not_(col(model.is_removed)),
    )  # fmt: skip
    count = (await session.exec(counted)).one()
    row = await session.get(model, target) if isinstance(target, PriceKey) else None
    return Found(model, scope, venue, None if resource is None else resource.availability_type, count, row)


async def _scope(session: Session, model: type[Setting], target: Target) -> RuleScope:
    match target:
        case VenueKey():
            return RuleScope(target.organization_id, target.id, None)
        case ResourceKey():
            return RuleScope(target.organization_id, None, target.id)
    row = await session.get(model, target)
    if row is None or row.is_removed:
        raise authority.unknown(*NAMES[model])
    scope = RuleScope(row.organization_id, row.venue_id, row.resource_id)
    session.expire(row)  # what is found before the lock is not what is changed after it
    return scope
