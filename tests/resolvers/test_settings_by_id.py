"""Rate plans, price rules, taxes, policies and promo codes by their ids: for the staff of their organization."""

from typing import Any

import pytest

from engine.viewer import GUEST, Role
from models.database import Database
from models.price import CancellationPolicy, PriceRule, RatePlan, TaxRule
from models.resource import Resource
from models.venue import Organization, Venue
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import Asker, staff_of
from tests.support import settings
from tests.support.factories import key_of, make_organization
from tests.support.prices import NIGHTLY, WEEKEND, find_organization, make_guesthouse, make_room, put_promo_code
from tests.support.statements import recorded_statements

NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
  ... on RatePlan { version history { edges { node { version } } } }
  ... on PriceRule { version } ... on TaxRule { version }
  ... on CancellationPolicy { version } ... on PromoCode { version uses } } }"""


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_guesthouse(database)


@pytest.fixture
async def room(database: Database, venue: Venue) -> Resource:
    return await make_room(database, venue, priced=False)


@pytest.fixture
async def organization(database: Database, venue: Venue) -> Organization:
    return await find_organization(database, venue)


@pytest.fixture
async def ids(database: Database, venue: Venue, room: Resource) -> dict[str, str]:
    """One of each, by what it is."""
    key = key_of(room)
    vat: dict[str, Any] = {"identity": "PERCENT", "parameters": settings.VAT}
    found = {
        "RatePlan": await settings.put(database, RatePlan, key, identity="STANDARD", parameters=NIGHTLY),
        "PriceRule": await settings.put(database, PriceRule, key, identity="WEEKDAY", parameters=WEEKEND),
        "TaxRule": await settings.put(database, TaxRule, key, **vat),
        "CancellationPolicy": await settings.put(database, CancellationPolicy, key, identity="NONE", parameters={}),
        "PromoCode": await put_promo_code(database, venue),
    }
    kinds = (GlobalKind.RATE_PLAN, GlobalKind.PRICE_RULE, GlobalKind.TAX_RULE, GlobalKind.CANCELLATION_POLICY)
    return {
        name: encode(kind, row.organization_id, row.id)
        for (name, row), kind in zip(found.items(), (*kinds, GlobalKind.PROMO_CODE), strict=True)
    }


async def test_staff_find_each_and_nobody_else_does(
    ask: Asker, database: Database, organization: Organization, ids: dict[str, str]
) -> None:
    asked = {"ids": list(ids.values())}
    with recorded_statements(database) as statements:
        found = (await ask(NODES, asked, viewer=staff_of(organization)))["nodes"]
    assert {one["__typename"]: one["id"] for one in found} == ids
    assert all(one["version"] == 1 for one in found)
    assert found[0]["history"]["edges"] == [{"node": {"version": 1}}]
    assert len(statements) == len(ids) + 2, "one for each kind, the history and the uses"
    customer = staff_of(organization, Role.CUSTOMER)
    stranger = staff_of(await make_organization(database), Role.MANAGER)
    for viewer in (GUEST, customer, stranger):
        with recorded_statements(database) as statements:
            assert (await ask(NODES, asked, viewer=viewer))["nodes"] == [None] * len(ids)
        assert len(statements) == 0


async def test_an_id_of_one_kind_finds_no_other(ask: Asker, organization: Organization, ids: dict[str, str]) -> None:
    """The same row under another first byte is nothing."""
    staff = staff_of(organization)
    plan = ids["RatePlan"]
    other = {"ids": [plan.replace(plan[:2], ids["TaxRule"][:2], 1)]}
    assert (await ask(NODES, other, viewer=staff))["nodes"] == [None]


async def test_what_was_removed_is_found_with_its_history(
    ask: Asker, database: Database, organization: Organization, room: Resource
) -> None:
    row = await settings.put(database, RatePlan, key_of(room), identity="STANDARD", parameters=NIGHTLY)
    await settings.take_away(database, RatePlan, settings.key_of_setting(row))
    asked = {"ids": [encode(GlobalKind.RATE_PLAN, row.organization_id, row.id)]}
    (found,) = (await ask(NODES, asked, viewer=staff_of(organization)))["nodes"]
    assert [edge["node"]["version"] for edge in found["history"]["edges"]] == [1, 2]
