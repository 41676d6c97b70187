"""Which rule is to change, or what a new one is to be of: found, locked, and the viewer allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import func, not_
from sqlmodel import col, select

from engine import authority, fields
from engine.viewer import Role, Viewer
from models.database import ReadSession, WriteSession
from models.keys import ResourceKey, RuleKey, VenueKey
from models.ledger.locks import lock_resources
from models.queries.rules import RuleScope
from models.resource import BookingRule, Resource
from models.venue import Venue

Target: TypeAlias = RuleKey | VenueKey | ResourceKey
"""The rule to change; or what a new rule is to be of."""

Session: TypeAlias = ReadSession | WriteSession

_NAMES: Mapping[type, str] = {RuleKey: "rule", VenueKey: "venue", ResourceKey: "resource"}


@dataclass(frozen=True, slots=True)
class Found:
    """What there is: the scope, the kind of its resource if it is one, how many rules it has, and the rule to change.

    No rule: a new one is to be made.
    """

    scope: RuleScope
    availability_type: str | None
    rule_count: int
    rule: BookingRule | None

    def rule_to_change(self, expected_version: int | None) -> BookingRule:
        """The rule. Raises VersionConflict if it is not of the expected version."""
        assert self.rule is not None, "a change is of a rule that was found"
        fields.check_version("rule", self.rule.version, expected_version)
        return self.rule


def require(viewer: Viewer, target: Target) -> None:
    """Only managers, and in their own organization; raises as `authority.require`."""
    name = _NAMES[type(target)]
    authority.require(viewer, Role.MANAGER, target.organization_id, name, f"{name}Id")


async def lock(session: WriteSession, target: Target) -> None:
    """Let nobody else set a rule of the same scope until the transaction ends; raises NotFound as `find`.

    A resource is locked as admissions lock it. A venue is locked before its resources, as by all who lock both, and so
    that no resource is made in it meanwhile that the rule's trigger would not see. The trigger locks the others, in id
    order.
    """
    scope = await _scope(session, target)
    if scope.resource_id is not None:
        await lock_resources(session, scope.organization_id, [scope.resource_id])
    else:
        await session.get(Venue, (scope.organization_id, scope.venue_id), with_for_update={"key_share": True})


async def find(session: Session, target: Target) -> Found:
    """What there is now. Raises NotFound for what does not exist, and for a rule that was removed."""
    scope = await _scope(session, target)
    rules = (
        BookingRule.organization_id == scope.organization_id,
        BookingRule.resource_id == scope.resource_id if scope.resource_id else BookingRule.venue_id == scope.venue_id,
        not_(col(BookingRule.is_removed)),
    )
    rule_count = (await session.exec(select(func.count()).select_from(BookingRule).where(*rules))).one()
    rule = await session.get(BookingRule, target) if isinstance(target, RuleKey) else None
    return Found(scope, await _availability_type(session, scope), rule_count, rule)


async def _scope(session: Session, target: Target) -> RuleScope:
    match target:
        case VenueKey():
            return RuleScope(target.organization_id, target.id, None)
        case ResourceKey():
            return RuleScope(target.organization_id, None, target.id)
    rows = await session.exec(
        select(BookingRule.venue_id, BookingRule.resource_id).where(
            BookingRule.organization_id == target.organization_id,
            BookingRule.id == target.id,
            not_(col(BookingRule.is_removed)),
        )
    )
    row = rows.one_or_none()
    if row is None:
        raise authority.unknown("rule", "ruleId")
    return RuleScope(target.organization_id, *row)


async def _availability_type(session: Session, scope: RuleScope) -> str | None:
    """Of the resource; None for a venue. Raises NotFound if there is no such resource or venue."""
    if scope.resource_id is not None:
        resource = await session.get(Resource, (scope.organization_id, scope.resource_id))
        if resource is None:
            raise authority.unknown("resource", "resourceId")
        return resource.availability_type
    if await session.get(Venue, (scope.organization_id, scope.venue_id)) is None:
        raise authority.unknown("venue", "venueId")
    return None
