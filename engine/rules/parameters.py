"""Kinds of parameters that rules share, and how they are checked."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engine.rules.limits import DURATION_DAYS_MAX, HORIZON_DAYS_MAX, QUANTITY_MAX
from engine.rules.weeks import DAY_MINUTES, FIRST_YEAR, LAST_YEAR, Weekday

DATES_MAX = 400
REASON_LENGTH_MAX = 200
NAME_LENGTH_MAX = 100  # of an activity, as in schema/inputs.py
AGE_MAX = 150

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_OR_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?")


def wrong(message: str) -> PydanticCustomError:
    """The error that a validator raises: the message continues the name of the parameter."""
    return PydanticCustomError("rule", "{message}", {"message": message})


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        day = value
    elif isinstance(value, str) and _DAY.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise wrong("should be a date that exists") from None
    else:
        raise wrong("should be a date YYYY-MM-DD")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise wrong(f"should be in the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _day_or_time(text: str) -> str:
    if not _DAY_OR_TIME.fullmatch(text):
        raise wrong("should be a date YYYY-MM-DD or a local time YYYY-MM-DDTHH:MM")
    try:
        year = datetime.fromisoformat(text).year  # local on purpose: the zone is the venue's
    except ValueError:
        raise wrong("should be a date or time that exists") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise wrong(f"should be in the years {FIRST_YEAR} to {LAST_YEAR}")
    return text


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, each of which must be there only once."""
    if len(set(values)) < len(values):
        raise wrong("should name each only once")
    return values


Day = Annotated[date, BeforeValidator(_day)]
DayOrTime = Annotated[str, AfterValidator(_day_or_time)]
Days = Annotated[tuple[Day, ...], Field(max_length=DATES_MAX), AfterValidator(distinct)]
Weekdays = Annotated[tuple[Weekday, ...], Field(max_length=7), AfterValidator(distinct)]

Minutes = Annotated[int, Field(strict=True, ge=1, le=DURATION_DAYS_MAX * DAY_MINUTES)]
MinutesAhead = Annotated[int, Field(strict=True, ge=0, le=HORIZON_DAYS_MAX * DAY_MINUTES)]
DaysAhead = Annotated[int, Field(strict=True, ge=0, le=HORIZON_DAYS_MAX)]
Nights = Annotated[int, Field(strict=True, ge=1, le=DURATION_DAYS_MAX)]
People = Annotated[int, Field(strict=True, ge=0, le=QUANTITY_MAX)]
Age = Annotated[int, Field(strict=True, ge=0, le=AGE_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]


def at_most(least: int | None, most: int | None, *names: str) -> None:
    """Refuse bounds of which the lower, named first, is above the upper; None is no bound."""
    if least is not None and most is not None and least > most:
        raise wrong(f"{names[0]} should not be more than {names[1]}")
