import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import NotFound
from schema.global_id import GlobalId, GlobalKind, booking_key, decode, encode, resource_key, venue_key

ORGANIZATION, ID = uuid.uuid4(), uuid.uuid4()


@given(st.sampled_from(GlobalKind), st.uuids(), st.uuids())
def test_an_id_says_what_was_put_into_it(kind: GlobalKind, organization_id: uuid.UUID, id: uuid.UUID) -> None:
    text = encode(kind, organization_id, id)
    assert len(text) == 44
    assert decode(text) == GlobalId(kind, organization_id, id)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    decode(text)


@given(st.text("ABCXYZabcxyz0189_-+/=", min_size=44, max_size=44))
def test_an_id_has_one_form_only(text: str) -> None:
    found = decode(text)
    assert found is None or encode(*found) == text


def test_the_form_never_changes() -> None:
    zeros = uuid.UUID(int=0)
    assert encode(GlobalKind.RESOURCE, zeros, zeros) == "Aw" + "A" * 42


def test_what_is_of_another_kind_is_not_found() -> None:
    path = ("input", "id")
    venue = encode(GlobalKind.VENUE, ORGANIZATION, ID)
    assert venue_key(venue, path) == (ORGANIZATION, ID)
    for read in (resource_key, booking_key):
        with pytest.raises(NotFound) as refused:
            read(venue, path)
        assert refused.value.path == path
