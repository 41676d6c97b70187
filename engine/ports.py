"""What the business needs from outside, as protocols; `server` wires the implementations."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from models.interval import Interval
from models.keys import BookingKey, EntryKey, ResourceKey
from models.queries.timelines import TimelineView
from models.resource import Resource


class Clock(Protocol):
    """The instant now: aware, UTC. Holds end by the database's clock, never by this one."""

    def __call__(self) -> datetime: ...


class BookingTokens(Protocol):
    """What a guest without an account shows to see and manage one booking, or one entry of a waitlist.

    Issuing is a function of what it opens alone, so that a repeated bookingHold gives the same token again.
    """

    def issue(self, key: BookingKey) -> str: ...

    def verify(self, token: str) -> BookingKey | None:
        """The booking that the token opens, or None if it is not a token of this platform."""
        ...

    def issue_entry(self, key: EntryKey) -> str: ...

    def verify_entry(self, token: str) -> EntryKey | None:
        """The entry that the token opens, or None if it is not a token of this platform."""
        ...


class Watch(NamedTuple):
    """A resource that somebody watches over a window.

    `needs`: the other resources whose timelines decide over its vacancies. `after`: the version that the watcher has
    seen, None if it has seen nothing.
    """

    resource: ResourceKey
    window: Interval
    needs: tuple[ResourceKey, ...] = ()
    after: int | None = None


class Change(NamedTuple):
    """What happened to a watched resource after the version that the watcher had seen.

    `window` is all that may differ from what the watcher holds, and `views` are the timelines of the resource and of
    what it needs over that window, of one instant; `resource` is its row as of that version. `snapshot`: it replaces
    everything that the watcher holds, whatever versions it has seen.
    """

    resource: Resource
    window: Interval
    snapshot: bool
    views: Mapping[ResourceKey, TimelineView]

    @property
    def version(self) -> int:
        return self.resource.version


class LiveFeed(Protocol):
    """Pushes what changes, as it changes; made whole from the database, so that nothing is lost with a message."""

    def resources(self, watches: Sequence[Watch]) -> AsyncGenerator[Change, None]:
        """For each watch without `after` its state now, then every change in version order; several may be folded.

        Raises NotFound for an unknown resource, Busy when too many are watched or the database does not answer, and
        SLOW_CONSUMER when what was pushed is not taken. Close it to stop watching.
        """
        ...

    def booking(self, key: BookingKey) -> AsyncGenerator[int, None]:
        """The booking's version now, and then each later one that is seen, newest only. Raises as `resources`."""
        ...

    def entry(self, key: EntryKey) -> AsyncGenerator[int, None]:
        """The same of an entry of a waitlist."""
        ...
