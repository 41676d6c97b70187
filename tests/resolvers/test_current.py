"""What one operation tells is of one version, also where something changes between its statements."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import pytest

from engine.current import READINGS_MAX
from engine.viewer import GUEST
from models.database import Database
from models.kept_timelines import KeptTimelines
from models.queries import kept
from models.resource import BookingRule, Resource
from schema.loaders import Loaders
from tests.resolvers.conftest import Asker, id_of
from tests.resolvers.test_availability import TEN_TO_TWELVE
from tests.support.factories import between, key_of, make_hold, make_requirement, make_resource

Change = Callable[[], Awaitable[object]]

ASK = """query ($id: ID!, $input: AvailabilityInput!, $window: WindowInput!, $series: SeriesPreviewInput!) {
  availability(input: $input) { version refusals { code } resource { version } alternatives { startsAt } }
  node(id: $id) { ... on Resource {
    timeline(window: $window) { version }
    slots(window: $window) { refusals { code } }
    calendar(from: "2030-06-01", to: "2030-06-02") { refusals { code } }
  } }
  seriesPreview(input: $series) { occurrences { refusals { code } } }
}"""
AVAILABILITY = """query ($input: AvailabilityInput!) { availability(input: $input) { version } }"""


def asked(hall: Resource) -> dict[str, Any]:
    series = {"resourceId": id_of(hall), "window": TEN_TO_TWELVE, "recurrence": "FREQ=DAILY;COUNT=1"}
    of_hall = {"resourceIds": [id_of(hall)], "window": TEN_TO_TWELVE}
    return {"id": id_of(hall), "window": TEN_TO_TWELVE, "input": of_hall, "series": series}


def told(data: dict[str, Any]) -> tuple[set[int], set[tuple[str, ...]]]:
    """Every version, and every set of refusals, that the operation told."""
    (answer,), node = data["availability"], data["node"]
    lists = [answer, *node["slots"], *node["calendar"], *data["seriesPreview"]["occurrences"]]
    refusals = {tuple(refusal["code"] for refusal in each["refusals"]) for each in lists}
    return {answer["version"], answer["resource"]["version"], node["timeline"]["version"]}, refusals


@contextmanager
def before_each_reading(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> Iterator[None]:
    """Before timelines are read, by facts that were read already, the next of these is done."""
    left, read = list(changes), kept.read_kept_timelines

    async def and_then(*arguments: Any, **more: Any) -> Any:
        if left:
            await left.pop(0)()
        return await read(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr("schema.loaders.read_kept_timelines", and_then)
        yield
    assert not left, "all of them were done"


async def close_the_day(database: Database, hall: Resource) -> None:
    async with database.writing(hall.organization_id) as session:
        session.add(
            BookingRule(
                organization_id=hall.organization_id,
                resource_id=hall.id,
                type="STOP_SELL",
                parameters={"dates": ["2030-06-01"]},
            )
        )


async def test_all_answers_have_the_rule_that_was_set_meanwhile(
    ask: Asker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await make_resource(database)
    assert told(await ask(ASK, asked(hall))) == ({0}, {()})
    with before_each_reading(monkeypatch, partial(close_the_day, database, hall)):
        assert told(await ask(ASK, asked(hall))) == ({1}, {("CLOSED",)})


async def test_of_what_is_kept_all_answers_are_of_the_version_of_the_question(
    ask: Asker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = replace(database, timelines=KeptTimelines(), catalog={})
    hall = await make_resource(database)
    ask = replace(ask, database=process)
    for _ in range(2):
        await ask(ASK, asked(hall))
    with before_each_reading(monkeypatch, partial(close_the_day, database, hall)):
        assert told(await ask(ASK, asked(hall))) == ({0}, {()})
    assert told(await ask(ASK, asked(hall))) == ({1}, {("CLOSED",)})


async def test_where_rules_are_written_all_the_time_it_is_busy(
    ask: Asker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await make_resource(database)
    with before_each_reading(monkeypatch, *[partial(close_the_day, database, hall)] * READINGS_MAX):
        assert await ask.codes(AVAILABILITY, {"input": asked(hall)["input"]}) == ["BUSY"]


async def test_what_was_taken_back_meanwhile_is_not_told(
    ask: Asker, database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await make_resource(database)
    hide = partial(owner.execute, "UPDATE venue SET is_published = false")
    with before_each_reading(monkeypatch, hide):
        assert await ask.codes(AVAILABILITY, {"input": asked(hall)["input"]}) == ["NOT_FOUND"]


async def test_what_is_required_is_read_in_the_snapshot_of_what_requires_it(database: Database) -> None:
    """Also where the same timeline was read before, for another resource."""
    guide = await make_resource(database, capacity=2)
    tours = [await make_resource(database, beside=guide, capacity=2) for _ in range(2)]
    for tour in tours:
        await make_requirement(database, tour, guide, per_booking=1)
    window = between("10:00", "12:00")
    reading = Loaders(database, GUEST)
    for tour, taken in zip(tours, (0, 1), strict=True):
        own, of_guide = await reading.timelines([(key_of(tour), window), (key_of(guide), window)])
        assert [view.steps[0].taken for view in (own, of_guide)] == [taken, taken]
        await make_hold(database, tours[1])
