"""Money that goes back, comes later, or is disputed, by GraphQL alone: ledger and provider agree to the cent."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from engine.collecting import drive
from engine.viewer import Role, Viewer
from models.database import Database
from models.keys import BookingKey
from models.ledger.calls import Stale
from models.ledger.settling import settle as ledger_settle
from models.price import CancellationPolicy
from models.queries.payments import read_payments_for_staff
from models.resource import Resource
from models.venue import Venue
from server.audit import audit
from server.graphql import Schema
from tests.payments.conftest import simulator, simulator_url
from tests.resolvers.conftest import NOW, Asker, id_of
from tests.resolvers.test_checkout import ERRORS, Guest, Json
from tests.support import settings
from tests.support.audits import audited
from tests.support.checkouts import AUTHENTICATED, DECLINED, VISA, till_of
from tests.support.factories import key_of
from tests.support.payments import Simulator
from tests.support.prices import make_guesthouse, make_room
from tests.support.staff import fresh_key, viewer_of

__all__ = ["audited", "simulator", "simulator_url"]

NIGHT = 100_00
REFUSED = "pm_card_refundFail"
DISPUTED = "pm_card_createDispute"
MONEY = "{ amount }"
PAYMENT = f"""payment {{ status captured {MONEY} refunded {MONEY} chargedBack {MONEY} outstanding {MONEY}
    events {{ kind outcome amount {MONEY} code }} }}"""
COMPARED = "ledger_outstanding(p_organization_id, p_booking) > p_payment.amount"
HALF: Json = {"steps": [{"daysBefore": 1, "refund": "50"}]}
DEPOSIT: Json = {"steps": [], "deposit": {"percent": "30"}, "balance": {"daysBefore": 14}}


class Stay(Guest):
    """A guest with a booking, and the worker beside them."""

    held: Json

    async def books(self, room: Resource, method: str = VISA, *, nights: int = 1, quantity: int = 1) -> None:
        """A booking that is paid."""
        self.room = room
        await self.holds(nights=nights, quantity=quantity)
        done = await self.checkout(self.held, method)
        if done["nextActionUrl"]:
            intents = await self.till.client.v1.payment_intents.list_async()
            await self.till.simulator.authenticate(intents.data[0])
            done = await self.complete(self.held)
        assert (done["errors"], done["booking"]["status"]) == ([], "CONFIRMED")

    async def holds(self, *, nights: int = 1, quantity: int = 1) -> None:
        """A hold."""
        done = await self(
            "bookingHold", "booking { id } token errors { code }", items=[self.item(nights=nights, quantity=quantity)]
        )
        assert done["errors"] == []
        self.held = {"bookingId": done["booking"]["id"], "token": done["token"]}

    def item(self, *, nights: int, quantity: int = 1) -> Json:
        """So many nights from the first of July."""
        stay = {"arrival": "2030-07-01", "departure": f"2030-07-{1 + nights:02}"}
        return {"resourceId": id_of(self.room), "stay": stay, "quantity": quantity}

    async def changes(self, *, nights: int, quantity: int = 1) -> None:
        """bookingChange."""
        items = [self.item(nights=nights, quantity=quantity)]
        assert (await self("bookingChange", ERRORS, items=items, **self.held))["errors"] == []

    async def cancels(self) -> None:
        """bookingCancel."""
        operation = f"mutation ($input: BookingActionInput!) {{ bookingCancel(input: $input) {{ {ERRORS} }} }}"
        done = await self.ask(operation, {"input": {"idempotencyKey": fresh_key()} | self.held})
        assert done["bookingCancel"]["errors"] == []

    async def works(self) -> None:
        """The worker, until nothing is left to do now."""
        for _ in range(10):
            if not await self.till.collect():
                return
        raise AssertionError("the worker finds no end")

    async def money(self) -> tuple[int, int, int]:
        """What was taken, went back, and is outstanding; the provider says the same of the first two."""
        found = await self.payment()
        captured, refunded = found["captured"]["amount"], found["refunded"]["amount"]
        assert await self.till.totals() == {"authorized": 0, "captured": captured, "refunded": refunded}
        return captured, refunded, found["outstanding"]["amount"]

    async def payment(self, *, viewer: Viewer | None = None) -> Json:
        """As the guest sees it, or staff."""
        shown = {"id": self.held["bookingId"], "token": None if viewer else self.held["token"]}
        read = f"query ($id: ID!, $token: String) {{ booking(id: $id, token: $token) {{ {PAYMENT} }} }}"
        found = await (self.ask(read, shown) if viewer is None else self.ask(read, shown, viewer=viewer))
        return dict(found["booking"]["payment"])

    async def events(self, kind: str) -> list[tuple[str, int]]:
        """What happened of one kind."""
        events = (await self.payment())["events"]
        return [(event["outcome"], event["amount"]["amount"]) for event in events if event["kind"] == kind]


@pytest.fixture
async def guest(schema: Schema, database: Database, simulator: Simulator) -> AsyncIterator[Stay]:
    async with till_of(database, simulator) as till:
        yield Stay(Asker(schema, database, till.online), till)


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_guesthouse(database)


@pytest.fixture
async def room(database: Database, venue: Venue) -> Resource:
    return await make_room(database, venue, capacity=3)


async def agree(database: Database, room: Resource, parameters: dict[str, Any]) -> None:
    """The terms of later bookings."""
    await settings.put(database, CancellationPolicy, key_of(room), identity="TERMS", parameters=parameters)


async def test_who_cancels_in_time_gets_all_back(guest: Stay, room: Resource) -> None:
    await guest.books(room)
    await guest.cancels()
    await guest.works()
    assert await guest.money() == (NIGHT, NIGHT, 0)
    assert await guest.events("REFUND") == [("REQUESTED", NIGHT), ("SUCCEEDED", NIGHT)]
    await guest.works()
    assert await guest.money() == (NIGHT, NIGHT, 0)


async def test_what_the_venue_keeps_does_not_go_back(guest: Stay, room: Resource, database: Database) -> None:
    await agree(database, room, HALF)
    await guest.books(room)
    await guest.cancels()
    await guest.works()
    assert await guest.money() == (NIGHT, NIGHT // 2, 0)
    assert (await guest.payment())["status"] == "PARTIALLY_REFUNDED"


async def test_a_part_is_cancelled_and_its_share_goes_back(guest: Stay, room: Resource) -> None:
    await guest.books(room, quantity=3)
    shown = "query ($id: ID!, $token: String) { booking(id: $id, token: $token) { items { id } } }"
    booking = (await guest.ask(shown, {"id": guest.held["bookingId"], "token": guest.held["token"]}))["booking"]
    part = {"itemId": booking["items"][0]["id"], "quantity": 1}
    assert (await guest("bookingItemCancel", ERRORS, **part, **guest.held))["errors"] == []
    await guest.works()
    assert await guest.money() == (3 * NIGHT, NIGHT, 0)
    await guest.cancels()
    await guest.works()
    assert await guest.money() == (3 * NIGHT, 3 * NIGHT, 0)


async def test_a_change_to_less_gives_back_and_one_to_more_is_paid(guest: Stay, room: Resource) -> None:
    await guest.books(room, nights=3)
    await guest.changes(nights=1)
    await guest.works()
    assert await guest.money() == (3 * NIGHT, 2 * NIGHT, 0)
    await guest.changes(nights=2)
    await guest.works()
    assert await guest.money() == (3 * NIGHT, 2 * NIGHT, NIGHT)
    declined = await guest.checkout(guest.held, DECLINED)
    assert [error["code"] for error in declined["errors"]] == ["PAYMENT_DECLINED"]
    done = await guest.checkout(guest.held, VISA)
    assert (done["errors"], done["booking"]["status"]) == ([], "CONFIRMED")
    assert await guest.money() == (4 * NIGHT, 2 * NIGHT, 0)
    assert [error["code"] for error in (await guest.checkout(guest.held, VISA))["errors"]] == ["NOTHING_DUE"]
    await guest.cancels()
    await guest.works()
    assert await guest.money() == (4 * NIGHT, 4 * NIGHT, 0)


async def test_a_surcharge_that_nobody_pays_ends(guest: Stay, room: Resource, owner: asyncpg.Connection) -> None:
    await guest.books(room)
    await guest.changes(nights=2)
    assert (await guest.checkout(guest.held))["errors"] == []
    await owner.execute("UPDATE payment SET ceiling_at = clock_timestamp(), check_at = clock_timestamp()")
    await guest.works()
    assert await guest.money() == (NIGHT, 0, NIGHT)
    assert (await guest.checkout(guest.held, VISA))["errors"] == []
    assert await guest.money() == (2 * NIGHT, 0, 0)


async def test_what_the_venue_collects_is_not_asked_for_online_after_a_change(guest: Stay, room: Resource) -> None:
    guest.room = room
    await guest.holds()
    staff = viewer_of(Role.STAFF, room.organization_id)
    assert (await guest("bookingConfirm", ERRORS, viewer=staff, **guest.held))["errors"] == []
    await guest.changes(nights=2)
    assert [error["code"] for error in (await guest.checkout(guest.held, VISA))["errors"]] == ["INVALID_STATE"]
    assert await guest.money() == (0, 0, 0)


@pytest.mark.parametrize("nights", [1, 3])
async def test_a_hold_that_is_changed_is_paid_as_what_it_is_then(guest: Stay, room: Resource, nights: int) -> None:
    """What a browser had begun to pay is for another price, and can buy nothing any more."""
    guest.room = room
    await guest.holds(nights=2)
    begun = await guest.checkout(guest.held)
    intent = begun["clientSecret"].partition("_secret_")[0]
    await guest.changes(nights=nights)
    await guest.till.client.v1.payment_intents.confirm_async(
        intent, {"payment_method": VISA, "return_url": "https://shop.example"}
    )
    await guest.works()
    assert (await guest.payment())["status"] == "VOIDED"
    assert await guest.money() == (0, 0, nights * NIGHT)
    assert [error["code"] for error in (await guest.complete(guest.held))["errors"]] == ["PAYMENT_REQUIRED"]
    done = await guest.checkout(guest.held, VISA)
    assert (done["errors"], done["booking"]["status"]) == ([], "CONFIRMED")
    assert await guest.money() == (nights * NIGHT, 0, 0)


@pytest.mark.unaudited
@pytest.mark.parametrize("guarded", [True, False])
async def test_too_little_money_never_confirms(
    guest: Stay, room: Resource, owner: asyncpg.Connection, database_url: str, *, guarded: bool
) -> None:
    """Who decides looks at the price, whatever has moved it, under the booking's lock; without, the audit is red."""
    guest.room = room
    await guest.holds(nights=1)
    await guest.checkout(guest.held)
    await owner.execute("ALTER TABLE booking DISABLE TRIGGER payment_booking_moved")
    await guest.changes(nights=2)
    await owner.execute("ALTER TABLE booking ENABLE TRIGGER payment_booking_moved")
    if not guarded:
        text: str = await owner.fetchval("SELECT pg_get_functiondef('ledger_decide'::regproc)")
        await owner.execute(text.replace(COMPARED, "false"))
    done = await guest.checkout(guest.held, VISA)  # goes to the payment there is
    told = io.StringIO()
    found = await audit(database_url, told)
    if not guarded:
        assert (done["booking"]["status"], found) == ("CONFIRMED", 1), told.getvalue()
        return
    assert found == 0, told.getvalue()
    assert (done["booking"]["status"], done["payment"]["status"]) == ("ON_HOLD", "VOIDED")
    assert await guest.money() == (0, 0, 2 * NIGHT)


async def test_many_who_look_at_once_give_back_once(guest: Stay, room: Resource, owner: asyncpg.Connection) -> None:
    await guest.books(room, nights=2)
    await guest.changes(nights=1)
    booking = BookingKey(*await owner.fetchrow("SELECT organization_id, id FROM booking"))
    await asyncio.gather(*(drive(guest.till.database, guest.till.gateway, booking, now=lambda: NOW) for _ in range(6)))
    assert await guest.money() == (2 * NIGHT, NIGHT, 0)
    assert len(await guest.events("REFUND")) == 2


async def test_what_is_owed_is_counted_for_one_version(guest: Stay, room: Resource, owner: asyncpg.Connection) -> None:
    """What was counted before the booking has changed gives nothing back."""
    await guest.books(room, nights=2)
    booking = BookingKey(*await owner.fetchrow("SELECT organization_id, id FROM booking"))
    version = await owner.fetchval("SELECT version FROM booking")
    await guest.changes(nights=3)
    with pytest.raises(Stale):
        await ledger_settle(guest.till.database, booking, version=version, owed=0)
    await guest.works()
    assert await guest.money() == (2 * NIGHT, 0, NIGHT)


async def test_who_has_died_before_the_provider_was_asked_is_followed(
    guest: Stay, room: Resource, owner: asyncpg.Connection
) -> None:
    await guest.books(room)
    await guest.cancels()
    await guest.till.simulator.fault("lost_after", "POST /v1/refunds")
    await guest.till.collect()
    assert await guest.events("REFUND") == [("REQUESTED", NIGHT)]
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")  # as the end of the lease has it
    await guest.works()
    assert await guest.money() == (NIGHT, NIGHT, 0)


@pytest.mark.unaudited
async def test_a_refund_that_a_bank_sends_back_is_tried_again_three_times(
    guest: Stay, room: Resource, owner: asyncpg.Connection, database_url: str
) -> None:
    await guest.books(room, REFUSED)
    await guest.cancels()
    for _ in range(3):
        await guest.works()
        assert await guest.money() == (NIGHT, NIGHT, 0)
        await guest.till.simulator.tell("/clock", seconds=3_700)
        await owner.execute("UPDATE payment SET check_at = clock_timestamp()")
    await guest.works()
    assert await guest.money() == (NIGHT, 0, 0)
    assert await guest.events("REFUND") == 3 * [("REQUESTED", NIGHT), ("SUCCEEDED", NIGHT), ("FAILED", NIGHT)]
    assert (await read_payments_for_staff(guest.till.database)).refunds == 1
    told = io.StringIO()
    assert await audit(database_url, told) == 1
    assert f"{NIGHT} too much kept" in told.getvalue()


async def test_a_refund_that_takes_its_time_is_followed(guest: Stay, room: Resource, owner: asyncpg.Connection) -> None:
    await guest.books(room, "pm_card_pendingRefund")
    await guest.cancels()
    await guest.works()
    assert await guest.events("REFUND") == [("REQUESTED", NIGHT)]
    await guest.till.simulator.tell("/clock", seconds=3_700)
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")
    await guest.works()
    assert await guest.events("REFUND") == [("REQUESTED", NIGHT), ("SUCCEEDED", NIGHT)]
    assert await guest.money() == (NIGHT, NIGHT, 0)


@pytest.mark.parametrize(("verdict", "outcome"), [("won", "FAILED"), ("lost", "SUCCEEDED")])
async def test_a_dispute_is_seen_and_its_end(
    guest: Stay, room: Resource, owner: asyncpg.Connection, verdict: str, outcome: str
) -> None:
    await guest.books(room, DISPUTED)
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")  # as a webhook has it
    await guest.works()
    assert await guest.events("DISPUTE") == [("REQUESTED", NIGHT)]
    staff = viewer_of(Role.STAFF, room.organization_id)
    assert (await guest.payment(viewer=staff))["chargedBack"]["amount"] == NIGHT
    await guest.cancels()
    await guest.works()
    assert await guest.money() == (NIGHT, 0, 0)  # it can not be given back twice
    dispute = (await guest.till.client.v1.disputes.list_async()).data[0]
    evidence = {"won": "winning_evidence", "lost": "losing_evidence"}[verdict]
    await guest.till.client.v1.disputes.update_async(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")
    await guest.works()
    assert await guest.events("DISPUTE") == [("REQUESTED", NIGHT), (outcome, NIGHT)]
    back = NIGHT if verdict == "won" else 0
    assert await guest.money() == (NIGHT, back, 0)
    assert (await guest.payment())["chargedBack"]["amount"] == NIGHT - back


async def falls_due(owner: asyncpg.Connection) -> None:
    """Time goes by until what is due later is due."""
    await owner.execute("ALTER TABLE quote DISABLE TRIGGER quote_stays_as_it_is")
    await owner.execute("""
        UPDATE quote SET due_later = (
            SELECT coalesce(jsonb_agg(d || jsonb_build_object('at', clock_timestamp())), '[]')
              FROM jsonb_array_elements(due_later) d
        )
    """)
    await owner.execute("ALTER TABLE quote ENABLE TRIGGER quote_stays_as_it_is")
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")


async def test_a_deposit_and_later_the_balance(
    guest: Stay, room: Resource, database: Database, owner: asyncpg.Connection
) -> None:
    await agree(database, room, DEPOSIT)
    await guest.books(room)
    assert await guest.money() == (30_00, 0, 0)
    await guest.works()
    assert await guest.money() == (30_00, 0, 0)
    assert await owner.fetchval("SELECT check_at > clock_timestamp() + interval '1 day' FROM payment")
    await falls_due(owner)
    await guest.works()
    assert await guest.money() == (NIGHT, 0, 0)
    assert await guest.events("CAPTURE") == [
        *(("REQUESTED", 30_00), ("SUCCEEDED", 30_00)),
        *(("REQUESTED", 70_00), ("SUCCEEDED", 70_00)),
    ]
    await guest.cancels()
    await guest.works()
    assert (await guest.money())[2] == 0


async def test_a_kept_card_that_is_declined_is_tried_again_and_then_left_to_the_guest(
    guest: Stay, room: Resource, database: Database, owner: asyncpg.Connection
) -> None:
    await agree(database, room, DEPOSIT)
    await guest.books(room, AUTHENTICATED)
    await falls_due(owner)
    for attempt, days in enumerate((1, 3, 7), start=1):
        await guest.works()
        assert len([outcome for outcome, _ in await guest.events("AUTHORIZE") if outcome == "FAILED"]) == attempt
        waits = await owner.fetchval("SELECT charge_at - clock_timestamp() FROM payment WHERE purpose = 'BALANCE'")
        assert timedelta(days=days, minutes=-5) < waits <= timedelta(days=days)
        await owner.execute("UPDATE payment SET charge_at = clock_timestamp(), check_at = clock_timestamp()")
    await guest.works()
    assert await guest.money() == (30_00, 0, 70_00)
    assert await guest.events("VOID") == [("REQUESTED", 70_00), ("SUCCEEDED", 70_00)]
    await owner.execute("UPDATE payment SET check_at = clock_timestamp()")
    await guest.works()  # and is not begun again
    assert len(await guest.events("VOID")) == 2
    done = await guest.checkout(guest.held, VISA)
    assert done["errors"] == []
    assert await guest.money() == (NIGHT, 0, 0)


async def test_a_guest_pays_a_balance_before_the_card_is_tried_again(
    guest: Stay, room: Resource, database: Database, owner: asyncpg.Connection
) -> None:
    await agree(database, room, DEPOSIT)
    await guest.books(room)
    await guest.till.client.v1.payment_methods.detach_async(await owner.fetchval("SELECT method FROM payment"))
    await falls_due(owner)
    await guest.works()
    assert await guest.money() == (30_00, 0, 70_00)
    done = await guest.checkout(guest.held, VISA)
    assert done["errors"] == []
    assert await guest.money() == (NIGHT, 0, 0)
    assert await owner.fetchval("SELECT count(*) FROM payment") == 2
