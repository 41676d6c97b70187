"""One look into the database for many watches: what each has missed since the version that it was told.

Each watch is answered from its own version, so nothing depends on which hints arrived. Watches that ask the same
share the question; two statements in one snapshot answer all.
"""

from collections.abc import Iterable, Sequence

from engine.ports import Change
from models.database import Database
from models.errors import NotFound
from models.interval import Interval
from models.keys import ResourceKey
from models.queries.live import (
    NEVER,
    Connection,
    Moved,
    one_snapshot,
    read_booking_versions,
    read_entry_versions,
    read_moved,
)
from models.queries.timelines import TimelineView, read_timelines_on
from subscriptions.watchers import BookingWatch, EntryWatch, ResourceWatch, Watch

TIMELINES_PER_STATEMENT_MAX = 100

Question = tuple[ResourceKey, Interval]


async def refresh(database: Database, watches: Sequence[Watch]) -> None:
    """Offer each watcher what it has missed, if anything. What does not exist ends its watcher with NotFound.

    Nothing is offered, and no version moves on, unless all could be read.
    """
    bookings = [watch for watch in watches if isinstance(watch, BookingWatch)]
    entries = [watch for watch in watches if isinstance(watch, EntryWatch)]
    resources = [watch for watch in watches if isinstance(watch, ResourceWatch)]
    async with one_snapshot(database) as connection:
        versions = await read_booking_versions(connection, [watch.booking for watch in bookings])
        entry_versions = await read_entry_versions(connection, [watch.entry for watch in entries])
        moved = await _read_moved(connection, resources)
        due = [_Due(watch, moved) for watch in resources]
        views = await _read_views(connection, due)
    for watch, version in zip(bookings, versions, strict=True):
        _offer_version(watch, version, "bookingId")
    for entry_watch, version in zip(entries, entry_versions, strict=True):
        _offer_version(entry_watch, version, "entryId")
    for each in due:
        each.offer(views)


class _Due:
    """What a watch of a resource has to be offered."""

    def __init__(self, watch: ResourceWatch, moved: dict[tuple[ResourceKey, int], Moved | None]) -> None:
        self.watch = watch
        found = {key: moved[key, watch.versions.get(key, NEVER)] for key in watch.keys}
        self.is_unknown = None in found.values()
        self.versions = {key: each.version for key, each in found.items() if each is not None}
        self.snapshot = False
        self.window: Interval | None = None
        if self.is_unknown or self.versions == watch.versions:
            return
        own = found[watch.resource]
        assert own is not None
        # The row of a version is kept: there is none to be read when only what it needs has moved.
        watch.row = own.resource or watch.row
        # What it needs may have changed elsewhere than its own timeline: then all of it is told again.
        self.snapshot = bool(watch.needs) or not own.is_known
        self.window = watch.window if self.snapshot else own.within(watch.window)

    @property
    def questions(self) -> list[Question]:
        return [] if self.window is None else [(key, self.window) for key in self.watch.keys]

    def offer(self, views: dict[Question, TimelineView]) -> None:
        watch = self.watch
        if self.is_unknown:
            watch.watcher.end(NotFound("Not found.", path=("resourceIds",)))
            return
        watch.versions = self.versions
        if self.window is not None:
            assert watch.row is not None, "read with the first version"
            found = {key: views[key, self.window] for key in watch.keys}
            watch.watcher.offer(Change(watch.row, self.window, self.snapshot, found))


def _offer_version(watch: BookingWatch | EntryWatch, version: int | None, argument: str) -> None:
    if version is None:
        watch.watcher.end(NotFound("Not found.", path=(argument,)))
    elif version != watch.version:
        watch.version = version
        watch.watcher.offer(version)


async def _read_moved(
    connection: Connection, watches: Iterable[ResourceWatch]
) -> dict[tuple[ResourceKey, int], Moved | None]:
    asked = list(dict.fromkeys((key, watch.versions.get(key, NEVER)) for watch in watches for key in watch.keys))
    return dict(zip(asked, await read_moved(connection, asked), strict=True))


async def _read_views(connection: Connection, due: Iterable[_Due]) -> dict[Question, TimelineView]:
    questions = list(dict.fromkeys(question for each in due for question in each.questions))
    views: dict[Question, TimelineView] = {}
    for first in range(0, len(questions), TIMELINES_PER_STATEMENT_MAX):
        some = questions[first : first + TIMELINES_PER_STATEMENT_MAX]
        own = {key.organization_id for key, _ in some}  # who may see what is not published was asked when they began
        views.update(zip(some, await read_timelines_on(connection, some, own=own), strict=True))
    return views
