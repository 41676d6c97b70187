"""GAP: no orphan nights, which nobody could book any more."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.rules.base import NIGHTLY, Condition, ConditionKind, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.limits import HORIZON_DAYS_MAX
from models import civil
from models.errors import InvalidTime

NIGHTS_MAX = 14
_DAY = timedelta(days=1)


class Gap(Rule):
    """A stay leaves no run of fewer than `nights` free nights directly before or after it, else GAP_LEFT.

    Only a stay that takes the last unit of its first or last night can leave one there, and it is one only where a
    night that is full or closed ends it: today's date does not, nor do nights so far ahead that nobody books them yet.
    What is free is told by the resource's own timeline. A stay that fills the run is welcome, whatever its length.
    """

    type: ClassVar[str] = "GAP"
    summary: ClassVar[str] = "A stay leaves no run of free nights beside it that is too short to book, else GAP_LEFT."
    applies_to: ClassVar[frozenset[str]] = frozenset({NIGHTLY})
    example: ClassVar[Mapping[str, object]] = {"nights": 2}
    measures: ClassVar[frozenset[ConditionKind]] = frozenset({ConditionKind.ORPHANS})

    nights: Annotated[int, Field(strict=True, ge=2, le=NIGHTS_MAX)] = Field(
        description="The fewest that may be left between two stays."
    )

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        return None

    @property
    def reach(self) -> timedelta:
        return (self.nights + 1) * _DAY

    def conditions(self, request: RuleRequest, facts: RuleFacts) -> tuple[Condition, ...]:
        if request.stay is None:
            return ()
        arrival, departure = request.stay
        before = _nights(facts, (arrival - n * _DAY for n in range(self.nights + 1)))
        after = _nights(facts, (departure + (n - 1) * _DAY for n in range(self.nights + 1)))
        sides = [{"edge": side[0], "nights": side[1:]} for side in (before, after) if len(side) > 1]
        arguments: dict[str, Any] = {"resource_id": facts.resource_id, "sides": sides}
        return (Condition(ConditionKind.ORPHANS, arguments, 0, self._refuse),) if sides else ()

    def _refuse(self, runs: int) -> Refusal:
        return Refusal(
            code="GAP_LEFT",
            message=f"This would leave fewer than {self.nights} free nights beside it.",
            rule=self.type,
            parameters={"nights": self.nights, "gaps": runs},
        )


def _nights(facts: RuleFacts, days: Iterable[date]) -> list[tuple[Any, Any]]:
    """The nights that begin on these days, up to the first that can not be looked at: past, too far, or skipped."""
    assert facts.check_in is not None, "a stay has a check-in time"
    assert facts.check_out is not None, "a stay has a check-out time"
    today = civil.local_day(facts.now, facts.zone)
    found: list[tuple[Any, Any]] = []
    for day in days:
        if not today <= day <= today + timedelta(days=HORIZON_DAYS_MAX):
            break
        try:
            found.append(_night(day, facts.check_in, facts.check_out, facts.zone))
        except InvalidTime:
            break
    return found


# Kept, because each stay of a calendar asks for the nights around it, and so does the one of the next day.
@lru_cache(maxsize=4096)
def _night(day: date, check_in: time, check_out: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    night = civil.night(day, day + _DAY, check_in, check_out, zone)
    return night.starts_at, night.ends_at
