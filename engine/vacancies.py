"""What is left of a resource, in numbers and words. Pure. How it is found: `engine.supply`."""

from dataclasses import dataclass
from enum import StrEnum

from engine.rules.base import Refusal
from models.queries.timelines import Step
from models.resource import Sharing


class AvailabilityStatus(StrEnum):
    """LIMITED: less than half of capacity is left (as OCTO has it)."""

    AVAILABLE = "AVAILABLE"
    LIMITED = "LIMITED"
    SOLD_OUT = "SOLD_OUT"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Vacancies:
    """What can be had over one whole interval: where it is scarcest."""

    capacity: int
    vacancies: int
    status: AvailabilityStatus
    in_use: bool

    def refusal(self, quantity: int) -> Refusal | None:
        """Why `quantity` units can not be had, the reason that is hardest to mend first; None if they can."""
        if self.status is AvailabilityStatus.CLOSED:
            return Refusal("CLOSED", "It is closed at some time of this interval.")
        if self.in_use:
            return Refusal("ACTIVITY_CONFLICT", "It is in use for another activity at some time of this interval.")
        if quantity > self.vacancies:
            left = "Sold out." if self.vacancies == 0 else f"Only {self.vacancies} left at some time of this interval."
            return Refusal("SOLD_OUT", left, parameters={"vacancies": self.vacancies})
        return None


def may_join(step: Step, sharing: str, activity: str | None) -> bool:
    """Whether a party of this activity may join who is there during the step."""
    if step.taken == 0 or sharing == Sharing.SHARED:
        return True
    return sharing == Sharing.SAME_ACTIVITY and activity is not None and step.sharing_key == activity


def status_of(capacity: int, vacancies: int, closed: bool) -> AvailabilityStatus:
    """The status that is shown for these numbers."""
    if closed:
        return AvailabilityStatus.CLOSED
    if vacancies <= 0:
        return AvailabilityStatus.SOLD_OUT
    return AvailabilityStatus.LIMITED if 2 * vacancies < capacity else AvailabilityStatus.AVAILABLE
