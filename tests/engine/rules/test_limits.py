from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.rules import limits
from engine.rules.base import NIGHTLY, Refusal, RuleRequest
from models.interval import Interval
from tests.engine.rules.examples import APIA, LISBON, LORD_HOWE, NEW_YORK, facts, interval, request

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


def codes(asked: RuleRequest) -> list[str]:
    return [refusal.code for refusal in limits.evaluate(asked, facts(LISBON, now=NOW))]


def window(starts_at: datetime, duration: timedelta = DAY) -> RuleRequest:
    return request(Interval(starts_at, starts_at + duration))


def stay(arrival: date, departure: date) -> RuleRequest:
    # The instants do not count for a stay: these are further apart than the days, as 10:00 to 12:00 would be.
    starts_at = datetime(2026, 6, 1, 10, tzinfo=UTC)
    taken = Interval(starts_at, starts_at + (departure - arrival) + timedelta(hours=2))
    return RuleRequest(interval=taken, stay=(arrival, departure), quantity=1, activity=None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (window(NOW), []),
        (window(NOW - INSTANT), ["TOO_SOON"]),
        (window(NOW, timedelta(days=366)), []),
        (window(NOW, timedelta(days=366) + INSTANT), ["TOO_LONG"]),
        (window(NOW + timedelta(days=730)), []),
        (window(NOW + timedelta(days=730), timedelta(days=366)), []),
        (window(NOW + timedelta(days=730) + INSTANT), ["TOO_FAR"]),
        (request(Interval(NOW, NOW + DAY), quantity=0), ["INVALID_INPUT"]),
        (request(Interval(NOW, NOW + DAY), quantity=-1), ["INVALID_INPUT"]),
        (request(Interval(NOW, NOW + DAY), quantity=10_000), []),
        (request(Interval(NOW, NOW + DAY), quantity=10_001), ["INVALID_INPUT"]),
        (request(Interval(NOW, NOW + DAY), quantity=2**63), ["INVALID_INPUT"]),
        (stay(date(2026, 6, 1), date(2026, 6, 2)), []),
        (stay(date(2026, 5, 31), date(2026, 6, 2)), ["TOO_SOON"]),
        (stay(date(2026, 6, 1), date(2027, 6, 2)), []),  # 366 nights
        (stay(date(2026, 6, 1), date(2027, 6, 3)), ["TOO_LONG"]),
        (stay(date(2028, 5, 31), date(2028, 6, 2)), []),  # 730 days ahead
        (stay(date(2028, 6, 1), date(2028, 6, 2)), ["TOO_FAR"]),
        # All that is wrong is said, in order, and nothing is too far out to be said.
        (
            request(interval("0001-01-01T00:00+00:00", "9999-12-31T23:59+00:00"), quantity=0),
            ["INVALID_INPUT", "TOO_LONG", "TOO_SOON"],
        ),
        (request(interval("9999-12-31T00:00+00:00", "9999-12-31T23:59:59.999999+00:00")), ["TOO_FAR"]),
        (stay(date(1, 1, 1), date(3000, 1, 1)), ["TOO_LONG", "TOO_SOON"]),
    ],
)
def test_limits(asked: RuleRequest, expected: list[str]) -> None:
    assert codes(asked) == expected


@pytest.mark.parametrize(
    ("zone", "now", "today"),
    [
        (NEW_YORK, "2026-06-02T03:59+00:00", date(2026, 6, 1)),
        (NEW_YORK, "2026-06-02T04:00+00:00", date(2026, 6, 2)),
        (LISBON, "2026-10-25T23:30+00:00", date(2026, 10, 25)),  # a day of 25 hours
        (LORD_HOWE, "2026-04-05T13:29+00:00", date(2026, 4, 5)),  # a day of 24.5 hours
        (LORD_HOWE, "2026-04-05T13:30+00:00", date(2026, 4, 6)),
        (APIA, "2011-12-30T09:59+00:00", date(2011, 12, 29)),
        (APIA, "2011-12-30T10:00+00:00", date(2011, 12, 31)),
    ],
)
def test_today_is_the_venues(zone: ZoneInfo, now: str, today: date) -> None:
    its_facts = facts(zone, now=datetime.fromisoformat(now), availability_type=NIGHTLY)
    assert limits.evaluate(stay(today, today + DAY), its_facts) == []
    [refusal] = limits.evaluate(stay(today - DAY, today + DAY), its_facts)
    assert (refusal.code, refusal.parameters) == ("TOO_SOON", {"earliest": today.isoformat()})
    [refusal] = limits.evaluate(stay(today + 731 * DAY, today + 732 * DAY), its_facts)
    assert (refusal.code, refusal.parameters) == ("TOO_FAR", {"latest": (today + 730 * DAY).isoformat()})


def test_a_refusal_tells_the_limit() -> None:
    its_facts = facts(LISBON, now=NOW)
    assert limits.evaluate(window(NOW - DAY), its_facts) == [
        Refusal("TOO_SOON", "This time has begun or is over.", None, {"earliest": "2026-06-01T13:00:00+01:00"})
    ]
    assert limits.evaluate(window(NOW + 800 * DAY), its_facts) == [
        Refusal("TOO_FAR", "At most 730 days ahead can be booked.", None, {"latest": "2028-05-31T13:00:00+01:00"})
    ]
    assert limits.evaluate(window(NOW, 400 * DAY), its_facts) == [
        Refusal("TOO_LONG", "At most 366 days can be booked at once.", None, {"days": 366})
    ]
    assert limits.evaluate(request(Interval(NOW, NOW + DAY), quantity=0), its_facts) == [
        Refusal(
            "INVALID_INPUT",
            "The quantity must be from 1 to 10000.",
            None,
            {"minimum": 1, "maximum": 10_000},
        )
    ]


@pytest.mark.parametrize(("count", "accepted"), [(0, False), (1, True), (20, True), (21, False), (10_000, False)])
def test_items(count: int, accepted: bool) -> None:
    refusal = limits.items(count)
    assert (refusal is None) == accepted
    assert refusal is None or refusal.code == "INVALID_INPUT"


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "accepted"),
    [
        ("2026-01-01T00:00+00:00", "2027-01-02T00:00+00:00", True),  # 366 days
        ("2026-01-01T00:00+00:00", "2027-01-02T00:00:00.000001+00:00", False),
        ("1970-01-01T00:00+00:00", "1970-01-02T00:00+00:00", True),
        ("1969-12-31T23:59+00:00", "1970-01-02T00:00+00:00", False),
        ("2200-12-31T00:00+00:00", "2201-12-31T00:00+00:00", True),
        ("2201-01-01T00:00+00:00", "2201-01-02T00:00+00:00", False),
        ("0001-01-01T00:00+00:00", "9999-12-31T00:00+00:00", False),
    ],
)
def test_window(starts_at: str, ends_at: str, accepted: bool) -> None:
    refusal = limits.window(interval(starts_at, ends_at))
    assert (refusal is None) == accepted
    assert refusal is None or refusal.code == "INVALID_INPUT"
