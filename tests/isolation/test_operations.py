"""Nothing of another organization is told or changed by any operation: with both guards, and with row security alone.

The control takes both away, and the same look at the same answers finds what got out. So it is the guard that keeps it
in, and not that nobody has asked.
"""

import asyncio
import json
from contextlib import ExitStack
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLObjectType

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from server.graphql import Schema
from tests.isolation.asks import Ask, asks_about
from tests.isolation.guards import functions_unscoped, row_security_off, statements_unscoped, unscoped
from tests.isolation.tenants import Tenant, rows_of
from tests.resolvers.conftest import Asker

WITHOUT_IDS = {"viewer", "venueCreate", "bookingRuleTypes", "taxRuleTypes", "cancellationPolicySchema"} | {
    "priceRuleTypes",
    "ratePlanSchema",
}
WATCHED_SECONDS_MAX = 5.0


def askers(ours: Tenant) -> list[Viewer]:
    """A guest, and those of our organization from the least to the mightiest."""
    return [GUEST, *(Viewer(role, ours.id, "ada") for role in (Role.CUSTOMER, Role.STAFF, Role.MANAGER))]


async def answer(ask: Asker, each: Ask, viewer: Viewer) -> dict[str, Any]:
    """Data and errors, as the client gets them; of a subscription, the first."""
    if not each.watches:
        data, errors = await ask.both(each.operation, each.variables, viewer=viewer)
        return {"data": data, "errors": errors}
    async with asyncio.timeout(WATCHED_SECONDS_MAX):
        stream = await ask.schema.stream(each.operation, each.variables, context_value=ask.context(viewer))
        async for result in stream:
            return {"data": result.data, "errors": [dict(error.formatted) for error in result.errors or []]}
    raise AssertionError("a subscription said nothing")


async def leaks(ask: Asker, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant) -> dict[str, set[str]]:
    """Which operations told or changed what is theirs, or broke."""
    found: dict[str, set[str]] = {"told": set(), "changed": set(), "broke": set()}
    before = await rows_of(owner, theirs)
    for viewer in askers(ours):
        for each in asks_about(theirs, ours):
            told = await answer(ask, each, viewer)
            text = json.dumps(told, default=str)
            if any(secret in text for secret in theirs.secrets):
                found["told"].add(each.name)
            if '"INTERNAL"' in text:
                found["broke"].add(each.name)
            after = await rows_of(owner, theirs)
            if after != before:
                found["changed"].add(each.name)
                before = after
    return {kind: names for kind, names in found.items() if names}


@pytest.mark.timeout(300)  # it asks every operation there is
@pytest.mark.parametrize("scoping", ["on", "off"])
async def test_nothing_of_theirs_gets_out(
    ask: Asker, database: Database, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant, scoping: str
) -> None:
    changed: list[str] = []
    with ExitStack() as stack:
        if scoping == "off":
            changed = stack.enter_context(statements_unscoped(database))
            assert await functions_unscoped(owner) >= 15
        found = await leaks(ask, owner, ours, theirs)
        assert (found.get("told"), found.get("changed")) == (None, None)
        if scoping == "off":
            assert len(changed) > 50
        else:  # without scoping a row of ours is written for a resource of theirs, and the database refuses that
            assert "broke" not in found


@pytest.mark.timeout(300)
async def test_control_without_either_guard_it_gets_out(
    ask: Asker, database: Database, owner: asyncpg.Connection, ours: Tenant, theirs: Tenant
) -> None:
    await functions_unscoped(owner)
    await row_security_off(owner)
    with statements_unscoped(database):
        found = await leaks(ask, owner, ours, theirs)
    assert {"bookings"} <= found["told"]
    assert {"resourceUpdate (forged)", "venueUpdate (forged)"} <= found["changed"]


async def test_what_is_public_is_told(ask: Asker, ours: Tenant, theirs: Tenant) -> None:
    """The guards keep nothing from anybody that is meant for all: a foreign guest can look, and hold."""
    for viewer in askers(ours):
        data = await ask("{ venues(first: 50) { edges { node { slug organization { slug } } } } }", viewer=viewer)
        assert {theirs.venue.slug, ours.venue.slug} <= {edge["node"]["slug"] for edge in data["venues"]["edges"]}


def test_every_operation_is_asked(schema: Schema, ours: Tenant, theirs: Tenant) -> None:
    names = {each.name.partition(" ")[0] for each in asks_about(theirs, ours)}
    fields: set[str] = set()
    for root in ("Query", "Mutation", "Subscription"):
        type_ = schema._schema.type_map[root]
        assert isinstance(type_, GraphQLObjectType)
        fields |= set(type_.fields)
    assert fields - WITHOUT_IDS - {"node"} == names


def test_scoping_is_taken_out_of_a_statement() -> None:
    assert unscoped("WHERE a.organization_id = $1::UUID AND a.id = $2::UUID") == (
        "WHERE $1::UUID IS NOT NULL AND a.id = $2::UUID"
    )
    assert unscoped("ON b.organization_id = a.organization_id AND b.id = a.x") == "ON true AND b.id = a.x"
    assert unscoped("WHERE organization_id = p_organization_id AND id = v_id") == "WHERE true AND id = v_id"
    assert unscoped("(a.organization_id, a.id) IN (($1::UUID, $2::UUID), ($3, $4))") == (
        "(a.organization_id IS NOT NULL, a.id) IN (($1::UUID IS NOT NULL, $2::UUID), ($3::UUID IS NOT NULL, $4))"
    )
