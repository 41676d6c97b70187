"""The checker: what a history and the tables after it show to be broken. Pure: it asks nobody."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.history.dump import Dump
from tests.history.effects import check_effects, is_refused
from tests.history.records import CLOCK_SLACK, UNREACHED, Attempt, Outcome, Push, Recorded
from tests.history.refusals import check_refusals
from tests.history.several import CALLS
from tests.history.timelines import Timeline, timelines
from tests.history.violations import Promise, Violation


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and how much was looked at."""

    violations: tuple[Violation, ...]
    calls: int
    outcomes: Mapping[Outcome, int]
    unknown_keys: int
    unknown_but_done: int
    resolved_keys: int
    kills: Mapping[str, int]
    versions: int
    sold_outs: int
    pushes: int
    series: int
    offers: int
    codes: Mapping[str, int]

    def summary(self) -> str:
        """The figures of a run, in one line."""
        kills = ", ".join(f"{count} of {what}" for what, count in sorted(self.kills.items()))
        codes = ", ".join(f"{count} {code}" for code, count in sorted(self.codes.items()))
        outcomes = ", ".join(f"{self.outcomes.get(outcome, 0)} {outcome}" for outcome in Outcome)
        return (
            f"{self.calls} operations ({outcomes}); {self.resolved_keys} of {self.unknown_keys} unknowns resolved "
            f"({self.unknown_but_done} of the calls had been done); "
            f"killed: {kills or 'nothing'}; {self.versions} versions checked; {self.sold_outs} sold-outs justified; "
            f"{self.pushes} pushes; {self.series} series, {self.offers} offers; refused: {codes}; "
            f"{len(self.violations)} violations"
        )


def check(recorded: Recorded, dump: Dump) -> Verdict:
    """Compare what was told with what is there, and with what was there at any version."""
    found, violations = timelines(dump)
    violations += check_effects(recorded.attempts, dump, recorded.settled_at)
    unjustified, sold_outs = check_refusals(recorded.attempts, dump, found)
    violations += unjustified
    violations += _check_pushes(recorded, found)
    unknown, resolved = _count_unknown(recorded)
    sent = [attempt for attempt in recorded.attempts if attempt.code != UNREACHED]
    codes = Counter(attempt.code for attempt in sent if attempt.outcome is not Outcome.OK)
    return Verdict(
        violations=tuple(violations),
        calls=len(sent),
        outcomes=Counter(attempt.outcome for attempt in sent),
        unknown_keys=unknown,
        unknown_but_done=_count_done(sent, dump),
        resolved_keys=resolved,
        kills=Counter(recorded.kills),
        versions=sum(resource.version for resource in dump.resources)
        + sum(booking.version for booking in dump.bookings),
        sold_outs=sold_outs,
        pushes=len(recorded.pushes),
        series=sum(attempt.call in CALLS and attempt.outcome is Outcome.OK for attempt in sent),
        offers=sum(event.status == "OFFERED" for event in dump.entry_events),
        codes={code: count for code, count in codes.items() if code is not None},
    )


def _check_pushes(recorded: Recorded, found: Mapping[str, Timeline]) -> Iterator[Violation]:
    """Each watcher was told of versions in their order, of none before there was one, and of the last of each."""
    told: dict[tuple[int, str], Push] = {}
    for push in recorded.pushes:
        before, timeline = told.get((push.watcher, push.resource)), found[push.resource]
        if before is not None and push.version < before.version:
            yield Violation(Promise.STALE, f"{push} after {before}")
        elif push.version >= len(timeline.seen_from) or push.at + CLOCK_SLACK < timeline.seen_from[push.version]:
            yield Violation(Promise.STALE, f"{push} was told of what there was not")
        told[push.watcher, push.resource] = push
    for watcher in {push.watcher for push in recorded.pushes}:
        for resource_id, timeline in found.items():
            last = told.get((watcher, resource_id))
            if last is None or last.version != timeline.resource.version:
                yield Violation(Promise.STALE, f"watcher {watcher} ends with {last}, {timeline.resource}")


def _count_unknown(recorded: Recorded) -> tuple[int, int]:
    """How many keys had an attempt of unknown outcome, and of how many of them one knows the outcome in the end."""
    by_key: dict[str, list[Attempt]] = {}
    for attempt in recorded.attempts:
        if attempt.key is not None:
            by_key.setdefault(attempt.key, []).append(attempt)
    unknown = [its for its in by_key.values() if any(attempt.outcome is Outcome.UNKNOWN for attempt in its)]
    resolved = [
        its
        for its in unknown
        if any(attempt.outcome is Outcome.OK for attempt in its) or is_refused(its, recorded.settled_at)
    ]
    return len(unknown), len(resolved)


def _count_done(attempts: Sequence[Attempt], dump: Dump) -> int:
    """How many calls of unknown outcome were done before the client was told, or gave up."""
    done_at = {key.key: key.created_at for key in dump.keys}
    return sum(
        attempt.outcome is Outcome.UNKNOWN
        and attempt.key in done_at
        and attempt.invoked_at <= done_at[attempt.key] <= attempt.returned_at
        for attempt in attempts
    )
