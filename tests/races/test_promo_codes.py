"""A hundred holds with a promo code that holds ten times: exactly ten of them get it.

They are of several rooms, so that no lock of a resource brings all of them in order: only the code's does.
"""

from datetime import timedelta

import asyncpg
import pytest

from engine.availability import Wish
from engine.facts import load_facts
from engine.hold_prices import AskedPrice
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.database import Database
from models.errors import PromoCodeInvalid
from models.ledger.requests import NO_CONTACT
from models.resource import Resource
from tests.races.support import PROCESSES, Ask, Outcome, patiently, processes, race
from tests.support.factories import at, key_of
from tests.support.prices import FRIDAY, make_guesthouse, make_room, put_promo_code
from tests.support.staff import fresh_key

CLIENTS = 100
USES = 10
ROOMS = 4
CONTROL_ROUNDS_MAX = 50
"""The race is met in the first rounds; a machine that is busy with other things may take some more."""

NOW = at("2030-05-31 12:00")
STAY = (FRIDAY, FRIDAY + timedelta(days=1))

WITHOUT_THE_LOCK = """
CREATE OR REPLACE FUNCTION ledger_lock_promo_codes(p_organization_id uuid, p_requests jsonb)
RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
CREATE TRIGGER a_pause BEFORE INSERT ON booking FOR EACH ROW EXECUTE FUNCTION pause();
"""
"""Counting and booking are some microseconds apart; a pause between the two makes the race happen."""

pytestmark = pytest.mark.timeout(300)


def _hold(room: Resource, code: str) -> Ask:
    items = (ItemRequest(key_of(room), Wish(stay=STAY)),)
    key = fresh_key()
    request = HoldRequest(key, key.encode(), items, NO_CONTACT, {}, asked_price=AskedPrice(promo=code))
    return patiently(lambda database: hold(database, GUEST, request, now=NOW))


async def _round(database: Database, databases: list[Database], clients: int, code: str) -> Outcome:
    venue = await make_guesthouse(database)
    await put_promo_code(database, venue, code, uses_max=USES)
    rooms = [await make_room(database, venue, capacity=clients) for _ in range(ROOMS)]
    for each in databases:  # all have looked before: what is raced for is the code, not who reads the prices first
        await load_facts(each, [key_of(room) for room in rooms])
    return await race(databases, [(str(n), _hold(rooms[n % ROOMS], code)) for n in range(clients)])


async def test_a_code_is_used_as_often_as_it_may_be(database: Database, database_url: str) -> None:
    async with processes(database_url) as databases:
        outcome = await _round(database, databases, CLIENTS, "SPRING")
    assert outcome.defects == ()
    assert len(outcome.won) == USES
    assert {type(error) for error in outcome.refused} == {PromoCodeInvalid}
    assert len(outcome.refused) == CLIENTS - USES


@pytest.mark.unaudited
async def test_control_without_the_lock_it_is_used_more_often(
    database: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    await owner.execute(WITHOUT_THE_LOCK)
    async with processes(database_url) as databases:
        for number in range(CONTROL_ROUNDS_MAX):
            outcome = await _round(database, databases, 2 * PROCESSES, f"SPRING{number}")
            if len(outcome.won) > USES:
                return
    raise AssertionError("the race was never met")
