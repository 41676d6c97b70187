"""What is left: requirements, choices, sharing, closures, peaks; without a database."""

import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.facts import Requirement, ResourceFacts
from engine.rules.deciding import RuleSet
from engine.supply import supply_of
from engine.timeline import effective_timeline
from engine.vacancies import AvailabilityStatus, Vacancies, status_of
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.timelines import Step, TimelineView
from models.resource import AvailabilityType, Resource, ResourceRequirement, Sharing
from models.venue import Venue
from tests.support.factories import key_of

ORGANIZATION = uuid.uuid4()
MIDNIGHT = datetime(2030, 6, 1, tzinfo=UTC)


def hours(start: float, end: float) -> Interval:
    return Interval(MIDNIGHT + timedelta(hours=start), MIDNIGHT + timedelta(hours=end))


DAY = hours(0, 24)


def a_resource(capacity: int = 10, sharing: Sharing = Sharing.SHARED) -> Resource:
    return Resource(
        organization_id=ORGANIZATION,
        id=uuid.uuid4(),
        venue_id=uuid.uuid4(),
        slug="r",
        name="R",
        availability_type=AvailabilityType.OPENING_HOURS,
        sharing=sharing,
        capacity=capacity,
    )


def facts_of(resource: Resource, *requirements: tuple[Resource, int, int]) -> ResourceFacts:
    needs = tuple(
        Requirement(
            ResourceRequirement(
                organization_id=ORGANIZATION,
                resource_id=resource.id,
                required_id=required.id,
                per_unit=per_unit,
                per_booking=per_booking,
            ),
            required,
        )
        for required, per_unit, per_booking in requirements
    )
    venue = Venue(organization_id=ORGANIZATION, slug="v", name="V", time_zone="UTC", currency="EUR", country="PT")
    return ResourceFacts(resource, venue, (), needs, RuleSet((), resource.availability_type), version=0)


def view_of(resource: Resource, *steps: tuple[float, int, str | None, bool]) -> TimelineView:
    """Steps as (from hour, taken, sharing key, closed), over one day."""
    ends = [start for start, *_ in steps[1:]] + [24]
    made = tuple(
        Step(hours(start, end).starts_at, hours(start, end).ends_at, resource.capacity, taken, key, closed)
        for (start, taken, key, closed), end in zip(steps, ends, strict=True)
    )
    return TimelineView(ResourceKey(ORGANIZATION, resource.id), 7, 0, DAY, made)


def shown(facts: ResourceFacts, *views: TimelineView) -> list[int]:
    timeline = effective_timeline(facts, {view.resource: view for view in views}, DAY)
    assert timeline.steps[0].starts_at == DAY.starts_at
    assert timeline.steps[-1].ends_at == DAY.ends_at
    for left, right in zip(timeline.steps, timeline.steps[1:], strict=False):
        assert left.ends_at == right.starts_at
    return [step.vacancies for step in timeline.steps]


def left(
    facts: ResourceFacts,
    *views: TimelineView,
    over: Interval,
    claim: Interval | None = None,
    activity: str | None = None,
) -> Vacancies:
    return supply_of(facts, {view.resource: view for view in views}, activity).over(over, claim or over)


def test_vacancies_are_capacity_minus_the_peak_not_the_sum() -> None:
    hall = a_resource(10)
    view = view_of(hall, (0, 0, None, False), (9, 6, None, False), (12, 0, None, False), (14, 7, None, False))
    assert left(facts_of(hall), view, over=hours(8, 20)).vacancies == 3
    assert left(facts_of(hall), view, over=hours(12, 14)).vacancies == 10
    assert left(facts_of(hall), view, over=hours(11, 14)).vacancies == 4


def test_an_interval_does_not_feel_what_begins_where_it_ends() -> None:
    hall = a_resource(1)
    view = view_of(hall, (0, 0, None, False), (10, 1, None, False), (12, 0, None, False))
    assert left(facts_of(hall), view, over=hours(8, 10)).vacancies == 1
    assert left(facts_of(hall), view, over=hours(12, 13)).vacancies == 1
    assert left(facts_of(hall), view, over=hours(11.9, 13)).vacancies == 0


def test_a_buffer_feels_what_is_taken_and_not_what_is_closed() -> None:
    hall = a_resource(2)
    view = view_of(hall, (0, 0, None, True), (8, 1, None, False), (9, 2, None, False), (10, 0, None, False))
    facts = facts_of(hall)
    assert left(facts, view, over=hours(8, 9)).vacancies == 1
    assert left(facts, view, over=hours(8, 9), claim=hours(7, 9)) == left(facts, view, over=hours(8, 9))
    assert left(facts, view, over=hours(8, 9), claim=hours(8, 9.5)).status is AvailabilityStatus.SOLD_OUT
    assert left(facts, view, over=hours(7, 9)).status is AvailabilityStatus.CLOSED


def test_neighbours_that_show_the_same_are_one_step() -> None:
    hall = a_resource(10, Sharing.EXCLUSIVE)
    view = view_of(hall, (0, 3, "#a", False), (6, 4, "#b", False), (12, 0, None, False))
    assert shown(facts_of(hall), view) == [0, 10]


@pytest.mark.parametrize(
    ("per_unit", "per_booking", "room_taken", "units"),
    [
        (1, 0, 3, 2),  # five rooms, three taken: two units of one room each
        (2, 0, 2, 1),  # units of two rooms
        (1, 2, 1, 2),  # four free, two of them for the booking itself
        (0, 2, 3, 4),  # two free are enough for any number of units: the floor's own capacity decides
        (0, 2, 4, 0),
        (1, 4, 2, 0),  # not even the booking's own four
    ],
)
def test_what_is_required_limits_the_units(per_unit: int, per_booking: int, room_taken: int, units: int) -> None:
    floor, rooms = a_resource(4), a_resource(5)
    facts = facts_of(floor, (rooms, per_unit, per_booking))
    assert facts.needed == (ResourceKey(ORGANIZATION, floor.id), ResourceKey(ORGANIZATION, rooms.id))
    assert shown(facts, view_of(floor, (0, 0, None, False)), view_of(rooms, (0, room_taken, None, False))) == [units]


def test_a_required_room_in_exclusive_use_leaves_nothing() -> None:
    floor, room = a_resource(1), a_resource(8, Sharing.EXCLUSIVE)
    facts = facts_of(floor, (room, 0, 8))
    views = (
        view_of(floor, (0, 0, None, False)),
        view_of(room, (0, 0, None, False), (9, 2, "#x", False), (10, 0, None, False)),
    )
    assert shown(facts, *views) == [1, 0, 1]


def test_closed_shows_no_vacancies_also_where_only_a_required_resource_is() -> None:
    floor, room = a_resource(3), a_resource(3)
    facts = facts_of(floor, (room, 1, 0))
    views = {
        view.resource: view
        for view in (view_of(floor, (0, 0, None, False)), view_of(room, (0, 0, None, False), (8, 0, None, True)))
    }
    steps = effective_timeline(facts, views, DAY).steps
    assert [(step.vacancies, step.status) for step in steps] == [
        (3, AvailabilityStatus.AVAILABLE),
        (0, AvailabilityStatus.CLOSED),
    ]


@pytest.mark.parametrize(
    ("activity", "vacancies", "code"),
    [
        ("aqua gym", 2, None),
        ("laps", 0, "ACTIVITY_CONFLICT"),
        (None, 0, "ACTIVITY_CONFLICT"),  # a party without an activity shares with nobody
    ],
)
def test_same_activity(activity: str | None, vacancies: int, code: str | None) -> None:
    lanes = a_resource(6, Sharing.SAME_ACTIVITY)
    view = view_of(
        lanes, (0, 0, None, False), (9, 4, "aqua gym", False), (10, 1, "#party", False), (11, 0, None, False)
    )
    found = left(facts_of(lanes), view, over=hours(9, 10), activity=activity)
    refusal = found.refusal(1)
    assert (found.vacancies, refusal.code if refusal else None) == (vacancies, code)
    assert left(facts_of(lanes), view, over=hours(10, 11), activity=activity).vacancies == 0
    assert left(facts_of(lanes), view, over=hours(11, 12), activity=activity).vacancies == 6


def test_whoever_has_not_said_what_for_sees_what_an_activity_leaves() -> None:
    lanes = a_resource(6, Sharing.SAME_ACTIVITY)
    view = view_of(
        lanes, (0, 0, None, False), (9, 4, "aqua gym", False), (10, 1, "#party", False), (11, 0, None, False)
    )
    steps = effective_timeline(facts_of(lanes), {view.resource: view}, DAY).steps
    assert [(step.vacancies, step.activity) for step in steps] == [(6, None), (2, "aqua gym"), (0, None), (6, None)]


def test_the_reason_that_is_hardest_to_mend_comes_first() -> None:
    lanes = a_resource(6, Sharing.SAME_ACTIVITY)
    view = view_of(lanes, (0, 6, "laps", False), (9, 0, None, True), (10, 0, None, False))
    codes = [
        refusal.code if (refusal := left(facts_of(lanes), view, over=interval, activity="gym").refusal(7)) else None
        for interval in (hours(8, 10), hours(8, 9), hours(10, 11))
    ]
    assert codes == ["CLOSED", "ACTIVITY_CONFLICT", "SOLD_OUT"]


@pytest.mark.parametrize("seed", range(3))
def test_parts_that_are_walked_through_together_are_as_each_by_itself(seed: int) -> None:
    """Random timelines of a resource, of two that it requires and of four that it chooses from; asked hour by hour."""
    chance = random.Random(seed)
    for _ in range(40):
        whole, *others = (a_resource(chance.randrange(1, 6), chance.choice(list(Sharing))) for _ in range(7))
        needs = [(other, chance.randrange(1, 3), chance.randrange(2)) for other in others[:2]]
        facts = replace(facts_of(whole, *needs), choices=tuple(others[2:]))
        views = {view.resource: view for view in (_some_view(chance, each) for each in (whole, *others))}
        first, length, buffer = chance.randrange(3, 18), chance.randrange(1, 4), chance.randrange(3)
        interval, claim = hours(first, first + length), hours(first - buffer, first + length + buffer)
        activity = chance.choice([None, "laps", "gym"])
        parts = {each.id: _alone(views[key_of(each)], each, interval, claim, activity) for each in (whole, *others)}
        needed = [parts[each.id] for each in (whole, *others[:2])]
        limits = [units for need in facts.requirements if (units := need.units(parts[need.resource.id][0])) is not None]
        of_choice = sum(parts[each.id][0] > 0 and not parts[each.id][1] for each in others[2:])
        closed = any(is_closed for _, is_closed, _ in needed)
        expected = 0 if closed else max(0, min(parts[whole.id][0], of_choice, *limits))
        found = supply_of(facts, views, activity).over(interval, claim)
        assert (found.vacancies, found.in_use) == (expected, any(in_use for *_, in_use in needed))
        assert (found.status is AvailabilityStatus.CLOSED) == closed


def _some_view(chance: random.Random, resource: Resource) -> TimelineView:
    starts = [0, *sorted(chance.sample(range(1, 24), chance.randrange(6)))]
    steps = []
    for start in starts:
        taken = chance.randrange(resource.capacity + 1)
        key = chance.choice(["laps", "gym", "#party"]) if taken and resource.sharing != Sharing.SHARED else None
        steps.append((start, taken, key, chance.random() < 0.1))
    return view_of(resource, *steps)


def _alone(
    view: TimelineView, resource: Resource, interval: Interval, claim: Interval, activity: str | None
) -> tuple[int, bool, bool]:
    """What is free of one resource over the claim, whether it is closed in the interval, and whether it is in use."""
    free, closed, in_use = resource.capacity, False, False
    for hour in range(24):
        at = hours(hour, hour + 1)
        step = next(each for each in view.steps if each.starts_at <= at.starts_at < each.ends_at)
        joins = step.taken == 0 or resource.sharing == Sharing.SHARED
        joins = joins or (resource.sharing == Sharing.SAME_ACTIVITY and activity == step.sharing_key)
        if at.overlaps(claim):
            free = min(free, step.capacity - step.taken if joins else 0)
            in_use = in_use or (not joins and resource.sharing == Sharing.SAME_ACTIVITY)
        closed = closed or (step.closed and at.overlaps(interval))
    return free, closed, in_use


@pytest.mark.parametrize(
    ("capacity", "vacancies", "closed", "status"),
    [
        (10, 10, False, "AVAILABLE"),
        (10, 5, False, "AVAILABLE"),
        (10, 4, False, "LIMITED"),
        (10, 0, False, "SOLD_OUT"),
        (0, 0, False, "SOLD_OUT"),
        (10, 10, True, "CLOSED"),
    ],
)
def test_limited_is_less_than_half(capacity: int, vacancies: int, closed: bool, status: str) -> None:
    assert status_of(capacity, vacancies, closed) == status
