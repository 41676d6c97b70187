from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.rules import spans
from models.interval import Interval

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def span(first: int, length: int) -> Interval:
    return Interval(EPOCH + timedelta(minutes=first), EPOCH + timedelta(minutes=first + length))


def minutes(intervals: list[Interval]) -> set[int]:
    return {
        minute
        for interval in intervals
        for minute in range(
            (interval.starts_at - EPOCH) // timedelta(minutes=1), (interval.ends_at - EPOCH) // timedelta(minutes=1)
        )
    }


lists = st.lists(st.builds(span, st.integers(0, 60), st.integers(1, 20)), max_size=8)


@given(lists)
def test_merge_keeps_the_instants_in_the_fewest_intervals(intervals: list[Interval]) -> None:
    merged = spans.merge(intervals)
    assert minutes(merged) == minutes(intervals)
    assert all(earlier.ends_at < later.starts_at for earlier, later in pairwise(merged))


@given(lists, lists)
def test_intersect_keeps_what_is_in_both(left: list[Interval], right: list[Interval]) -> None:
    both = spans.intersect(spans.merge(left), spans.merge(right))
    assert minutes(both) == minutes(left) & minutes(right)
    assert both == spans.merge(both)
