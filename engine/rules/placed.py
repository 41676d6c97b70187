"""Where and when something that was set has its say."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypedDict
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Set for one resource or its whole venue, with a priority, on the civil days [valid_from, valid_until)."""

    of_resource: bool = True
    priority: int = 0
    valid_from: date | None = None
    valid_until: date | None = None
    age: int = 0
    """Larger is younger."""

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day < self.valid_until
        )

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Of several the highest decides: the resource's own, then the higher priority, then the younger."""
        return self.of_resource, self.priority, self.age


class PlacedRow(Protocol):
    """A stored rule, plan, tax or policy."""

    id: UUID
    resource_id: UUID | None
    priority: int
    valid_from: date | None
    valid_until: date | None


class Placement(TypedDict):
    """The fields of `Placed`."""

    of_resource: bool
    priority: int
    valid_from: date | None
    valid_until: date | None
    age: int


def placement(row: PlacedRow) -> Placement:
    """Where and when a stored row has its say. Ids grow with time, so the younger of two has the larger."""
    return {
        "of_resource": row.resource_id is not None,
        "priority": row.priority,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "age": row.id.int,
    }
