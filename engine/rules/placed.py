"""Where and when something that was set has its say."""

from dataclasses import dataclass
from datetime import date


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
