"""The simulator's clock: the machine's, and ahead of it by what a test has moved it.

Seven days pass in one call. Signatures of webhooks are stamped by the machine's clock, or they would be refused.
"""

import time
from typing import Final

AHEAD_SECONDS_MAX: Final = 10 * 366 * 24 * 3_600


class Clock:
    """Whole seconds since 1970, as Stripe tells instants. It only ever goes forward."""

    def __init__(self, ahead_seconds: int = 0) -> None:
        self.ahead_seconds = ahead_seconds

    def now(self) -> int:
        """The simulated instant."""
        return int(time.time()) + self.ahead_seconds

    def advance(self, seconds: int) -> None:
        """Let `seconds` pass at once. Raises ValueError when that is negative, or more than ten years in all."""
        if seconds < 0 or self.ahead_seconds + seconds > AHEAD_SECONDS_MAX:
            raise ValueError(f"seconds must be at least 0, and {AHEAD_SECONDS_MAX} in all at most")
        self.ahead_seconds += seconds
