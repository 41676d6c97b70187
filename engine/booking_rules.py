"""Setting and removing the rules of a venue or a resource: managers, in their own organization."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from engine.idempotency import check_key, commit_once
from engine.rule_changes import RuleChange, as_of
from engine.rule_fields import RuleFields, assign, merged
from engine.rule_targets import Found, Target, find, lock, require
from engine.viewer import Viewer
from models.database import Database, WriteSession
from models.errors import InvalidInput
from models.keys import RuleKey
from models.ledger.requests import Command
from models.resource import BookingRule, BookingRuleChange


@dataclass(frozen=True, slots=True)
class SetBookingRule:
    """Change a rule, or make one. `expected_version`: refuse if the rule to change is of another."""

    key: str
    request_hash: bytes
    target: Target
    fields: RuleFields
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveBookingRule:
    """From now on the rule decides nothing. It stays for its history, and does not come back."""

    key: str
    request_hash: bytes
    target: RuleKey
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, and the rule as that left it."""

    change: RuleChange
    rule: BookingRule


async def set_rule(database: Database, viewer: Viewer, request: SetBookingRule) -> Outcome:
    """Make or change the rule, once per key; the same outcome for the same key, whatever became of the rule since.

    A change to what the rule is already makes no version. Raises InvalidInput (of parameters with the path of the first
    that does not fit), NotFound, VersionConflict, Unauthenticated, Forbidden, IdempotencyConflict, Busy. Locks the
    venue and all its resources, or the one resource: an admission obeys the rules of before or those of after.
    """
    require(viewer, request.target)

    async def work(session: WriteSession) -> dict[str, Any]:
        await lock(session, request.target)
        found = await find(session, request.target)
        wanted = _wanted(found, request, viewer)
        if found.rule is None:
            session.add(wanted)
            return await _written(session, wanted, before=None)
        before = found.rule.version
        assign(found.rule, wanted)
        return await _written(session, found.rule, before=before)

    return await _commit(database, viewer, request, work)


async def remove_rule(database: Database, viewer: Viewer, request: RemoveBookingRule) -> Outcome:
    """Remove the rule, once per key; raises, locks and repeats as `set_rule`."""
    require(viewer, request.target)

    async def work(session: WriteSession) -> dict[str, Any]:
        await lock(session, request.target)
        rule = (await find(session, request.target)).rule_to_change(request.expected_version)
        before = rule.version
        rule.is_removed = True
        rule.last_actor = viewer.actor
        return await _written(session, rule, before=before)

    return await _commit(database, viewer, request, work)


async def plan(database: Database, viewer: Viewer, request: SetBookingRule | RemoveBookingRule) -> RuleChange:
    """What `set_rule` or `remove_rule` would do now, without doing it; raises as it would.

    Nothing is written, the key neither: it may be used for the call that is meant.
    """
    check_key(request.key)
    require(viewer, request.target)
    async with database.reading(request.target.organization_id) as session:
        found = await find(session, request.target)
    if isinstance(request, RemoveBookingRule):
        return RuleChange(found.rule_to_change(request.expected_version), None)
    return RuleChange(found.rule, _wanted(found, request, viewer))


def _wanted(found: Found, request: SetBookingRule, viewer: Viewer) -> BookingRule:
    if found.rule is not None:
        found.rule_to_change(request.expected_version)
    elif request.expected_version is not None:
        raise InvalidInput("A rule that is yet to be made has no version.", path=("input", "expectedVersion"))
    return merged(found, request.fields, actor=viewer.actor)


async def _written(session: WriteSession, rule: BookingRule, *, before: int | None) -> dict[str, Any]:
    await session.flush()
    await session.refresh(rule, ["version"])  # the database's own to give
    return {"rule_id": str(rule.id), "rule_before": before, "rule_version": rule.version}


async def _commit(
    database: Database,
    viewer: Viewer,
    request: SetBookingRule | RemoveBookingRule,
    work: Callable[[WriteSession], Awaitable[dict[str, Any]]],
) -> Outcome:
    organization_id = request.target.organization_id
    command = Command(organization_id, viewer.actor, request.key, request.request_hash)
    done = await commit_once(database, command, work)
    key = RuleKey(organization_id, UUID(done["rule_id"]))
    before, version = done["rule_before"], done["rule_version"]
    history = await _history(database, key, [version] if before is None else [before, version])
    rule = history[version]
    return Outcome(RuleChange(None if before is None else history[before], None if rule.is_removed else rule), rule)


async def _history(database: Database, key: RuleKey, versions: list[int]) -> dict[int, BookingRule]:
    """The rule as of each of these versions."""
    async with database.reading(key.organization_id) as session:
        rows = await session.exec(
            select(BookingRuleChange).where(
                BookingRuleChange.organization_id == key.organization_id,
                BookingRuleChange.rule_id == key.id,
                col(BookingRuleChange.version).in_(versions),
            )
        )
        return {row.version: as_of(row) for row in rows}
