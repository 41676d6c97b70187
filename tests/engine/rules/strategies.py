"""Random valid parameters of every type of rule, as JSON, and random requests.

A new type gets its strategy in `PARAMETERS`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from engine.rules.base import ANY_TYPE, NIGHTLY, GuestCount, RuleFacts, RuleRequest
from models import civil
from models.interval import Interval
from tests.engine.rules.examples import ALGIERS, APIA, CAIRO, LISBON, LORD_HOWE, NEW_YORK, stay

FIRST = date(2026, 3, 1)
Parameters = st.SearchStrategy[dict[str, Any]]


def some(**given: st.SearchStrategy[Any]) -> Parameters:
    """Some of these parameters, at least one."""
    return st.fixed_dictionaries({}, optional=given).filter(bool)


def in_order(parameters: Mapping[str, Any]) -> bool:
    """Every minXxx is at most its maxXxx, and `from` is before `until`."""
    pairs = [(name, f"max{name[3:]}") for name in parameters if name.startswith("min")]
    ordered = all(parameters[least] <= parameters.get(most, parameters[least]) for least, most in pairs)
    return ordered and parameters.get("from", "") < parameters.get("until", "~")


dates = st.integers(0, 300).map(lambda n: (FIRST + timedelta(days=n)).isoformat())
clock_times = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
local_times = st.builds("{}T{}".format, dates, clock_times)
weekdays = st.integers(1, 7)
hours = st.fixed_dictionaries({"opens": clock_times, "closes": clock_times | st.just("24:00")})
people = st.integers(1, 12)
nights = st.integers(1, 30)
days = some(
    weekdays=st.lists(weekdays, unique=True, min_size=1),
    dates=st.lists(dates, unique=True, min_size=1, max_size=5),
    **{"from": dates, "until": dates},
).filter(in_order)
guest_types = st.sampled_from(["ADULT", "CHILD", "INFANT", "DOG"])
ages = st.integers(0, 90)
scopes = st.sampled_from(["RESOURCE", "VENUE", "ORGANIZATION"])
activities = st.sampled_from(["laps", "aqua gym", "polo"])


@st.composite
def types_of_guests(draw: st.DrawFn) -> dict[str, Any]:
    """One of GUEST_TYPES' types."""
    bounds = draw(
        st.fixed_dictionaries(
            {}, optional={"min": people, "max": people, "minAge": ages, "maxAge": ages, "agesRequired": st.booleans()}
        ).filter(in_order)
    )
    return {"type": draw(guest_types), "isAdult": draw(st.booleans()), **bounds}


PARAMETERS: Mapping[str, Parameters] = {
    "OPENING_HOURS": st.fixed_dictionaries(
        {
            "weekly": st.lists(st.builds(lambda day, span: {"weekday": day, **span}, weekdays, hours), max_size=8),
            "exceptions": st.lists(
                st.fixed_dictionaries({"date": dates, "hours": st.lists(hours, max_size=3)}),
                max_size=5,
                unique_by=lambda one: one["date"],
            ),
        }
    ),
    "START_GRID": st.fixed_dictionaries({"minutes": st.sampled_from([1, 7, 15, 30, 60, 90, 720, 1440])}).filter(
        lambda parameters: 1440 % parameters["minutes"] == 0
    ),
    "SESSION_TIMES": st.fixed_dictionaries(
        {
            "weekly": st.lists(
                st.fixed_dictionaries(
                    {"weekday": weekdays, "starts": clock_times, "durationMinutes": st.integers(1, 10_080)}
                ),
                max_size=8,
            )
        }
    ),
    "BLACKOUT": st.one_of(
        st.fixed_dictionaries({"from": dates, "until": dates}, optional={"reason": st.just("Works")}),
        st.fixed_dictionaries({"from": local_times, "until": local_times}),
    ).filter(in_order),
    "STOP_SELL": days,
    "CLOSED_TO_ARRIVAL": days,
    "CLOSED_TO_DEPARTURE": days,
    "NOTICE": st.one_of(
        some(
            minDays=st.integers(0, 60),
            maxDays=st.integers(0, 365),
            minMinutes=st.integers(0, 9_999),
            maxMinutes=st.integers(0, 99_999),
        ),
        st.fixed_dictionaries({"minDays": st.integers(0, 60), "cutOffTime": clock_times}),
    ).filter(in_order),
    "DURATION": some(
        minMinutes=st.integers(1, 300), maxMinutes=st.integers(300, 9_999), stepMinutes=st.integers(1, 300)
    ),
    "PARTY_SIZE": some(min=people, max=people, maxPerUnit=people).filter(in_order),
    "GUEST_TYPES": st.fixed_dictionaries(
        {"types": st.lists(types_of_guests(), min_size=1, max_size=4, unique_by=lambda one: one["type"])},
        optional={"childrenPerAdult": st.integers(0, 5), "required": st.booleans()},
    ),
    "ACTIVITIES": st.fixed_dictionaries(
        {
            "activities": st.lists(
                st.fixed_dictionaries({"name": activities}, optional={"group": st.sampled_from(["quiet", "loud"])}),
                min_size=1,
                max_size=3,
                unique_by=lambda one: one["name"],
            )
        },
        optional={"required": st.booleans()},
    ),
    "STAY_LENGTH": some(minNights=nights, maxNights=nights).filter(in_order)
    | st.lists(nights, min_size=1, max_size=5, unique=True).map(lambda lengths: {"nights": lengths}),
    "STAY_THROUGH": some(minNights=nights, maxNights=nights).filter(in_order),
    "CUSTOMER_LIMIT": st.fixed_dictionaries({"max": people}, optional={"scope": scopes}),
    "NO_OVERLAP": st.fixed_dictionaries({}, optional={"scope": scopes}),
    "PACING": st.fixed_dictionaries(
        {"minutes": st.sampled_from([15, 60, 720, 1440]), "max": st.integers(0, 20)},
        optional={"of": st.sampled_from(["UNITS", "GUESTS"])},
    ),
    "CAPACITY_SHARE": st.fixed_dictionaries({"percent": st.integers(1, 100)}),
    "GAP": st.fixed_dictionaries({"nights": st.integers(2, 7)}),
    "BUFFERS": some(beforeMinutes=st.integers(1, 600), afterMinutes=st.integers(1, 600)),
    "APPROVAL_REQUIRED": st.fixed_dictionaries({"withinHours": st.integers(1, 100)}),
}


@st.composite
def parties(draw: st.DrawFn) -> tuple[GuestCount, ...]:
    """Guests of some types, with ages or without."""
    found = []
    for type_ in draw(st.lists(guest_types, unique=True, min_size=1)):
        told = draw(st.none() | st.lists(ages, min_size=1, max_size=5))
        found.append(GuestCount(type_, draw(people)) if told is None else GuestCount(type_, len(told), tuple(told)))
    return tuple(found)


@st.composite
def questions(draw: st.DrawFn, kinds: frozenset[str] = ANY_TYPE) -> tuple[RuleRequest, RuleFacts]:
    """A request within the limits of the platform for a resource of one of these kinds, and what is known."""
    zone = draw(st.sampled_from([ALGIERS, APIA, CAIRO, LISBON, LORD_HOWE, NEW_YORK]))
    kind = draw(st.sampled_from(sorted(kinds)))
    first = FIRST + timedelta(days=draw(st.integers(0, 300)))
    if kind == NIGHTLY:
        asked = stay(first.isoformat(), draw(st.integers(1, 366)), zone=zone)
    else:
        minute = draw(st.integers(0, 26 * 60))
        starts_at = civil.civil_day(first, zone).starts_at + timedelta(
            minutes=minute, microseconds=draw(st.integers(0, 1))
        )
        length = draw(st.sampled_from([1, 30, 60, 75, 90, 1_440, 100_000, 366 * 1_440]))
        asked = RuleRequest(Interval(starts_at, starts_at + timedelta(minutes=length)), None, 1, None)
    now = asked.interval.starts_at - timedelta(minutes=draw(st.integers(0, 100_000)))
    request = RuleRequest(
        asked.interval,
        asked.stay,
        draw(st.integers(1, 20)),
        draw(st.none() | activities | st.just("diving")),
        draw(st.none() | parties()),
    )
    return request, RuleFacts(zone, max(now, datetime(2026, 1, 1, tzinfo=UTC)), kind)
