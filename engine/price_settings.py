"""Setting and removing what a venue or a resource has to do with prices: managers, in their own organization.

Rate plans, price rules, taxes and cancellation policies are set alike.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic

from sqlalchemy import not_, or_
from sqlmodel import col, select

from engine.idempotency import check_key, commit_once
from engine.price_fields import PriceFields, assign, merged
from engine.price_history import content_of, written
from engine.price_targets import Found, Session, Setting, SettingRow, Target, find, lock, require
from engine.pricing import registry
from engine.tax_order import check_taxes
from engine.viewer import Viewer
from models.database import Database, WriteSession
from models.errors import InvalidInput
from models.keys import PriceKey
from models.ledger.requests import Command
from models.price import RatePlan, TaxRule
from models.queries.rules import RuleScope
from models.resource import Resource


@dataclass(frozen=True, slots=True)
class SetPrice(Generic[Setting]):
    """Change one, or make one. `expected_version`: refuse if the one to change is of another."""

    model: type[Setting]
    key: str
    request_hash: bytes
    target: Target
    fields: PriceFields
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class RemovePrice(Generic[Setting]):
    """From now on it decides nothing. It stays for its history, and does not come back."""

    model: type[Setting]
    key: str
    request_hash: bytes
    target: PriceKey
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class PriceEdit:
    """One of them as it was and as it is to be. None: there is no such one, not yet or not any more."""

    before: SettingRow | None
    after: SettingRow | None

    @property
    def row(self) -> SettingRow:
        """The one that changes: as it becomes, or when it goes, as it was."""
        row = self.after or self.before
        assert row is not None, "a change is of something"
        return row

    @property
    def scope(self) -> RuleScope:
        """What it is of, which never changes."""
        return RuleScope(self.row.organization_id, self.row.venue_id, self.row.resource_id)


async def set_price(database: Database, viewer: Viewer, request: SetPrice[Setting]) -> Setting:
    """Make or change it, once per key; answers with what this call made of it, whatever became of it since.

    A change to what it is already makes no version. Raises InvalidInput (of parameters with the path of the first that
    does not fit), NotFound, VersionConflict, Unauthenticated, Forbidden, IdempotencyConflict, Busy. Locks the venue and
    all its resources, or the one resource: a hold is priced by what was set before or by what was set after.
    """
    require(viewer, request.model, request.target)

    async def work(session: WriteSession) -> dict[str, Any]:
        await lock(session, request.model, request.target)
        found = await find(session, request.model, request.target)
        wanted = await _wanted(session, found, request, viewer)
        if found.row is None:
            session.add(wanted)
            return await written(session, wanted)
        assign(found.row, wanted)
        return await written(session, found.row)

    return await _commit(database, viewer, request, work)


async def remove_price(database: Database, viewer: Viewer, request: RemovePrice[Setting]) -> Setting:
    """Remove it, once per key; raises, locks and repeats as `set_price`."""
    require(viewer, request.model, request.target)

    async def work(session: WriteSession) -> dict[str, Any]:
        await lock(session, request.model, request.target)
        found = await find(session, request.model, request.target)
        row = found.to_change(request.expected_version)
        if isinstance(row, TaxRule):
            await check_taxes(session, found, None)
        row.is_removed = True
        row.last_actor = viewer.actor
        return await written(session, row)

    return await _commit(database, viewer, request, work)


async def plan(database: Database, viewer: Viewer, request: SetPrice[Setting] | RemovePrice[Setting]) -> PriceEdit:
    """What `set_price` or `remove_price` would do now, without doing it; raises as it would.

    Nothing is written, the key neither: it may be used for the call that is meant.
    """
    check_key(request.key)
    require(viewer, request.model, request.target)
    async with database.reading(request.target.organization_id) as session:
        found = await find(session, request.model, request.target)
        if isinstance(request, RemovePrice):
            row = found.to_change(request.expected_version)
            if isinstance(row, TaxRule):
                await check_taxes(session, found, None)
            return PriceEdit(row, None)
        return PriceEdit(found.row, await _wanted(session, found, request, viewer))


async def _wanted(session: Session, found: Found[Setting], request: SetPrice[Setting], viewer: Viewer) -> Setting:
    if found.row is not None:
        found.to_change(request.expected_version)
    elif request.expected_version is not None:
        raise InvalidInput("What is yet to be made has no version.", path=("input", "expectedVersion"))
    wanted = merged(found, request.fields, actor=viewer.actor)
    if isinstance(wanted, RatePlan):
        await _check_source(session, found, wanted)
    if isinstance(wanted, TaxRule):
        await check_taxes(session, found, wanted)
    return wanted


async def _check_source(session: Session, found: Found[Any], wanted: RatePlan) -> None:
    """A derived plan is derived from one of its venue, or of a resource there, that has a price of its own."""
    code = registry.parse_plan(wanted.parameters).derived_from
    if code is None:
        return
    resources = select(Resource.id).where(
        Resource.organization_id == wanted.organization_id, Resource.venue_id == found.venue.id
    )
    rows = await session.exec(
        select(RatePlan.parameters).where(
            RatePlan.organization_id == wanted.organization_id,
            RatePlan.code == code,
            not_(col(RatePlan.is_removed)),
            or_(col(RatePlan.venue_id) == found.venue.id, col(RatePlan.resource_id).in_(resources)),
        )
    )
    if not any("derivedFrom" not in parameters for parameters in rows):
        message = f"There is no rate plan {code} here that has a price of its own."
        raise InvalidInput(message, path=("input", "parameters", "derivedFrom"))


async def _commit(
    database: Database,
    viewer: Viewer,
    request: SetPrice[Setting] | RemovePrice[Setting],
    work: Callable[[WriteSession], Awaitable[dict[str, Any]]],
) -> Setting:
    organization_id = request.target.organization_id
    done = await commit_once(database, Command(organization_id, viewer.actor, request.key, request.request_hash), work)
    return request.model.model_validate(await content_of(database, organization_id, done))
