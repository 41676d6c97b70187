"""Fifty clients at a limit that is not a resource's capacity: never exceeded, though they meet in no resource.

Each customer asks from many places at once; what rules count is a customer's, or what arrives at one time. The controls
take the lock away and show that the race is then seen.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from engine.availability import Wish
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import Role, Viewer
from models.database import Database
from models.errors import BookingError
from models.interval import Interval
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction
from models.resource import BookingRule, Resource
from tests.races.support import (
    CLIENTS,
    CONTROL_CLIENTS,
    Ask,
    Deadlocks,
    Outcome,
    processes,
    race,
    rounds_until,
    sides_of,
)
from tests.support.factories import at, change_of, key_of, let_run_out, make_resource, make_venue

pytestmark = pytest.mark.timeout(300)

NOW = at("2030-05-31 12:00")
ROUNDS = 12
DUELS = 48
RESOURCES = 10
LIMIT = 3

Rule = tuple[str, dict[str, Any]]

LIMITED: Rule = ("CUSTOMER_LIMIT", {"max": LIMIT, "scope": "VENUE"})
ALONE: Rule = ("NO_OVERLAP", {"scope": "VENUE"})
PACED: Rule = ("PACING", {"minutes": 60, "max": LIMIT})

every_limit = pytest.mark.parametrize(
    ("rule", "limit"), [(LIMITED, LIMIT), (ALONE, 1), (PACED, LIMIT)], ids=["limit", "overlap", "pacing"]
)

WITHOUT_LOCKS = """
    CREATE OR REPLACE FUNCTION ledger_lock_customers(p_organization_id uuid, p_customer_ids text[])
    RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
    CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(0.02);
        RETURN NEW;
    END $$;
    CREATE TRIGGER a_pause BEFORE INSERT ON booking FOR EACH ROW EXECUTE FUNCTION pause();
"""
WITHOUT_RESOURCE_LOCKS = """
    CREATE OR REPLACE FUNCTION ledger_lock_resources(p_organization_id uuid, p_resource_ids uuid[])
    RETURNS integer LANGUAGE sql AS 'SELECT cardinality(p_resource_ids)';
"""


@every_limit
async def test_a_limit_is_never_exceeded(database: Database, database_url: str, rule: Rule, limit: int) -> None:
    _assert_at_most(await _rounds(database, database_url, rule, CLIENTS, at_least=ROUNDS), limit)


@pytest.mark.unaudited
@every_limit
async def test_control_without_the_lock_it_is_exceeded(
    database: Database, owner: asyncpg.Connection, database_url: str, rule: Rule, limit: int
) -> None:
    await owner.execute(WITHOUT_LOCKS + (WITHOUT_RESOURCE_LOCKS if rule is PACED else ""))
    outcomes = await _rounds(
        database, database_url, rule, CONTROL_CLIENTS, seen=lambda outcomes: len(outcomes[-1].won) > limit
    )
    with pytest.raises(AssertionError, match="got through"):
        _assert_at_most(outcomes, limit)


async def test_a_late_confirm_does_not_exceed_a_limit(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """Holds that are over are confirmed while the customer books elsewhere: each counts, or is over for good."""
    resources = await _house(database, ("CUSTOMER_LIMIT", {"max": 1, "scope": "VENUE"}))
    async with processes(database_url) as databases:

        async def duel(number: int) -> Outcome:
            customer = _customer(resources[0], number)
            held = await _ask(customer, resources[:1], 0)(database)
            assert isinstance(held, BookingRecord)
            await let_run_out(owner, held)
            confirms = [("confirm", _confirm(held)) for _ in range(4)]
            holds = [("hold", _ask(customer, [resource], 0)) for resource in resources[1:5]]
            outcome = await race(databases, confirms + holds)
            assert outcome.defects == ()
            # Confirms have keys of their own: after the first the others are told that it is done.
            assert len(outcome.won) == 1, outcome.won
            return outcome

        outcomes = await rounds_until(lambda outcomes: len(sides_of(outcomes)) == 2, duel, at_least=DUELS)
    assert sides_of(outcomes) == {"hold", "confirm"}, "a duel that always ends alike is none"


async def test_many_customers_at_many_resources_never_wait_in_a_circle(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    """Requests of several resources in any order, while holds of others are over: no deadlock is ever found."""
    resources = await _house(database, LIMITED, ALONE, resources=6)
    turn = asyncio.Lock()
    made: list[BookingRecord] = []

    async def one(databases: Sequence[Database]) -> None:
        customer = _customer(resources[0], random.randrange(5))
        for position in range(3):
            chosen = random.sample(resources, random.randrange(1, 4))
            try:
                record = await _ask(customer, chosen, *_apart(chosen))(random.choice(databases))
            except BookingError:
                continue
            assert isinstance(record, BookingRecord)
            made.append(record)
            if position != 1:
                async with turn:  # the owner's one connection does one thing at a time
                    await let_run_out(owner, record)

    deadlocks = Deadlocks()
    async with processes(database_url, deadlocks) as databases:
        for _ in range(6):
            await asyncio.gather(*(one(databases) for _ in range(30)))
    assert len(made) > len(resources)
    assert deadlocks.count == 0


async def _rounds(
    database: Database,
    url: str,
    rule: Rule,
    clients: int,
    *,
    at_least: int = 1,
    seen: Callable[[Sequence[Outcome]], bool] = bool,
) -> list[Outcome]:
    """In each a new customer, at another resource with each request; for pacing a new hour, at one resource."""
    resources = await _house(database, rule)
    async with processes(url) as databases:

        async def play(number: int) -> Outcome:
            customer = _customer(resources[0], number)
            asks = [
                (
                    "hold",
                    _ask(_customer(resources[0], client), resources[:1], 60 * number + random.randrange(60))
                    if rule is PACED
                    else _ask(customer, [resources[client % RESOURCES]], random.randrange(60)),
                )
                for client in range(clients)
            ]
            return await race(databases, asks)

        return await rounds_until(seen, play, at_least=at_least)


def _assert_at_most(outcomes: Sequence[Outcome], limit: int) -> None:
    for outcome in outcomes:
        assert outcome.defects == (), "who is refused is told in the words of the business"
        assert len(outcome.won) <= limit, f"{len(outcome.won)} got through"
        assert len(outcome.won) == limit, "as many as may get through do"


async def _house(database: Database, *rules: Rule, resources: int = RESOURCES) -> list[Resource]:
    venue = await make_venue(database, time_zone="UTC")
    made = [await make_resource(database, venue=venue, capacity=1_000) for _ in range(resources)]
    async with database.writing(venue.organization_id) as session:
        for type_, parameters in rules:
            row = BookingRule(
                organization_id=venue.organization_id, venue_id=venue.id, type=type_, parameters=parameters
            )
            session.add(row)
    return made


def _customer(resource: Resource, number: int) -> Viewer:
    return Viewer(Role.CUSTOMER, resource.organization_id, f"customer-{number}")


def _ask(customer: Viewer, resources: Sequence[Resource], *start_minutes: int) -> Ask:
    """Hold these for an hour each, from so many minutes after ten."""
    items = tuple(
        ItemRequest(key_of(resource), Wish(window=_hour_from(start_minutes[min(n, len(start_minutes) - 1)])))
        for n, resource in enumerate(resources)
    )
    request = HoldRequest(secrets.token_hex(16), b"hash", items, NO_CONTACT, {})
    return lambda database: hold(database, customer, request, now=NOW)


def _hour_from(minute: int) -> Interval:
    start = at("10:00") + timedelta(minutes=minute)
    return Interval(start, start + timedelta(hours=1))


def _apart(resources: Sequence[Resource]) -> list[int]:
    """Starts that do not overlap."""
    return [60 * number for number in random.sample(range(12), len(resources))]


def _confirm(record: BookingRecord) -> Ask:
    request = change_of(record, BookingAction.CONFIRM)
    return lambda database: calls.change_booking(database, request)
