from datetime import date
from typing import Any

import pytest
import strawberry

from models.errors import InvalidInput
from resolvers.booking_hold import BookingItemInput
from schema.inputs import ContactInput, StayInput, WindowInput, activity_of, contact_of, wish_of
from tests.support.factories import at

WINDOW = WindowInput(starts_at=at("10:00"), ends_at=at("12:00"))
STAY = StayInput(arrival=date(2030, 6, 1), departure=date(2030, 6, 2))


def an_item(**given: Any) -> Any:
    return BookingItemInput(resource_id=strawberry.ID(""), **given)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "window"),
        ({"window": WINDOW, "stay": STAY}, "window"),
        ({"window": WINDOW, "quantity": 0}, "quantity"),
        ({"window": WINDOW, "quantity": -1}, "quantity"),
        ({"window": WINDOW, "quantity": 10_001}, "quantity"),
        ({"window": WINDOW, "activity": "  "}, "activity"),
    ],
)
def test_a_wish_makes_sense_by_itself(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        wish_of(an_item(**given), ("input", "items", "3"))
    assert refused.value.path == ("input", "items", "3", field)


@pytest.mark.parametrize("end", ["10:00", "09:59"])
def test_a_window_ends_after_it_starts(end: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        WindowInput(starts_at=at("10:00"), ends_at=at(end)).interval(("input", "window"))
    assert refused.value.path == ("input", "window", "endsAt")


@pytest.mark.parametrize("activity", ["", " ", "#booking", " #x", "x" * 101, "a\x00b", "a\nb", "\ud800"])
def test_an_activity_that_can_not_be(activity: str) -> None:
    with pytest.raises(InvalidInput):
        activity_of(activity, ("activity",))


def test_an_activity_is_compared_without_blanks_around() -> None:
    assert activity_of(" yoga ", ("activity",)) == "yoga"
    assert activity_of(None, ("activity",)) is None


@pytest.mark.parametrize(
    "email", ["nobody", "@x", "x@", "a@b@c", "a b@c", "a@b\u2028c", "x" * 250 + "@x.dz", "a\x00@b", "\ud800@b"]
)
def test_an_address_that_can_not_be(email: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        contact_of(ContactInput(email=email), ("input", "contact"))
    assert refused.value.path == ("input", "contact", "email")
    assert email not in refused.value.message


def test_a_contact_is_bounded_and_blanks_are_nothing() -> None:
    contact = contact_of(ContactInput(name=" Ada ", email="a@b.dz", phone="  "), ())
    assert (contact.name, contact.email, contact.phone) == ("Ada", "a@b.dz", None)
    for part in ({"name": "x" * 201}, {"phone": "1" * 41}, {"name": "x" * 1_000_000}):
        with pytest.raises(InvalidInput):
            contact_of(ContactInput(**part), ())
