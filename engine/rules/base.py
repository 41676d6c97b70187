"""What every rule is made of: a request and facts go in, nothing or a Refusal comes out."""

import uuid
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from engine.rules.parsing import Parameters
from models.errors import BookingError, InvalidInput, RuleViolation
from models.interval import Interval
from models.keys import ResourceKey

# The availability types of the contract.
OPENING_HOURS = "OPENING_HOURS"  # any interval within the opening hours, on the start grid
START_TIME = "START_TIME"  # one of the sessions
NIGHTLY = "NIGHTLY"  # nights
ANY_TYPE = frozenset({OPENING_HOURS, START_TIME, NIGHTLY})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request can not be booked.

    `code` is one of the contract's error codes, `message` is a sentence for people, `parameters` say the same to
    programs (values as in JSON; times as local ISO 8601 text with the offset). `rule` is the type of the rule that
    refuses, or None for a limit of the platform and for capacity. `resource`: of a refusal by capacity the resource
    that binds, which may be one that is required.
    """

    code: str
    message: str
    rule: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    resource: ResourceKey | None = None


@dataclass(frozen=True, slots=True)
class GuestCount:
    """So many guests of one type, such as ADULT; their ages in years where they were told, one each."""

    type: str
    count: int
    ages: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """One item that somebody asks for.

    `stay` is (arrival, departure) in the venue's civil days for nights, else None; `interval` is the guest's time in
    either case. `quantity` has not been checked. `guests`: the party, where it was told.
    """

    interval: Interval
    stay: tuple[date, date] | None
    quantity: int
    activity: str | None
    guests: tuple[GuestCount, ...] | None = None

    @property
    def guest_count(self) -> int | None:
        """How many people come; None where nobody said."""
        return None if self.guests is None else sum(guests.count for guests in self.guests)

    @property
    def nights(self) -> int:
        """Nights of the stay; 0 without one."""
        return 0 if self.stay is None else (self.stay[1] - self.stay[0]).days


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What rules may know besides the request: the venue's zone, the instant that counts as now, the resource's kind.

    `customer_id` is None for everybody but a customer with an account. `check_in` and `check_out` are the venue's.
    A rule that needs to know more gets it by a new field here, filled by whoever evaluates.
    """

    zone: ZoneInfo
    now: datetime
    availability_type: str
    resource_id: uuid.UUID | None = None
    venue_id: uuid.UUID | None = None
    customer_id: str | None = None
    check_in: time | None = None
    check_out: time | None = None


class ConditionKind(StrEnum):
    """What can be measured of what is booked; ledger/sql/35_conditions.sql says of what, engine/conditions.py how."""

    CUSTOMER_ACTIVE = "CUSTOMER_ACTIVE"
    CUSTOMER_OVERLAP = "CUSTOMER_OVERLAP"
    ARRIVALS = "ARRIVALS"
    CAPACITY = "CAPACITY"
    ORPHANS = "ORPHANS"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule asks of all that is booked: this number, with the request, is at most `max`; else `refuse(number)`.

    Only the database can decide it, under its locks, when something is booked; who only looks measures the same from
    what they read. `arguments`: of the kind; UUIDs and instants as such.
    """

    kind: ConditionKind
    arguments: Mapping[str, Any]
    max: int
    refuse: Callable[[int], Refusal]


NO_TIME = timedelta(0)


class Rule(Parameters):
    """A rule of one type: its fields are the parameters, checked when it is made and never changed after.

    Parameters are written in camelCase, as all that is said to the API (snake_case is understood). `type` names the
    kind of rule, `summary` says in words what rules of it refuse, and with which codes; `applies_to` are the
    availability types that it has a say on: others it neither allows nor refuses. Of an ordinary type one rule decides
    at a time, of a cumulative one all that are valid; a type that looks at every day is asked if it decides on any day
    of the request and not just on its first (engine/rules/deciding.py). `example` are parameters that make sense, for
    the reference (docs/rules.md).

    What a parameter means never changes, nor does the default of one that may be left out: it is not stored.
    """

    type: ClassVar[str]
    summary: ClassVar[str]
    applies_to: ClassVar[frozenset[str]]
    example: ClassVar[Mapping[str, object]]
    is_cumulative: ClassVar[bool] = False
    looks_at_every_day: ClassVar[bool] = False
    measures: ClassVar[frozenset[ConditionKind]] = frozenset()
    """The kinds of its conditions: what they are measured from is read only where a rule needs it."""

    @abstractmethod
    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        """The reason why this rule refuses the request, or None. Pure: asks nothing else, changes nothing."""

    def nights_allowed(self, arrival: date, nights: int) -> int | None:
        """The least number of nights, of those from `nights` on, that this rule allows a stay from this arrival on.

        None: it allows no stay that long. For rules that tell stays apart by their length or departure: the calendar
        offers the shortest stay that they allow. By default a rule has nothing to say on that.
        """
        return nights

    def conditions(self, request: RuleRequest, facts: RuleFacts) -> tuple[Condition, ...]:
        """What it asks of all that is booked, for this request, which it need not have let pass. Pure."""
        return ()

    @property
    def reach(self) -> timedelta:
        """How far before and after the request its conditions and `buffers` look at most."""
        return NO_TIME

    @property
    def buffers(self) -> tuple[timedelta, timedelta]:
        """How much longer than the guest is there a booking takes capacity: before, and after."""
        return NO_TIME, NO_TIME

    @property
    def approval_seconds(self) -> int | None:
        """How long the venue has to approve a booking that the guest has confirmed; None: it need not."""
        return None

    def sharing_key(self, activity: str | None) -> str | None:
        """By what parties of this activity share with others, where that is not the activity itself."""
        return None


def violation(refusal: Refusal, *, path: Sequence[str] = ()) -> BookingError:
    """The error to raise for a refusal: a RuleViolation, or InvalidInput if the request made no sense at all."""
    if refusal.code == InvalidInput.code:
        return InvalidInput(refusal.message, path=path)
    return RuleViolation(
        refusal.message,
        code=refusal.code,
        rule=refusal.rule or "PLATFORM_LIMIT",
        parameters=refusal.parameters,
        path=path,
    )
