"""Setting and removing rules: what is written, what is refused, and that admissions obey before or after."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from functools import partial
from typing import Any

import asyncpg
import pytest

from engine.availability import Wish
from engine.booking_rules import plan
from engine.facts import load_facts
from engine.holds import HoldRequest, ItemRequest, hold
from engine.resources import UpdateResource, update_resource
from engine.rule_changes import key_of_rule
from engine.rule_fields import RULES_MAX
from engine.viewer import GUEST, Role
from models.base import new_id
from models.database import Database, connect
from models.errors import (
    BookingError,
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Refused,
    Unauthenticated,
    VersionConflict,
)
from models.keys import ResourceKey, RuleKey, VenueKey
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT
from models.resource import AvailabilityType, Resource
from tests.support.databases import POOL_SIZE
from tests.support.factories import at, between, key_of, make_resource, make_venue
from tests.support.ledger import count_of, version_of
from tests.support.rules import HoursAhead, known, manager_of, planned, put, remove_request, set_request, take_away
from tests.support.staff import fresh_key, viewer_of
from tests.support.waiting import eventually, waits_for_a_lock

NOW = at("2030-05-31 12:00")
OFF_THE_GRID = between("10:10", "11:00")
GRID: dict[str, Any] = {"type": "START_GRID", "parameters": {"minutes": 60}}


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """Another process."""
    connected = await connect(database_url, pool_size=POOL_SIZE)
    try:
        yield connected
    finally:
        await connected.close()


def venue_of(resource: Resource) -> VenueKey:
    return VenueKey(resource.organization_id, resource.venue_id)


async def rules_of(database: Database, resource: Resource) -> list[tuple[str, Any, int]]:
    """What is stored: the type, the parameters, the version."""
    facts = (await load_facts(database, [key_of(resource)]))[key_of(resource)]
    return [(row.type, row.parameters, row.version) for row in facts.stored_rules]


async def test_a_rule_is_made_changed_and_removed(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    made = await put(database, key_of(resource), **GRID, priority=5, valid_from=date(2030, 6, 1))
    rule = key_of_rule(made.rule)
    assert made.change.before is None
    assert (made.rule.priority, made.rule.valid_from, made.rule.valid_until) == (5, date(2030, 6, 1), None)

    changed = await put(database, rule, parameters={"minutes": 30}, valid_from=None, viewer=manager_of(rule, "bilal"))
    assert (changed.rule.version, changed.rule.priority, changed.rule.valid_from) == (2, 5, None)
    assert await rules_of(database, resource) == [("START_GRID", {"minutes": 30}, 2)]

    removed = await take_away(database, rule)
    assert (removed.rule.is_removed, removed.rule.version, removed.change.after) == (True, 3, None)
    assert await rules_of(database, resource) == []
    history = await owner.fetch(
        "SELECT version, parameters->>'minutes' AS minutes, is_removed, actor FROM booking_rule_change ORDER BY version"
    )
    assert [tuple(row) for row in history] == [
        (1, "60", False, "manager:amina"),
        (2, "30", False, "manager:bilal"),
        (3, "30", True, "manager:amina"),
    ]
    assert await version_of(owner, resource) == 3


async def test_a_rule_of_a_venue_is_of_all_its_resources_and_makes_one_version_of_each(
    database: Database, owner: asyncpg.Connection
) -> None:
    venue = await make_venue(database)
    resources = [await make_resource(database, venue=venue) for _ in range(3)]
    await put(database, venue_of(resources[0]), **GRID)
    for resource in resources:
        assert await rules_of(database, resource) == [("START_GRID", {"minutes": 60}, 1)]
        assert await version_of(owner, resource) == 1


async def test_setting_what_is_set_changes_nothing(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    rule = key_of_rule((await put(database, key_of(resource), **GRID)).rule)
    again = await put(database, rule, **GRID, priority=0, viewer=manager_of(rule, "bilal"))
    assert (again.rule.version, again.rule.last_actor) == (1, "manager:amina")
    assert await version_of(owner, resource) == 1


async def test_a_repetition_gives_the_first_answer_whatever_became_of_the_rule(
    database: Database, owner: asyncpg.Connection
) -> None:
    key = key_of(await make_resource(database))
    one, two = fresh_key(), fresh_key()
    first = await put(database, key, key=one, **GRID)
    rule = key_of_rule(first.rule)
    removed = await take_away(database, rule, key=two)
    assert await put(database, key, key=one, **GRID) == first
    assert await take_away(database, rule, key=two) == removed
    assert await count_of(owner, "booking_rule") == 1
    with pytest.raises(IdempotencyConflict):
        await put(database, key, key=one, type="START_GRID", parameters={"minutes": 30})
    with pytest.raises(NotFound):
        await take_away(database, rule)


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown type": ({"type": "NONSENSE", "parameters": {}}, ("input", "type")),
    "no type": ({"parameters": {"minutes": 60}}, ("input", "type")),
    "no say on this kind": ({"type": "SESSION_TIMES", "parameters": {"weekly": []}}, ("input", "type")),
    "no parameters": ({"type": "START_GRID"}, ("input", "parameters")),
    "parameters of no kind": ({"type": "START_GRID", "parameters": [60]}, ("input", "parameters")),
    "wrong number": ({"type": "START_GRID", "parameters": {"minutes": 7}}, ("input", "parameters", "minutes")),
    "no parameter": ({"type": "START_GRID", "parameters": {"minutes": 60, "x": 1}}, ("input", "parameters", "x")),
    "deep within": (
        {"type": "OPENING_HOURS", "parameters": {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "25:00"}]}},
        ("input", "parameters", "weekly", "0", "closes"),
    ),
    "priority": (GRID | {"priority": 1_001}, ("input", "priority")),
    "priority below": (GRID | {"priority": -1_001}, ("input", "priority")),
    "empty time": (
        GRID | {"valid_from": date(2030, 6, 1), "valid_until": date(2030, 6, 1)},
        ("input", "validUntil"),
    ),
    "version of what is not": (GRID | {"expected": 1}, ("input", "expectedVersion")),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_does_not_fit_is_refused_with_its_path(
    database: Database, owner: asyncpg.Connection, case: str
) -> None:
    key = key_of(await make_resource(database))
    fields, path = REFUSED[case]
    for attempt in (put, planned):
        with pytest.raises(InvalidInput) as refusal:
            await attempt(database, key, **fields)
        assert refusal.value.path == path
    assert await count_of(owner, "booking_rule") == await count_of(owner, "idempotency") == 0


async def test_a_venue_takes_rules_of_every_kind(database: Database) -> None:
    resource = await make_resource(database)
    await put(database, venue_of(resource), type="SESSION_TIMES", parameters={"weekly": []})
    assert (await _hold(database, resource)).booking.status == "ON_HOLD"


async def test_the_type_of_a_rule_does_not_change(database: Database) -> None:
    rule = key_of_rule((await put(database, key_of(await make_resource(database)), **GRID)).rule)
    with pytest.raises(InvalidInput) as refusal:
        await put(database, rule, type="OPENING_HOURS", parameters={"weekly": []})
    assert refusal.value.path == ("input", "type")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_what_can_not_be_stored_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    key = key_of(await make_resource(database))
    with known(monkeypatch, HoursAhead), pytest.raises(InvalidInput) as refusal:
        await put(database, key, type="HOURS_AHEAD", parameters={"hours": 1, "activity": text})
    assert refusal.value.path[:2] == ("input", "parameters")


async def test_a_scope_has_at_most_200_rules(database: Database, owner: asyncpg.Connection) -> None:
    resource = await make_resource(database)
    rule = key_of_rule((await put(database, key_of(resource), **GRID)).rule)
    await owner.execute(
        "INSERT INTO booking_rule (organization_id, id, resource_id, type, parameters)"
        " SELECT organization_id, gen_random_uuid(), resource_id, type, parameters FROM booking_rule"
        " CROSS JOIN generate_series(2, $1)",
        RULES_MAX,
    )
    with pytest.raises(InvalidInput):
        await put(database, key_of(resource), **GRID)
    await put(database, rule, priority=1)
    await put(database, venue_of(resource), **GRID)
    await take_away(database, rule)
    await put(database, key_of(resource), **GRID)


async def test_of_many_who_make_the_last_rule_one_does(
    database: Database, other: Database, owner: asyncpg.Connection
) -> None:
    venue = venue_of(await make_resource(database))
    await owner.execute(
        "INSERT INTO booking_rule (organization_id, id, venue_id, type, parameters)"
        " SELECT $1, gen_random_uuid(), $2, 'START_GRID', '{\"minutes\": 60}' FROM generate_series(2, $3)",
        *venue,
        RULES_MAX,
    )
    tries = [put(process, venue, **GRID) for process in (database, other) for _ in range(4)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidInput"] * 7 + ["Outcome"]


@pytest.mark.parametrize("role", [Role.GUEST, Role.CUSTOMER, Role.STAFF])
async def test_only_managers(database: Database, role: Role) -> None:
    key = key_of(await make_resource(database))
    rule = key_of_rule((await put(database, key, **GRID)).rule)
    somebody = viewer_of(role, key.organization_id)
    for target in (key, rule):
        with pytest.raises(Unauthenticated if role is Role.GUEST else Forbidden):
            await put(database, target, viewer=somebody, **GRID)
    with pytest.raises(Unauthenticated if role is Role.GUEST else Forbidden):
        await plan(database, somebody, remove_request(rule))


async def test_what_is_of_another_organization_looks_like_what_is_not(database: Database) -> None:
    resource = await make_resource(database)
    rule = key_of_rule((await put(database, key_of(resource), **GRID)).rule)
    elsewhere = viewer_of(Role.MANAGER, (await make_venue(database)).organization_id)
    own = elsewhere.organization_id
    assert own is not None
    for foreign, kind in ((rule, RuleKey), (venue_of(resource), VenueKey), (key_of(resource), ResourceKey)):
        said = []
        for target in (foreign, kind(own, new_id()), kind(own, foreign.id)):
            for attempt in (
                put(database, target, viewer=elsewhere, **GRID),
                plan(database, elsewhere, set_request(target, **GRID)),
            ):
                with pytest.raises(NotFound) as refusal:
                    await attempt
                said.append((refusal.value.message, refusal.value.path))
        assert len(set(said)) == 1


async def test_of_two_managers_who_saw_the_same_one_is_told(
    database: Database, other: Database, owner: asyncpg.Connection
) -> None:
    resource = await make_resource(database)
    rule = key_of_rule((await put(database, key_of(resource), **GRID)).rule)
    for version in range(1, 11):
        answers = await asyncio.gather(
            put(database, rule, priority=version * 2, expected=version),
            put(other, rule, priority=version * 2 + 1, expected=version),
            return_exceptions=True,
        )
        [conflict] = [answer for answer in answers if isinstance(answer, BaseException)]
        assert isinstance(conflict, VersionConflict)
        assert (conflict.current, conflict.path) == (version + 1, ("input", "expectedVersion"))
    assert await version_of(owner, resource) == 11


async def test_a_hold_behind_a_rule_obeys_it(database: Database, other: Database, owner: asyncpg.Connection) -> None:
    with pytest.raises(Refused) as refusal:
        await _set_before_hold(database, other, owner)
    assert [error.code for error in refusal.value.errors] == ["OFF_GRID"]


async def test_without_the_comparison_it_does_not(
    database: Database, other: Database, owner: asyncpg.Connection
) -> None:
    """The control."""
    await owner.execute(
        "CREATE OR REPLACE FUNCTION ledger_is_current(p_organization_id uuid, p_requests jsonb) RETURNS boolean"
        " LANGUAGE sql AS 'SELECT true'"
    )
    assert (await _set_before_hold(database, other, owner)).booking.status == "ON_HOLD"


async def test_a_race_of_holds_and_a_rule_is_before_or_after(
    database: Database, other: Database, owner: asyncpg.Connection
) -> None:
    """Who was admitted was so at an earlier version of the resource than the rule's; all others it refused."""
    for _ in range(10):
        resource = await make_resource(database, capacity=20)
        await load_facts(other, [key_of(resource)])
        start = asyncio.Barrier(7)

        async def at_once(work: Any, start: asyncio.Barrier = start) -> Any:
            await start.wait()
            return await work

        made, *holds = await asyncio.gather(
            at_once(put(database, venue_of(resource), **GRID)),
            *(at_once(_hold(process, resource)) for process in (database, other) for _ in range(3)),
            return_exceptions=True,
        )
        assert not isinstance(made, BaseException)
        ruled: int = await owner.fetchval(
            "SELECT version FROM outbox WHERE entity_id = $1 AND ends_at IS NULL AND kind = 'RESOURCE'", resource.id
        )
        admitted = [answer for answer in holds if isinstance(answer, BookingRecord)]
        assert ruled == len(admitted) + 1, "every admission came before the rule"
        for refusal in holds:
            if not isinstance(refusal, BookingRecord):
                assert isinstance(refusal, BookingError)
                assert refusal.code == "OFF_GRID"


async def test_a_resource_that_is_made_meanwhile_has_the_rule(
    database: Database, other: Database, owner: asyncpg.Connection
) -> None:
    """The venue is locked: the rule waits for the resource, whose facts may be known before the rule is."""
    venue = await make_venue(database)
    async with database.writing(venue.organization_id) as session:
        await session.get(type(venue), (venue.organization_id, venue.id), with_for_update={"read": True})
        resource = Resource(
            organization_id=venue.organization_id, venue_id=venue.id, slug="new", name="New", capacity=1,
            availability_type=AvailabilityType.OPENING_HOURS,
        )  # fmt: skip
        session.add(resource)
        await session.flush()
        setting = asyncio.create_task(put(other, VenueKey(venue.organization_id, venue.id), **GRID))
        await waits_for_a_lock(owner)
    await setting
    before = await owner.fetchval("SELECT catalog_version FROM resource WHERE id = $1", resource.id)
    assert before == 1
    assert await rules_of(database, resource) == [("START_GRID", {"minutes": 60}, 1)]


async def test_a_schedule_goes_in_place_of_what_managers_have_set_beside_it(database: Database) -> None:
    """Two rules of a type, priority 0 and always: a schedule that is set decides, and one that is removed is gone."""
    resource = await make_resource(database, rules={"START_GRID": {"minutes": 15}})
    key, manager = key_of(resource), manager_of(key_of(resource))
    await put(database, key, **GRID)
    await put(database, key, type="START_GRID", parameters={"minutes": 5}, priority=-1)
    for minutes, left in ((30, [5, 30]), (None, [5])):
        request = UpdateResource(fresh_key(), b"hash", key, {}, {"start_grid_minutes": minutes})
        await update_resource(database, manager, request)
        rules = await rules_of(database, resource)
        assert sorted(parameters["minutes"] for _, parameters, _ in rules) == left


async def _set_before_hold(database: Database, other: Database, owner: asyncpg.Connection) -> BookingRecord:
    """A rule waits for the resource, and behind it a hold of a process that knows of no rule."""
    resource = await make_resource(database)
    await load_facts(other, [key_of(resource)])
    async with owner.transaction():
        await owner.execute("SELECT FROM resource WHERE id = $1 FOR NO KEY UPDATE", resource.id)
        setting = asyncio.create_task(put(database, venue_of(resource), **GRID))
        await waits_for_a_lock(owner)
        holding = asyncio.create_task(_hold(other, resource))
        await eventually(partial(_both_wait, owner))
    await setting
    return await holding


async def _both_wait(owner: asyncpg.Connection) -> bool:
    await owner.execute("SELECT pg_stat_clear_snapshot()")
    waiting: int = await owner.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return waiting == 2


async def _hold(database: Database, resource: Resource) -> BookingRecord:
    item = ItemRequest(key_of(resource), Wish(window=OFF_THE_GRID))
    return await hold(database, GUEST, HoldRequest(fresh_key(), b"hash", (item,), NO_CONTACT, {}), now=NOW)
