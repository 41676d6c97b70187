"""One change of one rule, as a value: how the rules of a resource decide before it and after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.facts import ResourceFacts, rule_set
from models.keys import RuleKey
from models.queries.rules import RuleScope
from models.resource import BookingRule, BookingRuleChange


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule as it was and as it is to be, or has become. None: there is no such rule, not yet or not any more."""

    before: BookingRule | None
    after: BookingRule | None

    @property
    def rule(self) -> BookingRule:
        """The rule that changes: as it becomes, or when it goes, as it was."""
        rule = self.after or self.before
        assert rule is not None, "a change is of a rule"
        return rule

    @property
    def scope(self) -> RuleScope:
        """What it is of, which never changes."""
        return RuleScope(self.rule.organization_id, self.rule.venue_id, self.rule.resource_id)


def facts_before(facts: ResourceFacts, change: RuleChange) -> ResourceFacts:
    """The facts of a resource in the change's scope as if it had not been made, whether it has been or not."""
    return _with(facts, change, change.before)


def facts_after(facts: ResourceFacts, change: RuleChange) -> ResourceFacts:
    """The facts of a resource in the change's scope as if it had been made."""
    return _with(facts, change, change.after)


def as_of(change: BookingRuleChange) -> BookingRule:
    """The rule as one line of its history has it: a value, not a row to be written."""
    return BookingRule(
        organization_id=change.organization_id,
        id=change.rule_id,
        venue_id=change.venue_id,
        resource_id=change.resource_id,
        type=change.type,
        parameters=change.parameters,
        priority=change.priority,
        valid_from=change.valid_from,
        valid_until=change.valid_until,
        version=change.version,
        is_removed=change.is_removed,
        last_actor=change.actor,
        updated_at=change.created_at,
    )


def key_of_rule(rule: BookingRule) -> RuleKey:
    """The rule's key."""
    return RuleKey(rule.organization_id, rule.id)


def _with(facts: ResourceFacts, change: RuleChange, rule: BookingRule | None) -> ResourceFacts:
    rows: Sequence[BookingRule] = [row for row in facts.stored_rules if row.id != change.rule.id]
    if rule is not None:
        rows = [*rows, rule]
    return replace(facts, stored_rules=tuple(rows), rules=rule_set(facts.resource, rows))
