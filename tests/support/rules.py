"""Setting rules in tests, and a kind of rule that no venue has."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from engine.booking_rules import Outcome, RemoveBookingRule, SetBookingRule, plan, remove_rule, set_rule
from engine.rule_changes import RuleChange
from engine.rule_fields import RuleFields
from engine.rule_targets import Target
from engine.rules import registry
from engine.rules.base import ANY_TYPE, Refusal, Rule, RuleFacts, RuleRequest
from engine.viewer import Role, Viewer
from models.database import Database
from models.keys import RuleKey
from models.ledger.requests import hash_request
from tests.support.staff import fresh_key, viewer_of


class HoursAhead(Rule):
    """A test's own kind: as all that depends on the present, it is to be asked as of the time of booking."""

    type: ClassVar[str] = "HOURS_AHEAD"
    summary: ClassVar[str] = "A booking begins so many hours ahead, else TOO_SOON."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE

    hours: int
    activity: str | None = None

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        if request.interval.starts_at - facts.now >= timedelta(hours=self.hours):
            return None
        return Refusal("TOO_SOON", f"Less than {self.hours} hours ahead.", self.type)


@contextmanager
def known(monkeypatch: pytest.MonkeyPatch, *rules: type[Rule]) -> Iterator[None]:
    """These kinds of rules are known too."""
    more: Mapping[str, type[Rule]] = MappingProxyType({**registry.RULES, **{rule.type: rule for rule in rules}})
    with monkeypatch.context() as patch:
        for module in ("engine.rules.registry", "resolvers.booking_rule_types"):
            patch.setattr(f"{module}.RULES", more)
        yield


def manager_of(target: Target, subject: str = "amina") -> Viewer:
    """A manager of the target's organization."""
    return viewer_of(Role.MANAGER, target.organization_id, subject)


def set_request(
    target: Target, *, key: str | None = None, expected: int | None = None, **fields: Any
) -> SetBookingRule:
    """A request to set a rule; the key is fresh unless it is given."""
    asked = hash_request("bookingRuleSet", {"target": target, **fields})
    return SetBookingRule(key or fresh_key(), asked, target, RuleFields(**fields), expected)  # type: ignore[typeddict-item]


def remove_request(rule: RuleKey, *, key: str | None = None, expected: int | None = None) -> RemoveBookingRule:
    """A request to remove a rule."""
    return RemoveBookingRule(key or fresh_key(), hash_request("bookingRuleRemove", {"rule": rule}), rule, expected)


async def put(database: Database, target: Target, *, viewer: Viewer | None = None, **more: Any) -> Outcome:
    """Set a rule as a manager; `more` as in `set_request`."""
    return await set_rule(database, viewer or manager_of(target), set_request(target, **more))


async def take_away(database: Database, rule: RuleKey, *, viewer: Viewer | None = None, **more: Any) -> Outcome:
    """Remove a rule as a manager."""
    return await remove_rule(database, viewer or manager_of(rule), remove_request(rule, **more))


async def planned(database: Database, target: Target, **more: Any) -> RuleChange:
    """The dry run of setting a rule."""
    return await plan(database, manager_of(target), set_request(target, **more))
