"""Sorted lists of intervals."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from models.interval import Interval


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants as fewest intervals, in order: those that overlap or meet become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=attrgetter("starts_at")):
        if merged and interval.starts_at <= merged[-1].ends_at:
            if interval.ends_at > merged[-1].ends_at:
                merged[-1] = Interval(merged[-1].starts_at, interval.ends_at)
        else:
            merged.append(interval)
    return merged


def intersect(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The instants that are in both lists, each of which must be merged and in order; so is the answer."""
    both: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        common = left[i].clip(right[j])
        if common is not None:
            both.append(common)
        if left[i].ends_at <= right[j].ends_at:
            i += 1
        else:
            j += 1
    return both
