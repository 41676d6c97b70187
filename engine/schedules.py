"""When a resource can be booked at all: its opening hours, start grid and sessions, stored as booking rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import NamedTuple, TypedDict

from sqlalchemy import not_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from engine.rules import registry
from engine.rules.base import Rule
from engine.rules.opening_hours import OpeningHours
from engine.rules.session_times import SessionTimes
from engine.rules.start_grid import StartGrid
from models.database import WriteSession
from models.errors import InvalidInput
from models.keys import ResourceKey
from models.resource import AvailabilityType, BookingRule


@dataclass(frozen=True, slots=True)
class Hours:
    """Open on one weekday (1 is Monday) from `opens` to `closes`; not after `opens`: on the next day."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Session:
    """A session on one weekday (1 is Monday)."""

    weekday: int
    starts: time
    duration_minutes: int


class Schedule(TypedDict, total=False):
    """What is named is set, or with None removed; what is absent stays."""

    opening_hours: Sequence[Hours] | None
    start_grid_minutes: int | None
    sessions: Sequence[Session] | None


class ScheduleRule(NamedTuple):
    """One part of a schedule as a rule: the input's name for it, the rule's type, the rule itself or None (no rule)."""

    field: str
    type: str
    rule: Rule | None


def schedule_rules(availability_type: AvailabilityType, schedule: Schedule) -> list[ScheduleRule]:
    """The rules that the named parts of a schedule come to, checked.

    Raises InvalidInput for parameters that no rule has, for a part that does not belong to this kind of resource, and
    for START_TIME without a session.
    """
    found = [
        ScheduleRule(field, type_, None if parameters is None else _rule(availability_type, field, type_, parameters))
        for field, type_, parameters in _parts(schedule)
    ]
    takes_sessions_away = "sessions" in schedule and not schedule["sessions"]
    if availability_type is AvailabilityType.START_TIME and takes_sessions_away:
        raise InvalidInput("A resource of START_TIME needs at least one session.", path=("input", "sessions"))
    return found


async def write_schedule(
    session: WriteSession, resource: ResourceKey, rules: Sequence[ScheduleRule], *, actor: str
) -> None:
    """Store these rules in place of those of the same types that a schedule has made: of priority 0, always valid.

    Of several such, which managers may make (engine/booking_rules.py), the youngest decides: it stays, the others go.
    The caller has locked the resource.
    """
    for _, type_, rule in rules:
        scheduled = (await session.exec(_scheduled(resource, type_))).all()
        for position, row in enumerate(scheduled):
            stays = rule is not None and position == 0
            row.is_removed = not stays
            if rule is not None and stays:
                # What a schedule does not speak of stays, such as the exceptions of opening hours.
                row.parameters = {**row.parameters, **rule.parameters()}
            row.last_actor = actor
        if rule is not None and not scheduled:
            session.add(
                BookingRule(
                    organization_id=resource.organization_id,
                    resource_id=resource.id,
                    type=type_,
                    parameters=rule.parameters(),
                    last_actor=actor,
                )
            )
    await session.flush()


def _scheduled(resource: ResourceKey, type_: str) -> SelectOfScalar[BookingRule]:
    return (
        select(BookingRule)
        .where(
            BookingRule.organization_id == resource.organization_id,
            BookingRule.resource_id == resource.id,
            BookingRule.type == type_,
            BookingRule.priority == 0,
            col(BookingRule.valid_from).is_(None),
            col(BookingRule.valid_until).is_(None),
            not_(col(BookingRule.is_removed)),
        )
        .order_by(col(BookingRule.id).desc())
    )


def _parts(schedule: Schedule) -> list[tuple[str, str, Mapping[str, object] | None]]:
    """The named parts: the input's name, the rule's type, and its parameters as in JSON (None: no rule)."""
    parts: list[tuple[str, str, Mapping[str, object] | None]] = []
    if "opening_hours" in schedule:
        hours = schedule["opening_hours"]
        parts.append(("openingHours", OpeningHours.type, None if hours is None else {"weekly": _hours(hours)}))
    if "start_grid_minutes" in schedule:
        minutes = schedule["start_grid_minutes"]
        parts.append(("startGridMinutes", StartGrid.type, None if minutes is None else {"minutes": minutes}))
    if "sessions" in schedule:
        sessions = schedule["sessions"]
        parts.append(("sessions", SessionTimes.type, None if sessions is None else {"weekly": _sessions(sessions)}))
    return parts


def _hours(weekly: Sequence[Hours]) -> list[dict[str, object]]:
    return [{"weekday": h.weekday, "opens": f"{h.opens:%H:%M}", "closes": f"{h.closes:%H:%M}"} for h in weekly]


def _sessions(weekly: Sequence[Session]) -> list[dict[str, object]]:
    return [
        {"weekday": s.weekday, "starts": f"{s.starts:%H:%M}", "durationMinutes": s.duration_minutes} for s in weekly
    ]


def _rule(availability_type: AvailabilityType, field: str, type_: str, parameters: Mapping[str, object]) -> Rule:
    if availability_type not in registry.RULES[type_].applies_to:
        raise InvalidInput(f"A resource of {availability_type} has no {field}.", path=("input", field))
    try:
        return registry.parse(type_, parameters)
    except InvalidInput as error:
        # The registry's path is ("parameters", "weekly", "3", "opens"): the input has no level for the first two.
        raise InvalidInput(error.message, path=("input", field, *error.path[2:])) from None
