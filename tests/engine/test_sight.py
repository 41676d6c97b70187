"""What is refused at sight, and what only looks as if it could be. The same words as the ledger's are shown by
tests/engine/test_kept_agreement.py.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from engine import sight
from engine.availability import Wish
from engine.holds import HoldRequest, ItemRequest, hold
from engine.viewer import GUEST
from models.database import Database
from models.errors import BookingError, Busy, IdempotencyConflict, Refused, SoldOut
from models.kept_timelines import KeptTimelines
from models.ledger import calls
from models.ledger.records import BookingRecord
from models.ledger.requests import NO_CONTACT, BookingAction, Command
from models.ledger.sight import Sight
from models.queries.catalog import read_versions
from models.resource import BookingRule, Resource
from tests.support.factories import (
    adjust_of,
    at,
    between,
    change_of,
    key_of,
    let_run_out,
    make_booking,
    make_choices,
    make_requirement,
    make_resource,
)
from tests.support.statements import recorded_statements

NOW = at("2030-05-31 12:00")
CALLERS = 60
LEDGER, SIGHT = "SELECT ledger_hold($1, $2)", "SELECT ledger_sight($1, $2, $3, $4)"


@pytest.fixture
def process(database: Database) -> Database:
    """A process that keeps timelines."""
    return replace(database, timelines=KeptTimelines(), catalog={})


def request_of(*resources: Resource, key: str | None = None, asks: bytes = b"", quantity: int = 1) -> HoldRequest:
    wish = Wish(window=between("10:00", "12:00"), quantity=quantity)
    items = tuple(ItemRequest(key_of(each), wish) for each in resources)
    return HoldRequest(key or secrets.token_hex(16), asks, items, NO_CONTACT, {})


async def ask(process: Database, *resources: Resource, **more: Any) -> BookingRecord:
    return await hold(process, GUEST, request_of(*resources, **more), now=NOW)


async def sell_out(process: Database, resource: Resource) -> BookingRecord:
    """The resource's places are taken, and this process has been told so once."""
    booked = await make_booking(process, resource, quantity=resource.capacity)
    with pytest.raises(SoldOut):
        await ask(process, resource)
    return booked


async def test_what_is_known_to_be_sold_out_is_not_asked_of_the_ledger(process: Database) -> None:
    hall = await make_resource(process, capacity=3)
    await make_booking(process, hall, quantity=2)
    for expected in ([LEDGER], [SIGHT], [SIGHT]):
        with recorded_statements(process) as statements, pytest.raises(SoldOut) as refused:
            await ask(process, hall, quantity=2)
        assert (refused.value.resource_id, refused.value.vacancies) == (hall.id, 1)
        assert refused.value.message == "Only 1 left at some time of this interval."
        assert [one for one in statements if one in (LEDGER, SIGHT)] == expected
    # There is room for less, which is not looked for at sight.
    with recorded_statements(process) as statements:
        await ask(process, hall)
    assert SIGHT not in statements


async def test_what_is_required_refuses_at_sight_too(process: Database) -> None:
    house = await make_resource(process, capacity=1)
    room = await make_resource(process, beside=house, capacity=2)
    await make_requirement(process, house, room, per_booking=2)
    await make_booking(process, room)
    for expected in (LEDGER, SIGHT):
        with recorded_statements(process) as statements, pytest.raises(SoldOut) as refused:
            await ask(process, house)
        assert (refused.value.resource_id, refused.value.vacancies) == (room.id, 1)
        assert expected in statements


async def test_many_who_ask_at_once_are_refused_by_a_few_looks(process: Database) -> None:
    hall = await make_resource(process)
    await sell_out(process, hall)
    with recorded_statements(process) as statements:
        answers = await asyncio.gather(*(ask(process, hall) for _ in range(CALLERS)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {SoldOut}
    assert LEDGER not in statements
    assert 1 <= statements.count(SIGHT) <= 2


async def test_a_repetition_gets_the_first_answer_although_it_looks_sold_out(process: Database) -> None:
    """What makes it sold out is what was done under this very key, by another process or by this one."""
    hall = await make_resource(process)
    elsewhere = replace(process, timelines=KeptTimelines(), catalog={})
    request = request_of(hall)
    first = await hold(elsewhere, GUEST, request, now=NOW)
    with pytest.raises(SoldOut):
        await ask(process, hall)
    for _ in range(2):
        with recorded_statements(process) as statements:
            assert (await hold(process, GUEST, request, now=NOW)).booking.id == first.booking.id
        assert SIGHT in statements, "it did look sold out"
    with pytest.raises(IdempotencyConflict):
        await hold(process, GUEST, replace(request, request_hash=b"other"), now=NOW)


@pytest.mark.parametrize("is_asked", [True, False])
async def test_what_became_free_elsewhere_is_had_at_once(
    process: Database, monkeypatch: pytest.MonkeyPatch, is_asked: bool
) -> None:
    """The control believes what it knows: it refuses by what was so before it was asked."""
    hall = await make_resource(process)
    booked = await sell_out(process, hall)
    known = await read_versions(process, [key_of(hall)])
    await calls.change_booking(process, change_of(booked, BookingAction.CANCEL))
    if is_asked:
        held = await ask(process, hall)
        await calls.change_booking(process, change_of(held, BookingAction.RELEASE))
        with recorded_statements(process) as statements:
            await ask(process, hall)
        assert SIGHT not in statements, "what was looked at in vain raises no suspicion again"
        return

    async def believe(database: Database, command: Command, resource_ids: Sequence[object]) -> Sight:
        return Sight(known, is_remembered=False)

    monkeypatch.setattr(sight, "look", believe)
    with pytest.raises(SoldOut):
        await ask(process, hall)


async def test_a_hold_that_is_over_is_in_nobodys_way(process: Database, owner: asyncpg.Connection) -> None:
    hall = await make_resource(process)
    held = await ask(process, hall)
    with pytest.raises(SoldOut):
        await ask(process, hall)
    await let_run_out(owner, held)
    assert (await ask(process, hall)).booking.id != held.booking.id


async def test_rules_that_have_changed_are_told_of_first(process: Database) -> None:
    hall = await make_resource(process)
    await sell_out(process, hall)
    async with process.writing(hall.organization_id) as session:
        session.add(
            BookingRule(
                organization_id=hall.organization_id, resource_id=hall.id, type="PARTY_SIZE", parameters={"min": 2}
            )
        )
    with pytest.raises(Refused) as refused:
        await ask(process, hall)
    assert [error.code for error in refused.value.errors] == ["PARTY_TOO_SMALL"]


async def test_closed_is_left_to_the_ledger_which_says_so(process: Database) -> None:
    hall = await make_resource(process)
    await sell_out(process, hall)
    await calls.adjust(process, adjust_of(hall, "11:00", "11:30", closed=True))
    for _ in range(2):
        with pytest.raises(BookingError) as refused:
            await ask(process, hall)
        assert refused.value.code == "CLOSED"


async def test_several_items_and_what_is_chosen_are_left_to_the_ledger(process: Database) -> None:
    hall = await make_resource(process)
    other = await make_resource(process, beside=hall)
    either = await make_resource(process, beside=hall, capacity=1)
    await make_choices(process, either, hall)
    await sell_out(process, hall)
    for resources in ([hall, other], [either]):
        with recorded_statements(process) as statements, pytest.raises(SoldOut):
            await ask(process, *resources)
        assert SIGHT not in statements


@pytest.mark.parametrize("failure", [ConnectionResetError(), asyncpg.QueryCanceledError(), TimeoutError(), Busy("")])
async def test_a_look_that_fails_leaves_it_to_the_ledger(
    process: Database, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    hall = await make_resource(process)
    await sell_out(process, hall)

    async def fail(*_: object) -> Sight:
        raise failure

    monkeypatch.setattr(sight, "look", fail)
    with recorded_statements(process) as statements, pytest.raises(SoldOut):
        await ask(process, hall)
    assert LEDGER in statements


async def test_who_keeps_nothing_asks_the_ledger(database: Database) -> None:
    hall = await make_resource(database)
    await sell_out(database, hall)
    with recorded_statements(database) as statements, pytest.raises(SoldOut):
        await ask(database, hall)
    assert (LEDGER in statements, SIGHT in statements) == (True, False)
