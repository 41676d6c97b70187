"""Snapshots: the columns of their tables, the same whoever has read them, and nothing private when they are shown."""

from dataclasses import fields

import pytest

from models.booking import Booking, BookingItem
from models.database import Database
from models.keys import BookingKey
from models.ledger import calls
from models.ledger.records import BookingSnapshot, ItemSnapshot
from models.ledger.requests import Contact
from models.queries.bookings import read_bookings
from tests.support.factories import make_hold, make_resource


@pytest.mark.parametrize(("snapshot", "table"), [(BookingSnapshot, Booking), (ItemSnapshot, BookingItem)])
def test_a_snapshot_has_the_columns_of_its_table(snapshot: type, table: type) -> None:
    assert {field.name for field in fields(snapshot)} == set(table.__table__.columns.keys())  # type: ignore[attr-defined]


async def test_the_ledger_and_a_query_tell_the_same(database: Database) -> None:
    resource = await make_resource(database)
    contact = Contact(name="Nora Example", email="nora@example.com")
    held = await make_hold(database, resource, customer_id="customer-7", contact=contact)
    key = BookingKey(resource.organization_id, held.booking.id)

    called = await calls.read_booking(database, *key)
    async with database.reading(resource.organization_id) as session:
        queried = (await read_bookings(session, [key]))[key]

    assert called is not None
    assert called.booking == queried.booking == held.booking
    assert called.items == queried.items == held.items


async def test_its_contact_is_in_no_repr(database: Database) -> None:
    contact = Contact(name="Nora Example", email="nora@example.com", phone="+351 000")
    held = await make_hold(database, await make_resource(database), contact=contact)

    shown = repr(held)

    assert held.booking.reference in shown
    assert not any(private in shown for private in ("Nora", "nora@", "+351"))
