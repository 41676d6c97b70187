"""Which rules decide: by scope, priority, age and day."""

from datetime import date, timedelta
from typing import ClassVar

from engine.rules.base import ANY_TYPE, NIGHTLY, OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.deciding import RuleSet, SetRule
from engine.rules.start_grid import StartGrid
from models.interval import Interval
from tests.engine.rules.examples import ALGIERS, interval

AUGUST = date(2027, 8, 1)
SEPTEMBER = date(2027, 9, 1)
GRIDS = [StartGrid(minutes=minutes) for minutes in (15, 20, 30, 60)]


class Named(Rule):
    """Refuses everything, in its name."""

    type: ClassVar[str] = "NAMED"
    summary: ClassVar[str] = "Everything is refused."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE

    name: str

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        """Never satisfied."""
        return Refusal("RULE_VIOLATION", self.name, self.type)


class Everywhere(Named):
    """The same, and all that are valid decide."""

    type: ClassVar[str] = "EVERYWHERE"
    is_cumulative: ClassVar[bool] = True


class EveryNight(Named):
    """The same, on every day of the request."""

    type: ClassVar[str] = "EVERY_NIGHT"
    looks_at_every_day: ClassVar[bool] = True


def on(day: date, *rules: SetRule, kind: str = OPENING_HOURS) -> list[Rule]:
    return list(RuleSet(rules, kind).on(day))


def test_the_resource_goes_before_its_venue_then_priority_then_youth() -> None:
    of_venue = SetRule(GRIDS[0], of_resource=False, priority=9)
    of_resource = SetRule(GRIDS[1])
    assert on(AUGUST, of_venue, of_resource) == [GRIDS[1]]
    assert on(AUGUST, of_venue, of_resource, SetRule(GRIDS[2], priority=1, age=1), SetRule(GRIDS[3], age=2)) == [
        GRIDS[2]
    ]
    assert on(AUGUST, SetRule(GRIDS[3], age=1), SetRule(GRIDS[2], age=2)) == [GRIDS[2]]


def test_a_rule_decides_on_the_days_for_which_it_is_valid() -> None:
    all_year = SetRule(GRIDS[0])
    in_august = SetRule(GRIDS[1], priority=1, valid_from=AUGUST, valid_until=SEPTEMBER)
    rules = RuleSet((all_year, in_august), OPENING_HOURS)
    last, day = SEPTEMBER - timedelta(days=1), timedelta(days=1)
    assert [rules.on(at) for at in (AUGUST - day, AUGUST, last, SEPTEMBER)] == [
        (GRIDS[0],),
        (GRIDS[1],),
        (GRIDS[1],),
        (GRIDS[0],),
    ]


def test_of_a_cumulative_type_all_decide_and_of_another_kind_none() -> None:
    rules = [SetRule(Everywhere(name=name), of_resource=name != "venue") for name in ("venue", "a", "b")]
    assert [rule for rule in on(AUGUST, *rules) if isinstance(rule, Everywhere)] == [one.rule for one in rules]
    assert on(AUGUST, SetRule(GRIDS[0]), kind=NIGHTLY) == []


def test_the_day_is_that_of_the_venue() -> None:
    rules = RuleSet((SetRule(Named(name="august"), valid_from=AUGUST),), OPENING_HOURS)
    late = interval("2027-07-31T23:30+01:00", "2027-08-01T00:30+01:00")
    night = interval("2027-08-01T00:00+01:00", "2027-08-01T00:30+01:00")
    assert [bool(rules.for_request(_asked(one), ALGIERS)) for one in (late, night)] == [False, True]


def test_a_rule_for_every_night_is_asked_if_it_decides_on_any() -> None:
    base = SetRule(EveryNight(name="base"))
    high = SetRule(EveryNight(name="high"), priority=1, valid_from=AUGUST, valid_until=SEPTEMBER)
    first_only = SetRule(Named(name="first"), valid_from=AUGUST)
    rules = RuleSet((base, high, first_only), NIGHTLY)

    def asked(arrival: date, nights: int) -> list[str]:
        stay = (arrival, arrival + timedelta(days=nights))
        request = RuleRequest(interval("2027-07-30T15:00+01:00", "2027-07-31T11:00+01:00"), stay, 1, None)
        return [getattr(rule, "name", "") for rule in rules.for_request(request, ALGIERS)]

    assert asked(date(2027, 7, 30), 2) == ["base"]
    assert asked(date(2027, 7, 30), 3) == ["base", "high"]
    assert asked(AUGUST, 31) == ["high", "first"]
    assert asked(AUGUST, 32) == ["high", "first", "base"]


def test_slots_follow_the_rules_of_their_own_day() -> None:
    hourly, often = SetRule(StartGrid(minutes=720)), SetRule(StartGrid(minutes=360), priority=1, valid_from=AUGUST)
    rules = RuleSet((hourly, often), OPENING_HOURS)
    found = rules.slots(interval("2027-07-31T00:00+01:00", "2027-08-02T00:00+01:00"), 60, ALGIERS)
    assert [f"{slot.starts_at.astimezone(ALGIERS):%d %H}" for slot in found] == ["31 00", "31 12"] + [
        f"01 {hour:02}" for hour in (0, 6, 12, 18)
    ]


def _asked(window: Interval) -> RuleRequest:
    return RuleRequest(window, None, 1, None)
