"""Zones, instants and requests that the rules' tests share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.rules import registry
from engine.rules.base import NIGHTLY, OPENING_HOURS, GuestCount, Refusal, Rule, RuleFacts, RuleRequest
from models import civil
from models.errors import InvalidInput
from models.interval import Interval

LISBON = civil.zone("Europe/Lisbon")  # 2026-03-29 01:00 → 02:00, 2026-10-25 02:00 → 01:00
LORD_HOWE = civil.zone("Australia/Lord_Howe")  # 2026-10-04 02:00 → 02:30, 2026-04-05 02:00 → 01:30
NEW_YORK = civil.zone("America/New_York")  # 2026-03-08 02:00 → 03:00, 2026-11-01 02:00 → 01:00
ALGIERS = civil.zone("Africa/Algiers")  # UTC+01:00, always
APIA = civil.zone("Pacific/Apia")  # no 2011-12-30
CAIRO = civil.zone("Africa/Cairo")  # 2026-04-24 00:00 → 01:00, 2026-10-30 00:00 → 23:00 of the day before
HAVANA = civil.zone("America/Havana")  # 2026-03-08 00:00 → 01:00, 2026-11-01 01:00 → 00:00
ST_JOHNS = civil.zone("America/St_Johns")  # 2006-10-29 00:01 → 23:01 of the day before

# A zone, and an instant at or near a change of its clocks (in Algiers: of none).
CHANGES = [
    (LISBON, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    (LISBON, datetime(2026, 10, 25, 1, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 4, 4, 15, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 3, 8, 7, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 11, 1, 6, tzinfo=UTC)),
    (ALGIERS, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    (APIA, datetime(2011, 12, 30, 10, tzinfo=UTC)),
    (CAIRO, datetime(2026, 4, 23, 22, tzinfo=UTC)),
    (CAIRO, datetime(2026, 10, 29, 21, tzinfo=UTC)),
    (HAVANA, datetime(2026, 11, 1, 5, tzinfo=UTC)),
    (ST_JOHNS, datetime(2006, 10, 29, 2, 31, tzinfo=UTC)),
]

MINUTE = timedelta(minutes=1)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def interval(starts_at: str, ends_at: str) -> Interval:
    """From ISO 8601 texts with an offset."""
    return Interval(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))


def request(asked: Interval, *, quantity: int = 1) -> RuleRequest:
    return RuleRequest(interval=asked, stay=None, quantity=quantity, activity=None)


def stay(arrival: str, nights: int, *, zone: ZoneInfo = ALGIERS, quantity: int = 1) -> RuleRequest:
    """Nights from 15:00 to 11:00 by the clocks of the zone."""
    first = date.fromisoformat(arrival)
    last = first + timedelta(days=nights)
    return RuleRequest(civil.night(first, last, time(15), time(11), zone), (first, last), quantity, None)


def guests(**counts: int) -> tuple[GuestCount, ...]:
    """ADULT=2: two adults whose ages are not told."""
    return tuple(GuestCount(type_, count) for type_, count in counts.items())


def refusal_of(
    type_: str, parameters: Mapping[str, object], asked: RuleRequest, *, zone: ZoneInfo = ALGIERS, now: str = ""
) -> Refusal | None:
    """What a rule with these parameters answers; `now`: ISO 8601 with an offset, long ago if it is not given."""
    kind = OPENING_HOURS if asked.stay is None else NIGHTLY
    known = facts(zone, now=datetime.fromisoformat(now) if now else LONG_AGO, availability_type=kind)
    return registry.parse(type_, parameters).evaluate(asked, known)


def code_of(type_: str, parameters: Mapping[str, object], asked: RuleRequest, **more: Any) -> str | None:
    """The code with which it refuses, or None."""
    refusal = refusal_of(type_, parameters, asked, **more)
    return None if refusal is None else refusal.code


def fault_of(type_: str, parameters: Mapping[str, object]) -> str:
    """Which parameter is refused: "minutes", "weekly.0.opens", or "" for what they are together."""
    with pytest.raises(InvalidInput) as caught:
        registry.parse(type_, parameters)
    assert caught.value.path[0] == "parameters"
    assert caught.value.message.startswith(f"{type_}: ")
    return ".".join(caught.value.path[1:])


def facts(zone: ZoneInfo, *, now: datetime = LONG_AGO, availability_type: str = OPENING_HOURS) -> RuleFacts:
    return RuleFacts(zone=zone, now=now, availability_type=availability_type)


def facts_at(asked: Interval, zone: ZoneInfo, availability_type: str = OPENING_HOURS) -> RuleFacts:
    """Facts with a now at which the platform's limits have nothing against the interval."""
    return facts(zone, now=asked.starts_at, availability_type=availability_type)


def codes(rules: Sequence[Rule], asked: Interval, its_facts: RuleFacts) -> list[str]:
    return [refusal.code for refusal in registry.evaluate(rules, request(asked), its_facts)]


def minutes(window: Interval) -> list[datetime]:
    """Every whole minute of a window that begins at one."""
    count = -(-window.duration // MINUTE)
    return [window.starts_at + n * MINUTE for n in range(count)]


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks show, as a naive datetime."""
    return instant.astimezone(zone).replace(tzinfo=None)
