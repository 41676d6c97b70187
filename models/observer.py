"""What may be counted and timed of the work below `server`: a protocol that knows nothing of who counts."""

from typing import Protocol


class Observer(Protocol):
    """Told what has happened, in passing: it must not raise, and it must not wait."""

    def called(self, transaction: str, seconds: float, error: BaseException | None) -> None:
        """A transaction has ended: one call of a function of the database, by its name, or a session's block.

        `seconds` are as seen from here: the way there and back, waiting for locks, the commit. `error` as it was
        raised, None for a refusal too, which is an answer.
        """

    def admitted(self, outcome: str) -> None:
        """A hold was asked for: HELD, REPLAYED, DEFECT, or the code of its refusal."""

    def ended(self, holds: int) -> None:
        """So many holds that were over have been ended by the sweeper."""

    def published(self, seconds: list[float]) -> None:
        """Hints have been published, so many seconds after the commit of what they tell of."""

    def timelines_read(self, source: str, count: int) -> None:
        """So many timelines were read from `source`: memory, redis or database. Only where timelines are kept."""

    def looked(self, refused: bool) -> None:
        """A hold looked to be refused by what is kept; `refused`: that was so, and the ledger was not asked."""


class Unobserved:
    """Nobody counts."""

    def called(self, transaction: str, seconds: float, error: BaseException | None) -> None:
        """Nothing."""

    def admitted(self, outcome: str) -> None:
        """Nothing."""

    def ended(self, holds: int) -> None:
        """Nothing."""

    def published(self, seconds: list[float]) -> None:
        """Nothing."""

    def timelines_read(self, source: str, count: int) -> None:
        """Nothing."""

    def looked(self, refused: bool) -> None:
        """Nothing."""
