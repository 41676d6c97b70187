"""The occurrences of a series: the first one's place in the civil calendar, again on every day of a recurrence rule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from engine import recurrence
from engine.availability import Wish, check_quantity, interval_of, request_of
from engine.facts import ResourceFacts
from engine.reading import rule_facts
from engine.recurrence_text import parse
from engine.rules import limits
from engine.rules.base import Refusal, violation
from models import civil
from models.errors import InvalidInput, InvalidTime
from models.interval import Interval
from models.keys import ResourceKey

EXCLUDED_MAX = 100


@dataclass(frozen=True, slots=True)
class SeriesWish:
    """What somebody would book again and again: `first`, then as `rule` (RFC 5545) says, but not on excluded days."""

    resource: ResourceKey
    first: Wish
    rule: str
    excluded: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A date of a series, of a stay its arrival: what is wished for, or why the clocks of that day do not allow it."""

    day: date
    wish: Wish | None
    interval: Interval | None
    refusals: tuple[Refusal, ...] = ()


def occurrences(facts: ResourceFacts, series: SeriesWish, *, now: datetime) -> list[Occurrence]:
    """The 1 to 100 occurrences, in order; on each the venue's clocks show the same times as on the first.

    A time that the clocks skip on that day is refused with INVALID_TIME; of one that they show twice the first showing
    is meant; the first occurrence is as it was given. Raises what is wrong with the whole: InvalidInput for the rule
    and the excluded days, and what the platform's limits or the clocks have against the first occurrence.
    """
    interval = _first(facts, series.first, now)
    first = Occurrence(civil.local_day(interval.starts_at, facts.zone), series.first, interval)
    last = civil.local_day(now, facts.zone) + timedelta(days=limits.HORIZON_DAYS_MAX)
    try:
        days = recurrence.occurrences(parse(series.rule), _civil(facts, interval.starts_at), zone=facts.zone, last=last)
    except InvalidInput as error:
        error.path = ("recurrence",)
        raise
    return [first if day == first.day else _again(facts, first, day) for day in _without(days, series.excluded)]


def _first(facts: ResourceFacts, wish: Wish, now: datetime) -> Interval:
    check_quantity(wish.quantity)
    interval = interval_of(facts, wish)
    refusals = limits.evaluate(request_of(wish, interval), rule_facts(facts, now))
    path = ("window",) if wish.stay is None else ("stay",)
    if refusals:
        raise violation(refusals[0], path=path)
    if wish.stay is None and _civil(facts, interval.ends_at) <= _civil(facts, interval.starts_at):
        raise InvalidInput("The clocks are set back within this: begin the series with another occurrence.", path=path)
    return interval


def _without(days: Sequence[date], excluded: frozenset[date]) -> list[date]:
    path = ("except",)
    if len(excluded) > EXCLUDED_MAX:
        raise InvalidInput(f"At most {EXCLUDED_MAX} dates can be left out.", path=path)
    unknown = sorted(excluded.difference(days))
    if unknown:
        raise InvalidInput(f"{unknown[0]} is no date of this series.", path=path)
    left = [day for day in days if day not in excluded]
    if not left:
        raise InvalidInput("No date of the series is left.", path=path)
    return left


def _again(facts: ResourceFacts, first: Occurrence, day: date) -> Occurrence:
    """The first occurrence moved to another day."""
    assert first.wish is not None
    assert first.interval is not None
    moved = day - first.day
    try:
        if first.wish.stay is not None:
            arrival, departure = first.wish.stay
            wish = replace(first.wish, stay=(arrival + moved, departure + moved))
        else:
            starts_at = _instant(facts, _civil(facts, first.interval.starts_at) + moved)
            ends_at = _instant(facts, _civil(facts, first.interval.ends_at) + moved)
            wish = replace(first.wish, window=Interval(starts_at, ends_at))
        return Occurrence(day, wish, interval_of(facts, wish))
    except InvalidTime as error:
        return Occurrence(day, None, None, (Refusal(error.code, error.message),))


def _civil(facts: ResourceFacts, instant: datetime) -> datetime:
    """What the venue's clocks show, without an offset."""
    return instant.astimezone(facts.zone).replace(tzinfo=None, fold=0)


def _instant(facts: ResourceFacts, shown: datetime) -> datetime:
    return civil.instant(shown.date(), shown.time(), facts.zone)
