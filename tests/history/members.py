"""Any k of these: whether fewer of the members were free than were asked for, at one moment."""

from collections.abc import Mapping
from datetime import datetime

from tests.history.dump import Claim, Dump
from tests.history.records import CLOCK_SLACK, Attempt
from tests.history.takes import OURSELVES, sharing_key
from tests.history.timelines import Timeline, refusal_of
from tests.history.wanted import Wanted, asked_for


def had_too_few(
    attempt: Attempt, dump: Dump, timelines: Mapping[str, Timeline], since: datetime, until: datetime
) -> bool:
    """Whether SOLD_OUT is explained by how many members were free over the whole time, at some moment.

    All are looked at in one moment, but when each version began to be seen is known only about: so a member may have
    been free, must have been, or was not, and the number that was told lies between.
    """
    [wanted, *others] = map(asked_for, attempt.input["items"])
    members = [choice.member_id for choice in dump.choices if choice.resource_id == wanted.resource_id]
    if attempt.code != "SOLD_OUT" or others or not members:
        return False
    if attempt.answer.get("resource") not in (None, wanted.resource_id):
        return False
    told = attempt.answer["vacancies"]
    units = [_unit(wanted, member, dump) for member in members]
    return told < wanted.quantity and any(
        _fewest(units, timelines, moment) <= told <= _most(units, timelines, moment)
        for moment in _moments(units, timelines, since, until)
    )


def _moments(units: list[Claim], timelines: Mapping[str, Timeline], since: datetime, until: datetime) -> list[datetime]:
    """The moments at which what can be seen of a member changes, and both ends."""
    seen = [
        moment
        for unit in units
        for moments in (timelines[unit.resource_id].seen_from, timelines[unit.resource_id].seen_until)
        for moment in moments
        if since < moment < until
    ]
    return sorted({since, *seen, until})


def _fewest(units: list[Claim], timelines: Mapping[str, Timeline], moment: datetime) -> int:
    return sum(all(_is_free(unit, timelines, moment)) for unit in units)


def _most(units: list[Claim], timelines: Mapping[str, Timeline], moment: datetime) -> int:
    return sum(any(_is_free(unit, timelines, moment)) for unit in units)


def _is_free(unit: Claim, timelines: Mapping[str, Timeline], moment: datetime) -> list[bool]:
    """By each version that can be seen at this moment."""
    timeline = timelines[unit.resource_id]
    versions = timeline.versions(moment - CLOCK_SLACK, moment + CLOCK_SLACK)
    return [refusal_of([unit], timeline, version) is None for version in versions]


def _unit(wanted: Wanted, member_id: str, dump: Dump) -> Claim:
    resource = next(resource for resource in dump.resources if resource.id == member_id)
    key = sharing_key(resource, wanted.activity, OURSELVES)
    return Claim(OURSELVES, member_id, wanted.starts_at, wanted.ends_at, 1, key)
