"""waitlistChanged: an entry of a waitlist, now and with every change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from engine.waitlist import find_entry
from models.errors import NotFound
from models.keys import EntryKey
from models.waitlist import WaitlistEntry as WaitlistEntryRow
from models.waitlist import WaitlistStatus
from schema.context import Context
from schema.waitlist import WaitlistEntry

FINAL: Final = frozenset({WaitlistStatus.ACCEPTED, WaitlistStatus.LEFT, WaitlistStatus.EXPIRED, WaitlistStatus.LAPSED})


async def waitlist_changes(context: Context, key: EntryKey, token: str | None) -> AsyncGenerator[WaitlistEntry, None]:
    """The entry now, and each newer state of it that is seen; it ends by itself after a final one.

    Raises NotFound unless the viewer may see it, and as `engine.ports.LiveFeed.entry`.
    """
    opened = context.entry_opened_by(token)
    await _find(context, key, opened)  # before anything is watched: whether there is such an entry is not told
    shown = 0
    async with aclosing(context.feed.entry(key)) as versions:
        async for version in versions:
            if version <= shown:
                continue
            context.loaders.renew()
            entry = await _find(context, key, opened)
            shown = entry.version
            yield WaitlistEntry.of(entry, opened)
            if entry.status in FINAL:
                return


async def _find(context: Context, key: EntryKey, opened: EntryKey | None) -> WaitlistEntryRow:
    entry = await find_entry(context.database, context.viewer, key=key, opened_by_token=opened)
    if entry is None:
        raise NotFound("There is no such entry.", path=("entryId",))
    return entry
