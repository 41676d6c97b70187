import uuid
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from schema.connections import from_cursor, number_from_cursor, page_size, to_cursor, uuid_from_cursor


@given(st.from_regex(r"[a-z0-9-]{1,60}", fullmatch=True))
def test_a_cursor_is_a_position(position: str) -> None:
    assert from_cursor(to_cursor(position)) == position


@given(st.text(max_size=300))
def test_what_is_no_cursor_is_refused_and_breaks_nothing(text: str) -> None:
    for read in (from_cursor, uuid_from_cursor):
        with suppress(InvalidInput):
            read(text)


@pytest.mark.parametrize("position", ["-1", "1.5", "", "x", "٣", "9" * 19, "11"])
def test_a_number_is_within_its_bounds(position: str) -> None:
    assert number_from_cursor(to_cursor("10"), maximum=10) == 10
    with pytest.raises(InvalidInput):
        number_from_cursor(to_cursor(position), maximum=10)


def test_an_id() -> None:
    id = uuid.uuid4()
    assert uuid_from_cursor(to_cursor(str(id))) == id
    with pytest.raises(InvalidInput):
        uuid_from_cursor(to_cursor("no id"))


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
def test_a_page_has_1_to_100(first: int) -> None:
    assert page_size(None) == 20
    assert page_size(100) == 100
    with pytest.raises(InvalidInput):
        page_size(first)
