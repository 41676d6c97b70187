"""Setting and removing taxes, cancellation policies and rate plans in tests, as managers do."""

from typing import Any

from engine.price_fields import PriceFields
from engine.price_settings import PriceEdit, RemovePrice, SetPrice, plan, remove_price, set_price
from engine.price_targets import Setting, Target
from engine.viewer import Role, Viewer
from models.database import Database
from models.keys import PriceKey
from models.ledger.requests import hash_request
from tests.support.staff import fresh_key, viewer_of

VAT = {"code": "VAT", "rate": "10"}


def manager_of(target: Target) -> Viewer:
    """A manager of the target's organization."""
    return viewer_of(Role.MANAGER, target.organization_id, "amina")


def set_request(
    model: type[Setting], target: Target, *, key: str | None = None, expected: int | None = None, **fields: Any
) -> SetPrice[Setting]:
    """A request to set one; the key is fresh unless it is given, and so is a name."""
    if not isinstance(target, PriceKey):
        fields = {"name": "A name", **fields}
    asked = hash_request("set", {"target": target, **fields})
    return SetPrice(model, key or fresh_key(), asked, target, PriceFields(**fields), expected)  # type: ignore[typeddict-item]


async def put(
    database: Database, model: type[Setting], target: Target, *, viewer: Viewer | None = None, **more: Any
) -> Setting:
    """Set one as a manager; `more` as in `set_request`."""
    return await set_price(database, viewer or manager_of(target), set_request(model, target, **more))


async def take_away(
    database: Database, model: type[Setting], target: PriceKey, *, expected: int | None = None
) -> Setting:
    """Remove one as a manager."""
    request = RemovePrice(model, fresh_key(), hash_request("remove", {"target": target}), target, expected)
    return await remove_price(database, manager_of(target), request)


async def planned(database: Database, model: type[Setting], target: Target, **more: Any) -> PriceEdit:
    """The dry run of setting one."""
    return await plan(database, manager_of(target), set_request(model, target, **more))


def key_of_setting(row: Any) -> PriceKey:
    """The key of what was set."""
    return PriceKey(row.organization_id, row.id)
