"""ACTIVITIES: what something may be booked for, and which activities may be there at the same time."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import Name, wrong
from engine.rules.parsing import Parameters

ACTIVITIES_MAX = 100


def _plain(name: str) -> str:
    if name != name.strip() or name.startswith("#"):
        raise wrong("should not begin or end with a blank, nor begin with #")
    return name


_PlainName = Annotated[Name, AfterValidator(_plain)]


class Activity(Parameters):
    """One activity that is allowed."""

    name: _PlainName = Field(description="As guests say it; 1 to 100 characters.")
    group: _PlainName | None = Field(
        default=None, description="Activities of one group may share a resource that is SAME_ACTIVITY."
    )


def _each_once(activities: tuple[Activity, ...]) -> tuple[Activity, ...]:
    if len({one.name for one in activities}) < len(activities):
        raise wrong("should name each activity only once")
    return activities


class Activities(Rule):
    """The activity, if one is told, must be one of those named; with `required`, one must be told; else RULE_VIOLATION.

    Names are compared letter by letter. Where parties may join only the same activity (SAME_ACTIVITY), those of one
    `group` count as the same. A group may be called like an activity of its own, but not like one outside of it.
    """

    type: ClassVar[str] = "ACTIVITIES"
    summary: ClassVar[str] = "A booking is for one of these activities, else RULE_VIOLATION."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {
        "activities": [{"name": "laps", "group": "quiet"}, {"name": "aqua gym", "group": "quiet"}, {"name": "polo"}],
        "required": True,
    }

    activities: Annotated[
        tuple[Activity, ...], Field(min_length=1, max_length=ACTIVITIES_MAX), AfterValidator(_each_once)
    ] = Field(description="What is allowed, at most 100.")
    required: bool = Field(default=False, strict=True, description="Whether an activity must be named.")

    @model_validator(mode="after")
    def _tells_groups_apart(self) -> Self:
        groups = {one.group for one in self.activities}
        if any(one.name in groups and one.group != one.name for one in self.activities):
            raise wrong("a group should not be called like an activity outside of it")
        return self

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        if not self.required if request.activity is None else request.activity in self._groups:
            return None
        allowed = list(self._groups)
        message = f"It is booked for one of these: {', '.join(allowed[:10])}{', …' if len(allowed) > 10 else ''}."
        return Refusal(
            code="RULE_VIOLATION",
            message=message,
            rule=self.type,
            parameters={"activity": request.activity, "allowed": allowed},
        )

    def sharing_key(self, activity: str | None) -> str | None:
        """Under which name an activity shares a SAME_ACTIVITY resource: its group's, or its own. None: with nobody."""
        return None if activity is None else self._groups.get(activity, activity)

    @cached_property
    def _groups(self) -> dict[str, str]:
        return {one.name: one.group or one.name for one in self.activities}
