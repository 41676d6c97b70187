"""Rules that count what is booked: as many statements for fifty resources as for one, whoever asks.

The control reads what is counted for each resource by itself, as it would be without the gathering of one operation.
"""

from collections.abc import Mapping
from datetime import time
from typing import Any

import pytest

from engine.counts import Counts
from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.resource import AvailabilityType, Resource
from schema.gathered_counts import GatheredCounts
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import Asker
from tests.support.factories import make_hold, make_resource, make_venue
from tests.support.statements import recorded_statements

MANY = 50
COUNTED: dict[str, dict[str, Any]] = {
    "CUSTOMER_LIMIT": {"max": 1, "scope": "VENUE"},
    "NO_OVERLAP": {"scope": "ORGANIZATION"},
    "CAPACITY_SHARE": {"percent": 50},
}
BY_THE_HOUR = COUNTED | {"PACING": {"minutes": 60, "max": 1}, "START_GRID": {"minutes": 60}}
BY_THE_NIGHT = COUNTED | {"GAP": {"nights": 2}}
WINDOW = {"window": {"startsAt": "2030-06-01T10:00:00Z", "endsAt": "2030-06-01T12:00:00Z"}}
STAY = {"stay": {"arrival": "2030-06-04", "departure": "2030-06-05"}}
ASK = """query ($input: AvailabilityInput!) { availability(input: $input) { refusals { code } } }"""
FACTS = 9
"""Versions, and eight for what no process has read yet."""

CUSTOMERS = {"CUSTOMER_LIMIT", "CUSTOMER_OVERLAP"}

kinds = pytest.mark.parametrize(
    ("kind", "rules", "wish", "codes"),
    [
        (AvailabilityType.OPENING_HOURS, BY_THE_HOUR, WINDOW, {"PARTY_TOO_LARGE", "PACING_LIMIT"}),
        (AvailabilityType.NIGHTLY, BY_THE_NIGHT, STAY, {"PARTY_TOO_LARGE", "GAP_LEFT"}),
    ],
    ids=["by the hour", "by the night"],
)


@kinds
async def test_fifty_resources_take_as_many_as_one(
    ask: Asker,
    database: Database,
    kind: AvailabilityType,
    rules: Mapping[str, Any],
    wish: dict[str, Any],
    codes: set[str],
) -> None:
    resources, ada = await _resources(database, kind, rules)
    for viewer, expected, counted in ((GUEST, codes, 0), (ada, codes | CUSTOMERS, 1)):
        counts = []
        for some in (resources[:1], resources):
            statements, found = await _asked(ask, database, viewer, some, wish)
            assert all(expected <= each for each in found), "every rule has counted"
            counts.append(statements)
        # The timelines, what arrives, and what the customer has.
        assert counts == [FACTS + 1 + ("PACING" in rules) + counted] * 2


@kinds
async def test_control_not_gathered_they_grow_with_the_resources(
    ask: Asker,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    kind: AvailabilityType,
    rules: Mapping[str, Any],
    wish: dict[str, Any],
    codes: set[str],
) -> None:
    for method in ("arrivals", "customer_items"):
        monkeypatch.setattr(GatheredCounts, method, getattr(Counts, method))
    resources, ada = await _resources(database, kind, rules)
    one, _ = await _asked(ask, database, ada, resources[:1], wish)
    many, _ = await _asked(ask, database, ada, resources, wish)
    assert many >= one + MANY - 1


async def _resources(
    database: Database, kind: AvailabilityType, rules: Mapping[str, Any]
) -> tuple[list[Resource], Viewer]:
    """Each booked by somebody at the time that is asked for, or two nights before; and Ada, who is elsewhere then."""
    venue = await make_venue(database, time_zone="UTC", check_in_time=time(15), check_out_time=time(11))
    made = [
        await make_resource(database, venue=venue, capacity=1, availability_type=kind, rules=rules) for _ in range(MANY)
    ]
    elsewhere = await make_resource(database, venue=venue)
    ada = Viewer(Role.CUSTOMER, venue.organization_id, "ada")
    by_night = kind == AvailabilityType.NIGHTLY
    for each in made:
        await make_hold(database, each, *(("2030-06-02 15:00", "2030-06-03 11:00") if by_night else ("10:00", "12:00")))
    at = ("2030-06-04 12:00", "2030-06-04 20:00") if by_night else ("11:00", "13:00")
    await make_hold(database, elsewhere, *at, customer_id=ada.actor)
    return made, ada


async def _asked(
    ask: Asker, database: Database, viewer: Viewer, resources: list[Resource], wish: dict[str, Any]
) -> tuple[int, list[set[str]]]:
    """How many statements it took while nothing was kept, and the codes of each answer."""
    database.catalog.clear()
    ids = [encode(GlobalKind.RESOURCE, each.organization_id, each.id) for each in resources]
    with recorded_statements(database) as statements:
        answers = (await ask(ASK, {"input": {"resourceIds": ids, **wish}}, viewer=viewer))["availability"]
    return len(statements), [{refusal["code"] for refusal in answer["refusals"]} for answer in answers]
