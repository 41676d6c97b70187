"""Whether the taxes of a venue and its resources can be counted together once one of them changes."""

from typing import Any

from sqlalchemy import not_, or_
from sqlmodel import col, select

from engine.price_targets import Found, Session
from engine.taxes import registry
from engine.taxes.order import check_order
from models.price import TaxRule
from models.resource import Resource


async def check_taxes(session: Session, found: Found[Any], wanted: TaxRule | None) -> None:
    """Raises InvalidInput if taxes would be on what is not there, or on one another in a circle. None: one goes.

    A venue's rule decides together with those of any of its resources, so all of them are looked at, seasons that never
    meet included; a resource's own with the venue's. What can not be read any more is left out.
    """
    resources = select(Resource.id).where(
        Resource.organization_id == found.scope.organization_id, Resource.venue_id == found.venue.id
    )
    own = col(TaxRule.resource_id)
    beside = own == found.scope.resource_id if found.scope.resource_id else own.in_(resources)
    rows = await session.exec(
        select(TaxRule).where(
            TaxRule.organization_id == found.scope.organization_id,
            or_(col(TaxRule.venue_id) == found.venue.id, beside),
            not_(col(TaxRule.is_removed)),
        )
    )
    changed = None if found.row is None else found.row.id
    others = [row for row in rows if row.id != changed]
    read = [registry.stored(row.type, row.parameters) for row in (*others, *([] if wanted is None else [wanted]))]
    check_order([tax for tax in read if tax is not None], path=("input", "parameters"))
