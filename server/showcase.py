"""What the home page and the welcome show: published venues with their resources, and commands that can be pasted."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from engine.availability import slots
from engine.calendar import calendar
from engine.counts import Counts
from engine.current import while_current
from engine.facts import ResourceFacts, facts_anew, load_facts
from engine.timeline import EffectiveTimeline, effective_timeline
from models import civil
from models.database import Database
from models.interval import Interval
from models.keys import ResourceKey, VenueKey
from models.queries.catalog import ResourcePage, page_of_venues, read_resource_pages
from models.queries.timelines import read_timelines
from models.resource import AvailabilityType
from models.venue import Venue
from schema.global_id import GlobalKind, encode
from server.settings import DEFAULT_HOST, DEFAULT_PORT, Settings

VENUES_MAX: Final = 10
RESOURCES_PER_VENUE_MAX: Final = 12
DEFAULT_URL: Final = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
FRESH_KEY: Final = "@key@"  # no id has an @, so that none is taken for it
SHOWN: Final = timedelta(days=7)

ASK: Final = (
    "query($slug: String!) { venue(slug: $slug) { name timeZone resources { edges { node "
    "{ id slug name capacity version } } } } }"
)
HOLD: Final = (
    "mutation($input: BookingHoldInput!) { bookingHold(input: $input) "
    "{ booking { id reference status holdSecondsLeft } token errors { code message } } }"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A resource, and how its vacancies go over the next seven days."""

    facts: ResourceFacts
    timeline: EffectiveTimeline


async def read_showcase(database: Database, now: datetime) -> list[tuple[Venue, list[Shown]]]:
    """The first published venues by slug, each with its first resources. Seven statements, however many they are."""
    async with database.reading() as session:
        venues = await page_of_venues(session, own=None, everything=False, after=None, limit=VENUES_MAX)
        places = [VenueKey(venue.organization_id, venue.id) for venue in venues]
        pages = [ResourcePage(place, RESOURCES_PER_VENUE_MAX) for place in places]
        listed = await read_resource_pages(session, pages) if pages else []
        keys = [ResourceKey(each.organization_id, each.id) for page in listed for each in page]
    facts = await load_facts(database, keys)
    window = Interval(now, now + SHOWN)
    needed = list(dict.fromkeys(view for each in facts.values() for view in each.needed))
    views = dict(zip(needed, await read_timelines(database, [(key, window) for key in needed]), strict=True))
    shown = {key: Shown(each, effective_timeline(each, views, window)) for key, each in facts.items()}
    return [
        (venue, [shown[ResourceKey(each.organization_id, each.id)] for each in page])
        for venue, page in zip(venues, listed, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Examples:
    """Commands for a shell, to be pasted as they are: `ask` and `hold` with curl, `watch` with our own client."""

    ask: str
    watch: str
    hold: str


async def read_examples(database: Database, base_url: str, now: datetime) -> Examples | None:
    """Commands about the first published resource; None if there is none."""
    venues = await read_showcase(database, now)
    found = next(((venue, shown[0]) for venue, shown in venues if shown), None)
    if found is None:
        return None
    venue, shown = found
    watch = f".venv/bin/python -m server.watch {shlex.quote(venue.slug)} {shlex.quote(shown.facts.resource.slug)}"
    if base_url != DEFAULT_URL:
        watch += f" --url {shlex.quote(base_url)}"
    item = {"resourceId": _id(shown.facts), "quantity": 1, **await _bookable_time(database, shown.facts, now)}
    hold = {"input": {"idempotencyKey": FRESH_KEY, "items": [item], "contact": {"name": "Ada"}}}
    return Examples(
        ask=_curl(base_url, ASK, {"slug": venue.slug}),
        watch=watch,
        # A fresh key with every paste: the same one would be answered with the booking that it made.
        hold=_curl(base_url, HOLD, hold).replace(FRESH_KEY, "'paste-$(date +%s)-$RANDOM-$$'"),
    )


def base_url(settings: Settings) -> str:
    """Where a browser or a client on this machine finds the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not bound, shown
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _curl(base_url: str, query: str, variables: Mapping[str, Any]) -> str:
    body = json.dumps({"query": query, "variables": variables})
    return f"curl -s {base_url}/graphql -H 'Content-Type: application/json' -d {shlex.quote(body)}"


def _id(facts: ResourceFacts) -> str:
    return encode(GlobalKind.RESOURCE, *facts.key)


async def _bookable_time(database: Database, facts: ResourceFacts, now: datetime) -> dict[str, Any]:
    """The first time from tomorrow on at which one unit can be booked, as the API takes it; else tomorrow's first."""
    reading: Any = {"load": partial(read_timelines, database), "counts": Counts(database), "now": now}
    again = partial(facts_anew, database)
    tomorrow = civil.local_day(now, facts.zone) + timedelta(days=1)
    if facts.resource.availability_type == AvailabilityType.NIGHTLY:
        ask_days = partial(calendar, first=tomorrow, last=tomorrow + SHOWN, **reading)
        nights = await while_current(facts, ask_days, again)
        night = next((each.date for each in nights if each.bookable), tomorrow)
        return {"stay": {"arrival": str(night), "departure": str(night + timedelta(days=1))}}
    start = civil.civil_day(tomorrow, facts.zone).starts_at
    offered = await while_current(facts, partial(slots, window=Interval(start, start + SHOWN), **reading), again)
    slot = next((each.interval for each in offered if each.bookable), Interval(start, start + timedelta(hours=1)))
    shown = (each.astimezone(facts.zone).isoformat() for each in (slot.starts_at, slot.ends_at))
    return {"window": dict(zip(("startsAt", "endsAt"), shown, strict=True))}
