"""What rules that count ask for, in which words they refuse, and which parameters they take."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.rules import registry
from engine.rules.base import NIGHTLY, OPENING_HOURS, Condition, ConditionKind, RuleFacts, RuleRequest
from engine.rules.pacing import part_of_day
from models import civil
from models.errors import InvalidInput
from models.interval import Interval
from tests.engine.rules.examples import ALGIERS, CAIRO, LISBON, LORD_HOWE, NEW_YORK, interval

RESOURCE, VENUE = uuid.uuid4(), uuid.uuid4()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TWO_HOURS = interval("2026-03-10T12:10+00:00", "2026-03-10T14:10+00:00")


def facts(zone: ZoneInfo = LISBON, *, now: datetime = NOW, customer_id: str | None = "customer:ada") -> RuleFacts:
    return RuleFacts(zone, now, OPENING_HOURS, RESOURCE, VENUE, customer_id, time(15), time(11))


def conditions(type_: str, parameters: dict[str, Any], asked: RuleRequest, known: RuleFacts) -> tuple[Condition, ...]:
    rule = registry.parse(type_, parameters)
    assert rule.evaluate(asked, known) is None, "what has to be counted is not refused by itself"
    found = rule.conditions(asked, known)
    assert {condition.kind for condition in found} <= rule.measures
    return found


def by_the_hour(asked: Interval = TWO_HOURS, quantity: int = 1) -> RuleRequest:
    return RuleRequest(asked, None, quantity, None)


def stay(arrival: date, nights: int, zone: ZoneInfo) -> RuleRequest:
    departure = arrival + timedelta(days=nights)
    return RuleRequest(civil.night(arrival, departure, time(15), time(11), zone), (arrival, departure), 1, None)


@pytest.mark.parametrize(
    ("type_", "kind", "max_", "code"),
    [
        ("CUSTOMER_LIMIT", ConditionKind.CUSTOMER_ACTIVE, 3, "CUSTOMER_LIMIT"),
        ("NO_OVERLAP", ConditionKind.CUSTOMER_OVERLAP, 1, "CUSTOMER_OVERLAP"),
    ],
)
@pytest.mark.parametrize(
    ("scope", "narrowed"),
    [("RESOURCE", {"resource_id": RESOURCE}), ("VENUE", {"venue_id": VENUE}), ("ORGANIZATION", {})],
)
def test_a_customers_own_bookings(
    type_: str, kind: ConditionKind, max_: int, code: str, scope: str, narrowed: dict[str, uuid.UUID]
) -> None:
    parameters: dict[str, Any] = {"scope": scope} | ({"max": 3} if type_ == "CUSTOMER_LIMIT" else {})
    [condition] = conditions(type_, parameters, by_the_hour(), facts())
    assert (condition.kind, condition.max) == (kind, max_)
    assert condition.arguments["customer_id"] == "customer:ada"
    assert {name: condition.arguments.get(name) for name in ("resource_id", "venue_id")} == {
        "resource_id": None,
        "venue_id": None,
    } | narrowed
    refusal = condition.refuse(max_ + 1)
    assert (refusal.code, refusal.rule) == (code, type_)
    assert conditions(type_, parameters, by_the_hour(), facts(customer_id=None)) == ()


@pytest.mark.parametrize(
    ("zone", "minutes", "at", "starts", "ends"),
    [
        (LISBON, 60, "2026-03-10T12:00+00:00", "2026-03-10T12:00+00:00", "2026-03-10T13:00+00:00"),
        (LISBON, 60, "2026-03-10T12:59:59+00:00", "2026-03-10T12:00+00:00", "2026-03-10T13:00+00:00"),
        (LISBON, 1440, "2026-03-10T12:00+00:00", "2026-03-10T00:00+00:00", "2026-03-11T00:00+00:00"),
        (ALGIERS, 240, "2026-03-10T00:30+01:00", "2026-03-10T00:00+01:00", "2026-03-10T04:00+01:00"),
        # A part ends where the clocks change; both showings of a repeated hour are parts of their own.
        (LISBON, 120, "2026-03-29T00:30+00:00", "2026-03-29T00:00+00:00", "2026-03-29T01:00+00:00"),
        (LISBON, 120, "2026-03-29T02:30+01:00", "2026-03-29T02:00+01:00", "2026-03-29T04:00+01:00"),
        (LISBON, 60, "2026-10-25T01:30+01:00", "2026-10-25T01:00+01:00", "2026-10-25T02:00+01:00"),
        (LISBON, 60, "2026-10-25T01:30+00:00", "2026-10-25T01:00+00:00", "2026-10-25T02:00+00:00"),
        (LORD_HOWE, 60, "2026-10-04T02:45+11:00", "2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00"),
        (LORD_HOWE, 60, "2026-04-05T01:45+10:30", "2026-04-05T01:30+10:30", "2026-04-05T02:00+10:30"),
        (NEW_YORK, 180, "2026-03-08T03:30-04:00", "2026-03-08T03:00-04:00", "2026-03-08T06:00-04:00"),
        (NEW_YORK, 60, "2026-11-01T01:15-05:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00-05:00"),
        (CAIRO, 60, "2026-04-24T01:15+03:00", "2026-04-24T01:00+03:00", "2026-04-24T02:00+03:00"),
    ],
)
def test_parts_of_the_day(zone: ZoneInfo, minutes: int, at: str, starts: str, ends: str) -> None:
    assert part_of_day(datetime.fromisoformat(at), minutes, zone) == interval(starts, ends)


@pytest.mark.parametrize("zone", [LISBON, LORD_HOWE, NEW_YORK, CAIRO], ids=lambda zone: zone.key)
@pytest.mark.parametrize("minutes", [15, 60, 240, 1440])
def test_the_parts_of_a_year_meet_without_gap(zone: ZoneInfo, minutes: int) -> None:
    at, parts = datetime(2026, 1, 1, tzinfo=UTC), 0
    while at.year == 2026:
        part = part_of_day(at, minutes, zone)
        assert part.starts_at <= at < part.ends_at
        assert part_of_day(part.ends_at - datetime.resolution, minutes, zone) == part
        at, parts = part.ends_at + timedelta(days=1, minutes=7) * (minutes < 60), parts + 1
    assert parts > 200


def test_pacing_counts_what_starts_in_a_part() -> None:
    [condition] = conditions("PACING", {"minutes": 60, "max": 8, "of": "GUESTS"}, by_the_hour(), facts())
    assert condition.kind is ConditionKind.ARRIVALS
    assert condition.max == 8
    assert condition.arguments["of_guests"] is True
    refusal = condition.refuse(9)
    assert refusal.code == "PACING_LIMIT"
    assert refusal.message == "At most 8 guests may arrive from 12:00 to 13:00."


def test_a_share_of_the_capacity_is_told_in_units() -> None:
    [condition] = conditions("CAPACITY_SHARE", {"percent": 25}, by_the_hour(quantity=3), facts())
    assert (condition.kind, condition.max) == (ConditionKind.CAPACITY, 0)
    refusal = condition.refuse(150)  # hundredths of a unit
    assert refusal.code == "PARTY_TOO_LARGE"
    assert refusal.parameters["unitsOver"] == 2


@pytest.mark.parametrize(
    ("zone", "arrival"),
    [
        (LISBON, date(2026, 3, 28)),
        (LISBON, date(2026, 10, 24)),
        (LORD_HOWE, date(2026, 10, 3)),
        (NEW_YORK, date(2026, 3, 7)),
    ],
    ids=str,
)
def test_gap_looks_at_the_nights_beside_a_stay(zone: ZoneInfo, arrival: date) -> None:
    asked = stay(arrival, 2, zone)
    [condition] = conditions("GAP", {"nights": 2}, asked, facts(zone))
    before, after = condition.arguments["sides"]
    assert before["edge"][0] == asked.interval.starts_at
    assert after["edge"][1] == asked.interval.ends_at
    days = [[start.astimezone(zone).date() for start, _ in side["nights"]] for side in (before, after)]
    day = timedelta(days=1)
    assert days == [[arrival - day, arrival - 2 * day], [arrival + 2 * day, arrival + 3 * day]]
    assert condition.refuse(1).code == "GAP_LEFT"


def test_gap_does_not_look_into_the_past_nor_past_the_horizon() -> None:
    [condition] = conditions("GAP", {"nights": 3}, stay(date(2026, 3, 2), 1, LISBON), facts())
    assert [len(side["nights"]) for side in condition.arguments["sides"]] == [1, 3]
    [condition] = conditions("GAP", {"nights": 3}, stay(date(2028, 2, 29), 1, LISBON), facts())
    assert [len(side["nights"]) for side in condition.arguments["sides"]] == [3]
    assert conditions("GAP", {"nights": 3}, by_the_hour(), facts()) == ()


def test_buffers_and_approval_refuse_nothing() -> None:
    buffers = registry.parse("BUFFERS", {"beforeMinutes": 15, "afterMinutes": 45})
    assert buffers.buffers == (timedelta(minutes=15), timedelta(minutes=45))
    assert buffers.reach == timedelta(minutes=45)
    assert registry.parse("APPROVAL_REQUIRED", {"withinHours": 48}).approval_seconds == 172_800
    for rule in (buffers, registry.parse("APPROVAL_REQUIRED", {"withinHours": 1})):
        assert rule.evaluate(by_the_hour(), facts()) is None
        assert rule.conditions(by_the_hour(), facts()) == ()


@pytest.mark.parametrize(
    ("type_", "parameters"),
    [
        ("CUSTOMER_LIMIT", {}),
        ("CUSTOMER_LIMIT", {"max": 0}),
        ("CUSTOMER_LIMIT", {"max": 1_001}),
        ("CUSTOMER_LIMIT", {"max": 1, "scope": "PLANET"}),
        ("NO_OVERLAP", {"scope": "venue"}),
        ("NO_OVERLAP", {"max": 1}),
        ("PACING", {"minutes": 50, "max": 1}),
        ("PACING", {"minutes": 0, "max": 1}),
        ("PACING", {"minutes": 60}),
        ("PACING", {"minutes": 60, "max": -1}),
        ("PACING", {"minutes": 60, "max": 1, "of": "DOGS"}),
        ("CAPACITY_SHARE", {"percent": 0}),
        ("CAPACITY_SHARE", {"percent": 101}),
        ("CAPACITY_SHARE", {"percent": "50"}),
        ("GAP", {"nights": 1}),
        ("GAP", {"nights": 15}),
        ("BUFFERS", {}),
        ("BUFFERS", {"beforeMinutes": -1}),
        ("BUFFERS", {"afterMinutes": 10_081}),
        ("APPROVAL_REQUIRED", {"withinHours": 0}),
        ("APPROVAL_REQUIRED", {"withinHours": 721}),
    ],
)
def test_parameters_that_make_no_sense(type_: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        registry.parse(type_, parameters)


def test_each_has_a_say_where_it_applies() -> None:
    applies = {type_: rule.applies_to for type_, rule in registry.RULES.items()}
    assert applies["GAP"] == {NIGHTLY}
    assert NIGHTLY not in applies["PACING"]
