import json
import uuid
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blocks import BLOCK, BLOCKS_MAX, EPOCH, Block, blocks_of, view_of
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.catalog import Versions
from models.queries.timelines import Step, TimelineView
from subscriptions.texts import FORMAT, TEXT_LENGTH_MAX, from_text, to_text
from tests.support.factories import between

KEY = ResourceKey(uuid.UUID(int=1), uuid.UUID(int=2))
FIRST = Block(KEY, 1380)
SPAN = Interval(FIRST.window.starts_at, FIRST.window.starts_at + 3 * BLOCK)
STATE = "7.123.456"
VERSIONS = Versions(3, 7, STATE, is_published=True, is_over=False)
HOURS = SPAN.duration // timedelta(hours=1)

values = st.tuples(st.integers(1, 4), st.sampled_from([None, "laps", "#some booking"]), st.booleans())


@st.composite
def timelines(draw: st.DrawFn) -> TimelineView:
    """Three blocks' worth of one timeline; no two neighbours are the same."""
    inner = sorted(draw(st.sets(st.integers(1, HOURS - 1), max_size=12)))
    edges = [0, *inner, HOURS]
    steps: list[Step] = []
    for start, end in pairwise(edges):
        taken, key, closed = draw(values)
        step = Step(_hour(start), _hour(end), 4, taken, key, closed)
        if steps and step._replace(starts_at=steps[-1].starts_at) == steps[-1]._replace(ends_at=step.ends_at):
            step = step._replace(starts_at=steps.pop().starts_at)
        steps.append(step)
    return TimelineView(KEY, 7, 3, SPAN, tuple(steps))


@given(timelines(), st.integers(0, HOURS - 1), st.integers(1, HOURS))
def test_a_window_out_of_blocks_is_what_would_have_been_read(whole: TimelineView, start: int, hours: int) -> None:
    window = Interval(_hour(start), _hour(min(HOURS, start + hours)))
    parts = [_cut(whole, block.window) for block in blocks_of(KEY, window)]
    through_text = [from_text(to_text(part, _block(part), STATE), _block(part), VERSIONS) for part in parts]
    assert through_text == parts
    assert view_of(parts, window) == _cut(whole, window)


@given(timelines(), st.data())
def test_a_text_that_was_changed_is_read_as_none_or_as_steps_that_fill_the_block(
    whole: TimelineView, data: st.DataObject
) -> None:
    text = to_text(_cut(whole, FIRST.window), FIRST, STATE)
    at = data.draw(st.integers(0, len(text)))
    garbled = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    view = from_text(garbled, FIRST, VERSIONS)
    if view is not None:
        assert view.steps[0].starts_at == FIRST.window.starts_at
        assert view.steps[-1].ends_at == FIRST.window.ends_at
        assert all(step.starts_at < step.ends_at and 0 <= step.taken <= step.capacity for step in view.steps)


ROW: list[list[Any]] = [[(FIRST.window.starts_at - EPOCH) // timedelta(microseconds=1)], [4], [0], [None], [False]]


@pytest.mark.parametrize(
    "columns",
    [
        [[], [], [], [], []],
        [*ROW, []],
        ROW[:4],
        [[ROW[0][0] + 1], *ROW[1:]],
        [[ROW[0][0], ROW[0][0]], [4, 4], [0, 0], [None, None], [False, False]],
        [[10**30], *ROW[1:]],
        [[True], *ROW[1:]],
        [ROW[0], [4.0], *ROW[2:]],
        [ROW[0], [4, 4], *ROW[2:]],
        [*ROW[:2], [5], *ROW[3:]],
        [*ROW[:2], [-1], *ROW[3:]],
        [ROW[0], [1_000_001], *ROW[2:]],
        [*ROW[:3], [3], ROW[4]],
        [*ROW[:4], [0]],
        [*ROW[:4], {"closed": False}],
    ],
)
def test_what_are_no_steps_is_none(columns: list[Any]) -> None:
    about = [FORMAT, str(KEY.id), FIRST.number, STATE]
    assert from_text(json.dumps([*about, *ROW]), FIRST, VERSIONS) is not None
    assert from_text(json.dumps([*about, *columns]), FIRST, VERSIONS) is None


@pytest.mark.parametrize(
    "text", ["", "null", "7", "{}", "[]", "[[[[", "[" * 100_000, "\0", " " * TEXT_LENGTH_MAX + "1"]
)
def test_what_is_no_text_of_ours_is_none(text: str) -> None:
    assert from_text(text, FIRST, VERSIONS) is None


@pytest.mark.parametrize(
    ("position", "other"), [(0, FORMAT + 1), (1, str(uuid.UUID(int=3))), (2, FIRST.number + 1), (3, "8.123.456")]
)
def test_a_text_of_another_format_resource_block_or_state_is_none(position: int, other: object) -> None:
    about: list[object] = [FORMAT, str(KEY.id), FIRST.number, STATE]
    about[position] = other
    assert from_text(json.dumps([*about, *ROW]), FIRST, VERSIONS) is None


def test_a_window_that_is_too_long_or_too_far_has_no_blocks() -> None:
    assert len(blocks_of(KEY, Interval(SPAN.starts_at, SPAN.starts_at + BLOCKS_MAX * BLOCK))) == BLOCKS_MAX
    assert blocks_of(KEY, Interval(SPAN.starts_at, SPAN.starts_at + BLOCKS_MAX * BLOCK + timedelta(seconds=1))) == ()
    assert blocks_of(KEY, between("1969-06-01 00:00", "1969-06-02 00:00")) == ()
    assert blocks_of(KEY, between("9999-12-30 00:00", "9999-12-31 00:00")) == ()


def _hour(number: int) -> Any:
    return SPAN.starts_at + timedelta(hours=number)


def _block(view: TimelineView) -> Block:
    return Block(KEY, (view.window.starts_at - EPOCH) // BLOCK)


def _cut(whole: TimelineView, window: Interval) -> TimelineView:
    parts = ((step, Interval(step.starts_at, step.ends_at).clip(window)) for step in whole.steps)
    steps = tuple(step._replace(starts_at=part.starts_at, ends_at=part.ends_at) for step, part in parts if part)
    return whole.of(window, steps)
