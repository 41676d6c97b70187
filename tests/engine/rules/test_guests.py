import pytest

from engine.rules.base import GuestCount
from engine.rules.guests import checked_guests, guests_as_stored, guests_from_stored
from models.errors import InvalidInput
from tests.engine.rules.examples import guests

ADULT = GuestCount("ADULT", 2)


def test_a_party_within_bounds() -> None:
    told = (ADULT, GuestCount("CHILD", 2, (3, 9)))
    assert checked_guests((*told, GuestCount("INFANT", 0)), ("guests",)) == told
    assert checked_guests(guests(ADULT=10_000), ("guests",)) == guests(ADULT=10_000)


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ([], ()),
        ([GuestCount("ADULT", 0)], ()),
        ([ADULT, ADULT], ()),
        ([GuestCount(f"T{n}", 1) for n in range(21)], ()),
        (guests(ADULT=6_000, CHILD=4_001), ()),
        ([GuestCount("ADULT", 1_001, (30,) * 1_001)], ()),
        ([ADULT, GuestCount("child", 1)], ("1", "type")),
        ([GuestCount("", 1)], ("0", "type")),
        ([GuestCount("A" * 41, 1)], ("0", "type")),
        ([GuestCount("ADULT\n", 1)], ("0", "type")),
        ([GuestCount("ADULT", -1)], ("0", "count")),
        ([GuestCount("ADULT", 10_001)], ("0", "count")),
        ([GuestCount("ADULT", 2, (30,))], ("0", "ages")),
        ([GuestCount("ADULT", 1, (30, 31))], ("0", "ages")),
        ([GuestCount("ADULT", 1, (-1,))], ("0", "ages")),
        ([GuestCount("ADULT", 1, (151,))], ("0", "ages")),
    ],
)
def test_a_party_out_of_bounds(told: list[GuestCount], path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_guests(told, ("input", "guests"))
    assert caught.value.path == ("input", "guests", *path)


@pytest.mark.parametrize("told", [None, (ADULT,), (ADULT, GuestCount("CHILD", 2, (0, 9)))])
def test_what_is_stored_is_what_was_told(told: tuple[GuestCount, ...] | None) -> None:
    assert guests_from_stored(guests_as_stored(told)) == told
