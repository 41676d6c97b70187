"""All that can happen to a booking that is being paid, at once: it ends booked and paid, or neither."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from engine.viewer import Role
from models.database import Database
from models.ledger.calls import Stale
from models.ledger.payments import SeenPayment, payment_seen
from models.ledger.records import BookingRecord
from models.ledger.requests import BookingAction
from models.payment import PaymentProgress
from models.queries.work import expire_over
from models.resource import Resource
from tests.payments.conftest import simulator, simulator_url
from tests.races.support import Ask, Outcome, processes, race
from tests.support.checkouts import VISA, Till, till_of
from tests.support.factories import key_of, let_run_out
from tests.support.payments import Simulator
from tests.support.prices import make_guesthouse, make_room
from tests.support.rules import put as put_rule
from tests.support.staff import viewer_of

__all__ = ["simulator", "simulator_url"]

NIGHT = 100_00
ROUNDS = 20
CONTROL_ROUNDS_MAX = 60
STEPS_MAX = 20
"""Rounds of the worker after the race: each leaves less to do."""

WITHOUT_LOCKS = """
DO $$
DECLARE
    v_text text := pg_get_functiondef('ledger_payment_seen(uuid, jsonb)'::regprocedure);
BEGIN
    EXECUTE replace(v_text, 'FOR NO KEY UPDATE', '');
END $$;
CREATE OR REPLACE FUNCTION ledger_lock_for_payment(p_organization_id uuid, p_request jsonb, p_is_late boolean)
RETURNS uuid[] LANGUAGE sql AS
'SELECT array_agg(r.id) FROM resource r WHERE r.organization_id = p_organization_id';
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
CREATE TRIGGER a_pause BEFORE UPDATE ON booking FOR EACH ROW EXECUTE FUNCTION pause();
"""
"""What is decided and what is written are some microseconds apart; a pause between the two makes the race happen."""

WITHOUT_VERSIONS = """
DO $$ BEGIN EXECUTE replace(
    pg_get_functiondef('ledger_payment_seen(uuid, jsonb)'::regprocedure),
    'v_payment.version <> (p_request->>''version'')::bigint', 'false'); END $$;
"""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def tills(database_url: str, simulator: Simulator) -> AsyncIterator[list[Till]]:
    """Several processes that collect by one account."""
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(processes(database_url))
        yield [await stack.enter_async_context(till_of(each, simulator)) for each in databases]


@pytest.fixture
async def room(database: Database) -> Resource:
    return await make_room(database, await make_guesthouse(database), capacity=1)


async def _duel(tills: list[Till], room: Resource, owner: asyncpg.Connection, night: int) -> BookingRecord:
    """The guest pays; the page asks, the worker looks, the guest gives up, the hold ends, another wants the room."""
    record = await tills[0].hold(room, night=night)
    await tills[0].begin(record)
    of = {id(till.database): till for till in tills}

    def by(act: Callable[[Till], Awaitable[object]]) -> Ask:
        async def ask(database: Database) -> object:
            return await act(of[id(database)])

        return ask

    async def over(till: Till) -> object:
        await let_run_out(owner, record)
        return await expire_over(till.database, room.organization_id, limit=10, patient=True)

    outcome = await race(
        [till.database for till in tills],
        [
            ("pay", by(lambda till: till.pay(record))),
            *[("complete", by(lambda till: till.complete(record)))] * 2,
            *[("look", by(lambda till: till.drive(record)))] * 2,
            ("release", by(lambda till: till.change(record, BookingAction.RELEASE))),
            ("over", by(over)),
            ("other", by(lambda till: till.hold(room, night=night))),
        ],
    )
    _assert_no_defect(outcome)
    return record


async def _given_up(tills: list[Till], record: BookingRecord) -> Outcome:
    """The page asks for what is paid, and the guest gives it up."""
    clients: list[tuple[str, Ask]] = [
        ("complete", lambda _: tills[1].complete(record)),
        ("release", lambda _: tills[2].change(record, BookingAction.RELEASE)),
    ]
    return await race([till.database for till in tills], clients)


async def _paid_at_once(tills: list[Till], record: BookingRecord, windows: int) -> Outcome:
    """The guest presses the button in several windows, each with a key of its own."""
    clients: list[tuple[str, Ask]] = [("window", lambda _: tills[1].begin(record, VISA))] * windows
    return await race([till.database for till in tills], clients)


def _assert_no_defect(outcome: Outcome) -> None:
    """Who pays what may not be paid any more is told so by the provider."""
    assert [error for error in outcome.defects if type(error).__name__ != "InvalidRequestError"] == []


async def _settled(till: Till, owner: asyncpg.Connection) -> None:
    """Let the worker look until nothing is left to do."""
    for _ in range(STEPS_MAX):
        await owner.execute("UPDATE payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
        if await till.collect() == 0:
            return
    raise AssertionError("there is always more to do")


async def _money_without_booking(till: Till, owner: asyncpg.Connection, record: BookingRecord) -> str | None:
    """What is wrong with how it ended, or None."""
    money, intent = await till.money(record), await till.intent(record)
    charge = 0 if intent.status != "succeeded" else intent.amount_received - money.payments[0].refunded
    is_booked = money.record.booking.status == "CONFIRMED"
    if intent.status == "requires_capture":
        return "authorized for ever"
    if charge != (NIGHT if is_booked else 0):
        return f"{money.record.booking.status}, and {charge} taken"
    return None


async def test_it_ends_booked_and_paid_or_neither(tills: list[Till], room: Resource, owner: asyncpg.Connection) -> None:
    statuses = set()
    for night in range(ROUNDS):
        record = await _duel(tills, room, owner, night)
        await _settled(tills[0], owner)
        assert await _money_without_booking(tills[0], owner, record) is None
        statuses.add((await tills[0].money(record)).record.booking.status)
    assert len(statuses) > 1, "they race for nothing"


@pytest.mark.unaudited
async def test_control_without_locks_money_is_taken_for_nothing(
    tills: list[Till], room: Resource, owner: asyncpg.Connection
) -> None:
    await owner.execute(WITHOUT_LOCKS)
    for night in range(CONTROL_ROUNDS_MAX):
        record = await tills[0].hold(room, night=night)
        await tills[0].begin(record)
        await tills[0].pay(record)
        _assert_no_defect(await _given_up(tills, record))
        money = await tills[0].money(record)
        if money.record.booking.status == "CANCELLED" and money.payments[0].captured:
            return
    raise AssertionError("the race was never met")


@pytest.mark.parametrize("versions", ["compared", pytest.param("not compared", marks=pytest.mark.unaudited)])
async def test_what_was_said_before_is_not_written_over_what_was_said_since(
    tills: list[Till], room: Resource, owner: asyncpg.Connection, versions: str
) -> None:
    """Somebody asked before the guest paid, and is slow to write the answer. Without versions it would count."""
    till = tills[0]
    await put_rule(till.database, key_of(room), type="APPROVAL_REQUIRED", parameters={"withinHours": 24})
    record = await till.hold(room)
    await till.begin(record)
    before = await till.payment(record)
    slow = SeenPayment(PaymentProgress.OPEN, before.reference, NIGHT, "EUR", captured=0, refunded=0)
    await till.begin(record, VISA)
    staff = viewer_of(Role.STAFF, room.organization_id)
    await till.change(record, BookingAction.APPROVE, viewer=staff)
    if versions == "not compared":
        await owner.execute(WITHOUT_VERSIONS)
        money = await payment_seen(till.database, before, slow)
        assert money.payments[0].decision == "VOID", "what was approved would be let go"
        return
    with pytest.raises(Stale):
        await payment_seen(till.database, before, slow)
    await _settled(till, owner)
    assert await _money_without_booking(till, owner, record) is None
    assert (await till.payment(record)).captured == NIGHT


async def test_two_pages_of_one_guest_pay_once(tills: list[Till], room: Resource, owner: asyncpg.Connection) -> None:
    for night in range(3):
        record = await tills[0].hold(room, night=night)
        await _paid_at_once(tills, record, 4)
        await _settled(tills[0], owner)
        money = await tills[0].money(record)
        assert len(money.payments) == 1
        assert await _money_without_booking(tills[0], owner, record) is None
        assert money.record.booking.status == "CONFIRMED"
    assert (await tills[0].totals())["captured"] == 3 * NIGHT
