"""Which of the cancellation policies that are set decides over what begins on a civil day, priced by a rate plan.

Of those that are valid on the day, one that names the plan goes before one that names none; then the resource's own
before the venue's, then the higher priority, then the younger. So a rate that is not refundable has its own policy,
whatever holds for the others.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from engine.cancellation.policy import Policy
from engine.rules.parsing import parsed
from engine.rules.placed import Placed, placement
from models.errors import InvalidInput, NotPriced
from models.price import CancellationPolicy

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SetPolicy(Placed):
    """A policy as it was set; None: it can not be read any more."""

    code: str
    policy: Policy | None


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All that are set for one resource, by it and by its venue."""

    policies: tuple[SetPolicy, ...] = ()

    def on(self, day: date, plan: str | None) -> Policy | None:
        """The policy for what begins on this day and is priced by this plan; None: none is set.

        Raises NotPriced if it is one that can not be read: nobody knows what was promised.
        """
        fitting = [found for found in self.policies if found.is_valid_on(day) and _fits(found, plan)]
        if not fitting:
            return None
        found = max(fitting, key=lambda one: (one.policy is None or bool(one.policy.plans), one.rank))
        if found.policy is None:
            raise NotPriced(f"The cancellation policy {found.code} is set, which this installation can not read.")
        return found.policy


NO_POLICIES = PolicySet()


def policy_set(rows: Sequence[CancellationPolicy]) -> PolicySet:
    """These policies, as they decide over bookings of a resource."""
    return PolicySet(
        tuple(SetPolicy(code=row.code, policy=_stored(row.code, row.parameters), **placement(row)) for row in rows)
    )


def parse(parameters: Mapping[str, object], *, path: Sequence[str] = ()) -> Policy:
    """The policy with these parameters (as in JSON); raises InvalidInput as `engine.rules.parsing.parsed`."""
    return parsed(Policy, parameters, path=path)


def _fits(found: SetPolicy, plan: str | None) -> bool:
    """Whether it has a say; one that can not be read may have had."""
    return found.policy is None or not found.policy.plans or plan in found.policy.plans


def _stored(code: str, parameters: Mapping[str, object]) -> Policy | None:
    try:
        return parse(parameters)
    except InvalidInput as error:
        _warn_once(code, error.message)
        return None


@lru_cache(maxsize=1024)
def _warn_once(code: str, reason: str) -> None:
    logger.warning("cancellation policies %s can not be read: what they are set for has no price (%s)", code, reason)
