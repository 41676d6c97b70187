"""A circuit breaker: who fails again and again is left alone for a while, and then asked once."""

import time
from collections.abc import Callable
from typing import Final

FAILURES_MAX: Final = 5
PAUSE_SECONDS: Final = 10.0


class Breaker:
    """Counts failures in a row. Closed at first; open after `failures_max`, for `pause_seconds`; then one probe.

    Not for threads. Whoever `may_try` tells afterwards how it went, or the probe would be waited for in vain: after
    another pause the next is let through in any case.
    """

    def __init__(
        self,
        *,
        failures_max: int = FAILURES_MAX,
        pause_seconds: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_max = failures_max
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._failures = 0
        self._closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether nobody is let through now."""
        return self._failures >= self._failures_max and self._clock() < self._closed_again_at

    def may_try(self) -> bool:
        """Whether to try. While it has been open, only one may at a time."""
        if self._failures < self._failures_max:
            return True
        if self._clock() < self._closed_again_at:
            return False
        self._closed_again_at = self._clock() + self._pause_seconds  # for all others, until the probe is back
        return True

    def succeeded(self) -> None:
        """It answered, be it with a refusal."""
        self._failures = 0

    def failed(self) -> None:
        """It did not answer."""
        self._failures += 1
        if self._failures >= self._failures_max:
            self._closed_again_at = self._clock() + self._pause_seconds
