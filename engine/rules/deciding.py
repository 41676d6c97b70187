"""Which of a resource's rules decide over a request: by scope, priority and the days for which they are valid.

Of an ordinary type one rule decides: on a civil day, of those that are valid then, the resource's own goes before the
venue's, then the higher priority, then the younger rule. So August can have other opening hours than the year, and one
room another minimum stay than the house. Of a cumulative type (a blackout, say) all that are valid decide.

The day is the one on which the request begins, in the venue's zone; for a stay its arrival. Rules of a type that looks
at every day are asked if they decide on any day that the request touches.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.rules import limits, registry
from engine.rules.base import NO_TIME, Condition, ConditionKind, Refusal, Rule, RuleFacts, RuleRequest, violation
from engine.rules.days import days_of
from engine.rules.placed import Placed
from engine.rules.slots import SLOTS_MAX, slot_intervals
from models import civil
from models.errors import InvalidInput
from models.interval import Interval


@dataclass(frozen=True, slots=True)
class SetRule(Placed):
    """A rule as it was set."""

    rule: Rule


class Terms(NamedTuple):
    """What rules make of a request that they let pass.

    `claim`: what it takes, with the buffers. `shared_as`: by what its party shares with others. `approval_seconds`: how
    long the venue has to approve it; None: it need not.
    """

    claim: Interval
    shared_as: str | None
    approval_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Deciding:
    """Rules that decide together over some requests, and what they make of each of these alike."""

    rules: tuple[Rule, ...]
    before: timedelta
    after: timedelta
    approval_seconds: int | None
    sharing: tuple[Rule, ...]
    """Those that may have another sharing key than the activity."""

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> "Deciding":
        """These rules, asked once for what does not depend on the request."""
        return cls(
            rules=rules,
            before=max((rule.buffers[0] for rule in rules), default=NO_TIME),
            after=max((rule.buffers[1] for rule in rules), default=NO_TIME),
            approval_seconds=max(
                (rule.approval_seconds for rule in rules if rule.approval_seconds is not None), default=None
            ),
            sharing=tuple(rule for rule in rules if type(rule).sharing_key is not Rule.sharing_key),
        )

    def terms(self, request: RuleRequest) -> Terms:
        """What they make of this request."""
        return Terms(
            claim=request.interval.widened(self.before, self.after) if self.before or self.after else request.interval,
            shared_as=self._shared_as(request.activity),
            approval_seconds=self.approval_seconds,
        )

    def _shared_as(self, activity: str | None) -> str | None:
        for rule in self.sharing:
            key = rule.sharing_key(activity)
            if key is not None:
                return key
        return activity


@dataclass(frozen=True)
class RuleSet:
    """The rules of one resource and of its venue, sorted out once. Those that have no say on its kind are left out."""

    rules: Sequence[SetRule]
    availability_type: str
    _kept: dict[int, Deciding] = field(default_factory=dict, init=False, repr=False, compare=False)

    def on(self, day: date) -> tuple[Rule, ...]:
        """The rules that decide over what begins on this day: higher priority first, then by type."""
        return self._on(day).rules

    def deciding_on(self, day: date) -> list[SetRule]:
        """The rules of `on`, as they were set; without what the platform adds where nothing was set."""
        valid = sorted((found for found in self._applicable if found.is_valid_on(day)), key=lambda found: found.rank)
        deciding: dict[object, SetRule] = {}
        for found in valid:
            deciding[id(found) if found.rule.is_cumulative else found.rule.type] = found
        return sorted(deciding.values(), key=lambda found: (-found.priority, found.rule.type, found.age))

    def for_request(self, request: RuleRequest, zone: ZoneInfo) -> tuple[Rule, ...]:
        """The rules to ask about this request."""
        return self._for_request(request, zone).rules

    def _for_request(self, request: RuleRequest, zone: ZoneInfo) -> Deciding:
        if not self._boundaries:
            return self._on(date.min)
        return self._for_days(*days_of(request, zone))

    def _for_days(self, first: date, last: date) -> Deciding:
        later = self._boundaries[bisect_right(self._boundaries, first) : bisect_right(self._boundaries, last)]
        if not later or not self._looks_at_every_day:
            return self._on(first)
        found = list(self.on(first))
        for day in later:
            known = {id(rule) for rule in found}
            found += (rule for rule in self.on(day) if rule.looks_at_every_day and id(rule) not in known)
        return Deciding.of(tuple(found))

    def _on(self, day: date) -> Deciding:
        stretch = bisect_right(self._boundaries, day)
        if stretch not in self._kept:
            self._kept[stretch] = Deciding.of(self._decide(day))
        return self._kept[stretch]

    def shortest_stay(self, arrival: date) -> int | None:
        """The least number of nights, at most 366, that the rules on the length and departure of stays allow.

        Found by asking each for the next number that it allows, until none asks for more. None: they allow no stay
        from this arrival on.
        """
        nights = 1
        while nights <= limits.DURATION_DAYS_MAX:
            longer = nights
            for rule in self._for_days(arrival, arrival + timedelta(days=nights - 1)).rules:
                allowed = rule.nights_allowed(arrival, longer)
                if allowed is None:
                    return None
                longer = max(longer, allowed)
            if longer == nights:
                return nights
            nights = longer
        return None

    def refusals(self, request: RuleRequest, facts: RuleFacts) -> list[Refusal]:
        """Every reason of the platform's limits, or if it has none, of the rules that decide (`registry.evaluate`)."""
        return self.judge(request, facts)[0]

    def judge(self, request: RuleRequest, facts: RuleFacts) -> tuple[list[Refusal], tuple[Condition, ...]]:
        """The refusals, and what rules ask of all that is booked; nothing more is asked of what is over the limits."""
        refusals = limits.evaluate(request, facts)
        if refusals:
            return refusals, ()
        rules = self.for_request(request, facts.zone)
        refusals = [refusal for rule in rules if (refusal := rule.evaluate(request, facts)) is not None]
        if not self.measures:
            return refusals, ()
        return refusals, tuple(condition for rule in rules for condition in rule.conditions(request, facts))

    def terms(self, request: RuleRequest, zone: ZoneInfo) -> Terms:
        """What a booking of this takes, with whom it shares, and whether it is looked at first."""
        return self._for_request(request, zone).terms(request)

    @cached_property
    def measures(self) -> frozenset[ConditionKind]:
        """What conditions of these rules are measured from."""
        return frozenset(kind for found in self._applicable for kind in found.rule.measures)

    @cached_property
    def reach(self) -> timedelta:
        """How far before and after a request these rules look at most."""
        return max((found.rule.reach for found in self._applicable), default=NO_TIME)

    def slots(self, window: Interval, duration_minutes: int | None, zone: ZoneInfo) -> list[Interval]:
        """The times that can be offered, each by the rules of its own day; see `slot_intervals`."""
        refusal = limits.window(window)
        if refusal is not None:
            raise violation(refusal, path=("window",))
        found = [
            slot
            for part, rules in self.stretches(window, zone)
            for slot in slot_intervals(rules, self.availability_type, part, duration_minutes, zone)
        ]
        if len(found) > SLOTS_MAX:
            raise InvalidInput(f"more than {SLOTS_MAX} slots: ask for a shorter window", path=("window",))
        return found

    def stretches(self, window: Interval, zone: ZoneInfo) -> Iterator[tuple[Interval, tuple[Rule, ...]]]:
        """The window cut where other rules begin to decide, each part with its rules, in order."""
        starts_at = window.starts_at
        day = civil.local_day(starts_at, zone)
        for boundary in self._boundaries:
            cut = civil.instant_or_next(boundary, time.min, zone)
            if starts_at < cut < window.ends_at:
                yield Interval(starts_at, cut), self.on(day)
                starts_at, day = cut, boundary
        yield Interval(starts_at, window.ends_at), self.on(day)

    @cached_property
    def _applicable(self) -> tuple[SetRule, ...]:
        return tuple(found for found in self.rules if self.availability_type in found.rule.applies_to)

    @cached_property
    def _looks_at_every_day(self) -> bool:
        return any(found.rule.looks_at_every_day for found in self._applicable)

    @cached_property
    def _boundaries(self) -> tuple[date, ...]:
        """The days on which a rule begins or ceases to be valid: between two of them the same rules decide."""
        days = {day for found in self._applicable for day in (found.valid_from, found.valid_until)}
        return tuple(sorted(day for day in days if day is not None))

    def _decide(self, day: date) -> tuple[Rule, ...]:
        return tuple(registry.applicable((found.rule for found in self.deciding_on(day)), self.availability_type))
