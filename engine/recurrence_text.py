"""Reading a recurrence rule from its text: "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10" (RFC 5545, section 3.3.10)."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from engine.recurrence import Frequency, Recurrence
from engine.rules.weeks import FIRST_YEAR, LAST_YEAR
from models.errors import InvalidInput

TEXT_LENGTH_MAX = 500
INTERVAL_MAX = 1_000
COUNT_MAX = 999_999_999
POSITION_MAX = 366

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_PARTS = frozenset(
    "FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYWEEKNO BYYEARDAY BYMONTHDAY BYDAY BYSETPOS".split()  # noqa: SIM905
)
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")


def parse(text: str) -> Recurrence:
    """The rule of a text, which may begin with "RRULE:"; upper and lower case are the same.

    Raises InvalidInput, saying what to mend, for what is no rule, for more than one, and for what recurs within a day.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise InvalidInput(f"A recurrence rule has at most {TEXT_LENGTH_MAX} characters.")
    parts = _parts(text.strip().upper().removeprefix("RRULE:"))
    if parts.get("FREQ") not in Frequency.__members__:
        raise InvalidInput(f"FREQ must be one of {', '.join(Frequency)}.")
    rule = Recurrence(
        frequency=Frequency(parts["FREQ"]),
        interval=_count(parts, "INTERVAL", INTERVAL_MAX) or 1,
        count=_count(parts, "COUNT", COUNT_MAX),
        until=_until(parts.get("UNTIL")),
        week_start=_week_start(parts.get("WKST", "MO")),
        months=_numbers(parts, "BYMONTH", 12, signed=False),
        weeks=_numbers(parts, "BYWEEKNO", 53),
        year_days=_numbers(parts, "BYYEARDAY", 366),
        month_days=_numbers(parts, "BYMONTHDAY", 31),
        weekdays=_weekdays(parts.get("BYDAY")),
        positions=_numbers(parts, "BYSETPOS", POSITION_MAX),
    )
    _check(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, separator, value = part.partition("=")
        if not separator or not value or name not in _PARTS or name in parts:
            known = ", ".join(sorted(_PARTS))
            raise InvalidInput(f"A recurrence rule is NAME=VALUE;NAME=VALUE…, each once, with the names {known}.")
        parts[name] = value
    return parts


def _check(rule: Recurrence) -> None:
    """What RFC 5545 forbids by itself each, since the parts would contradict one another or mean nothing."""
    yearly, monthly = rule.frequency is Frequency.YEARLY, rule.frequency is Frequency.MONTHLY
    forbidden = {
        "COUNT and UNTIL can not both be given.": rule.count is not None and rule.until is not None,
        "BYWEEKNO and BYYEARDAY are for FREQ=YEARLY.": bool(rule.weeks or rule.year_days) and not yearly,
        "BYMONTHDAY is not for FREQ=WEEKLY.": bool(rule.month_days) and rule.frequency is Frequency.WEEKLY,
        "A numbered BYDAY is for FREQ=MONTHLY, or for FREQ=YEARLY without BYWEEKNO.": (
            any(number for _, number in rule.weekdays) and not monthly and not (yearly and not rule.weeks)
        ),
        "BYSETPOS needs another BY… that it chooses from.": bool(rule.positions)
        and not (rule.months or rule.weeks or rule.year_days or rule.month_days or rule.weekdays),
    }
    for message, is_so in forbidden.items():
        if is_so:
            raise InvalidInput(message)


def _count(parts: Mapping[str, str], name: str, maximum: int) -> int | None:
    if name not in parts:
        return None
    numbers = _numbers(parts, name, maximum, signed=False)
    if len(numbers) != 1:
        raise InvalidInput(f"{name} is one number.")
    return numbers[0]


def _numbers(parts: Mapping[str, str], name: str, maximum: int, *, signed: bool = True) -> tuple[int, ...]:
    if name not in parts:
        return ()
    found = [int(text) if _NUMBER.fullmatch(text) else 0 for text in parts[name].split(",")]
    if any(not (1 <= (abs(number) if signed else number) <= maximum) for number in found):
        range_ = f"from 1 to {maximum:,}" + (f", or from -{maximum} to -1" if signed else "")
        raise InvalidInput(f"{name} is {range_}.")
    return tuple(found)


def _weekdays(text: str | None) -> tuple[tuple[int, int], ...]:
    if text is None:
        return ()
    found = [_WEEKDAY.fullmatch(part) for part in text.split(",")]
    weekdays = tuple((_WEEKDAYS.index(one[2]), int(one[1] or 0)) for one in found if one is not None)
    if len(weekdays) < len(found) or any(abs(number) > 53 for _, number in weekdays):
        raise InvalidInput("BYDAY is days such as MO,WE or 1MO or -1FR.")
    return weekdays


def _week_start(text: str) -> int:
    if text not in _WEEKDAYS:
        raise InvalidInput(f"WKST is one of {', '.join(_WEEKDAYS)}.")
    return _WEEKDAYS.index(text)


def _until(text: str | None) -> date | datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text) if _UNTIL.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InvalidInput(
            "UNTIL is a date such as 20261231, a local time 20261231T180000, or an instant 20261231T170000Z, "
            f"in the years {FIRST_YEAR} to {LAST_YEAR}."
        )
    return found if "T" in text else found.date()
