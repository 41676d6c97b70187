"""What a checker can find."""

from dataclasses import dataclass
from enum import StrEnum


class Promise(StrEnum):
    """What is promised, each as the fault that would break it."""

    LOST = "what was acknowledged is not there"
    CONTRADICTED = "what was answered is not what is there"
    TWICE = "a key had more than one effect"
    UNASKED = "there is an effect that nobody asked for"
    UNRESOLVED = "a call never came to an answer"
    OVERSOLD = "more was taken than there was"
    SHARED = "a party was joined that may not be"
    GAP = "a version is missing, or one too many"
    DRIFTED = "claims are not what bookings, capacity or history say"
    UNJUSTIFIED = "a refusal or an answer that no state in its time explains"
    STALE = "a watcher went backwards, ran ahead, or does not know the last version"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and where."""

    promise: Promise
    where: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.where}"
