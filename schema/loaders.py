"""What one operation loads, gathered: all that is asked for in one turn of the event loop shares a statement.

Each load opens a session of its own and closes it again: resolvers of one operation run concurrently, and a session
must not be shared between them. Keys carry their organization. Whether the viewer may see a row is not decided here;
but what is not published is read of the organizations only that the viewer belongs to, or holds a booking of.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeVar

from strawberry.dataloader import DataLoader

from engine.facts import ResourceFacts, load_facts_with_versions
from engine.promo_codes import CODES_MAX
from engine.viewer import Role, Viewer
from models.base import CreatedRow
from models.booking import BookingEvent
from models.database import Database, ReadSession
from models.keys import BookingKey, EntryKey, PriceKey, QuoteKey, ResourceKey, RuleKey, VenueKey
from models.ledger.records import BookingRecord
from models.payment import PaymentEvent, PaymentRow
from models.price import CancellationPolicy, PriceChange, PromoCode, Quote, TaxRule
from models.queries.bookings import EventPage, read_bookings, read_event_pages
from models.queries.catalog import (
    ResourcePage,
    Versions,
    read_organizations,
    read_resource_pages,
    read_rules,
    read_venues,
)
from models.queries.kept import read_kept_timelines
from models.queries.payments import read_outstanding, read_payment_events, read_payments
from models.queries.prices import (
    PriceChangePage,
    read_price_change_pages,
    read_promo_codes,
    read_quotes,
    read_settings,
    read_uses,
    read_venue_policies,
    read_venue_taxes,
)
from models.queries.rules import RuleChangePage, read_rule_change_pages, read_venue_rules
from models.queries.timelines import TimelineView
from models.queries.waitlist import read_entries
from models.resource import BookingRule, BookingRuleChange, Resource
from models.venue import Organization, Venue
from models.waitlist import WaitlistEntry
from schema.budget import Budget
from schema.gathered_counts import KEYS_MAX, GatheredCounts, TimelineQuestion

CatalogKey = TypeVar("CatalogKey", bound=tuple[uuid.UUID, uuid.UUID])
Asked = TypeVar("Asked")
Group = TypeVar("Group")
Found = TypeVar("Found")


class Loaders:
    """One per operation. What has been loaded once is not asked for again, until `renew`."""

    def __init__(self, database: Database, viewer: Viewer) -> None:
        self._database = database
        self._viewer = viewer
        self._opened: set[uuid.UUID] = set()
        self._lock = asyncio.Lock()
        self.renew()

    def renew(self) -> None:
        """Forget what was loaded and spent: called before each event of a subscription, and when an operation ends."""
        self.budget = Budget()
        for name in _MADE_WHEN_ASKED:
            vars(self).pop(name, None)
        self._versions: dict[ResourceKey, Versions] = {}

    @cached_property
    def organizations(self) -> DataLoader[uuid.UUID, tuple[Organization, bool] | None]:
        """With each whether it shows something to everybody."""
        return DataLoader(load_fn=self._read_organizations, max_batch_size=KEYS_MAX)

    @cached_property
    def venues(self) -> DataLoader[VenueKey, Venue | None]:
        """Those that the viewer may see, or was shown a booking of."""
        return self._by_key(read_venues)

    @cached_property
    def facts(self) -> DataLoader[ResourceKey, ResourceFacts | None]:
        """As they are now."""
        return DataLoader(load_fn=self._load_facts, max_batch_size=KEYS_MAX)

    @cached_property
    def rules(self) -> DataLoader[RuleKey, tuple[BookingRule, Venue] | None]:
        """Each with its venue; removed ones for staff."""
        return DataLoader(load_fn=self._read_rules, max_batch_size=KEYS_MAX)

    @cached_property
    def venue_rules(self) -> DataLoader[VenueKey, list[BookingRule] | None]:
        """Those that are the venue's own."""
        return self._by_key(read_venue_rules)

    @cached_property
    def rule_change_pages(self) -> DataLoader[RuleChangePage, Sequence[BookingRuleChange]]:
        """Of one rule each."""
        return self._by_organization(_in_order(read_rule_change_pages), lambda page: page.rule.organization_id, ())

    @cached_property
    def price_change_pages(self) -> DataLoader[PriceChangePage, Sequence[PriceChange]]:
        """Of one rate plan, price rule, promo code, tax or policy each."""
        return self._by_organization(_in_order(read_price_change_pages), lambda page: page.setting.organization_id, ())

    @cached_property
    def settings(self) -> DataLoader[tuple[type[CreatedRow], PriceKey], CreatedRow | None]:
        """Rate plans, price rules, promo codes, taxes and policies by kind and key, removed ones too: for staff."""
        return DataLoader(load_fn=self._read_settings, max_batch_size=KEYS_MAX)

    @cached_property
    def promo_uses(self) -> DataLoader[PriceKey, int]:
        """How many bookings use a promo code now."""
        return self._by_organization(read_uses, lambda key: key.organization_id, 0)

    @cached_property
    def promo_codes(self) -> DataLoader[VenueKey, list[PromoCode]]:
        """Of one venue each."""
        return DataLoader(load_fn=self._read_promo_codes, max_batch_size=KEYS_MAX)

    @cached_property
    def venue_taxes(self) -> DataLoader[VenueKey, list[TaxRule] | None]:
        """Those that are the venue's own."""
        return self._by_key(read_venue_taxes)

    @cached_property
    def venue_policies(self) -> DataLoader[VenueKey, list[CancellationPolicy] | None]:
        """Those that are the venue's own."""
        return self._by_key(read_venue_policies)

    @cached_property
    def quotes(self) -> DataLoader[QuoteKey, Quote | None]:
        """Of any organization: who may see one is asked of what comes back."""
        return self._by_organization(read_quotes, lambda key: key.organization_id, None)

    @cached_property
    def bookings(self) -> DataLoader[BookingKey, BookingRecord | None]:
        """Of any organization: who may see one is asked of what comes back."""
        return DataLoader(load_fn=self._read_bookings, max_batch_size=KEYS_MAX)

    @cached_property
    def payments(self) -> DataLoader[BookingKey, Sequence[PaymentRow]]:
        """Of one booking each."""
        return self._by_organization(read_payments, lambda key: key.organization_id, ())

    @cached_property
    def outstanding(self) -> DataLoader[BookingKey, int]:
        """What is to be paid now of one booking each."""
        return self._by_organization(read_outstanding, lambda key: key.organization_id, 0)

    @cached_property
    def payment_events(self) -> DataLoader[BookingKey, Sequence[PaymentEvent]]:
        """Of one booking each."""
        return self._by_organization(read_payment_events, lambda key: key.organization_id, ())

    @cached_property
    def entries(self) -> DataLoader[EntryKey, WaitlistEntry | None]:
        """Of waitlists."""
        return DataLoader(load_fn=self._read_entries, max_batch_size=KEYS_MAX)

    @cached_property
    def resource_pages(self) -> DataLoader[ResourcePage, list[Resource]]:
        """Of one venue each."""
        return DataLoader(load_fn=self._read_resource_pages, max_batch_size=KEYS_MAX)

    @cached_property
    def event_pages(self) -> DataLoader[EventPage, Sequence[BookingEvent]]:
        """Of one booking each."""
        return self._by_organization(_in_order(read_event_pages), lambda page: page.booking.organization_id, ())

    @cached_property
    def counts(self) -> GatheredCounts:
        """What rules count."""
        return GatheredCounts(self._database, self._viewer, self._turn)

    async def facts_anew(self, key: ResourceKey) -> ResourceFacts | None:
        """The facts as they are now, whatever was loaded before."""
        self.facts.clear(key)
        return await self.facts.load(key)

    @cached_property
    def _timelines(self) -> DataLoader[tuple[TimelineQuestion, ...], list[TimelineView]]:
        """What is asked for at once is read in one statement. Not kept: with what is read later it would be of two."""
        return DataLoader(load_fn=self._read_timelines, max_batch_size=KEYS_MAX, cache=False)

    async def timelines(self, questions: Sequence[TimelineQuestion]) -> Sequence[TimelineView]:
        """The `load` of engine.availability. InvalidInput when the operation has looked at too much already."""
        for _, window in questions:
            self.budget.spend_timeline(window)
        return await self._timelines.load(tuple(questions))

    async def timelines_anew(self, questions: Sequence[TimelineQuestion]) -> Sequence[TimelineView]:
        """The same as they are now, for who has facts of their own: not by versions that were told before."""
        self._versions = {}
        return await self.timelines(questions)

    async def timelines_alone(self, questions: Sequence[TimelineQuestion]) -> Sequence[TimelineView]:
        """The same, then a turn: for who needs nothing but timelines."""
        views = await self.timelines(questions)
        await self._turn()
        return views

    async def _turn(self) -> None:
        """Many resolvers wait here, and each has much to compute from now on. They go on one at a time.

        So other operations get a turn between two, and what some have spent by then counts for the rest: InvalidInput
        when that was too much.
        """
        async with self._lock:
            await asyncio.sleep(0)
        self.budget.spend_elements(0)

    def open(self, organization_id: uuid.UUID) -> None:
        """The viewer was shown a booking of this organization: what it is of is shown too, published or not."""
        if organization_id not in self._opened:
            self._opened.add(organization_id)
            for loader in (self.organizations, self.venues):
                loader.clear_all()

    def _catalogs(self, organization_ids: Iterable[uuid.UUID], role: Role = Role.STAFF) -> set[uuid.UUID]:
        """Those of which this operation may read what is not published."""
        asked = set(organization_ids)
        return self._opened & asked | set(self._viewer.own(asked, role))

    async def _read_timelines(self, asked: list[tuple[TimelineQuestion, ...]]) -> list[list[TimelineView]]:
        answers: list[list[TimelineView]] = []
        for some in _portions(asked):
            questions = list(dict.fromkeys(chain.from_iterable(some)))
            own = self._catalogs(key.organization_id for key, _ in questions)
            views = await read_kept_timelines(self._database, questions, own=own, versions=self._versions)
            found = dict(zip(questions, views, strict=True))
            answers += [[found[question] for question in together] for together in some]
        return answers

    async def _read_organizations(self, ids: list[uuid.UUID]) -> list[tuple[Organization, bool] | None]:
        async with self._database.reading(catalogs=self._catalogs(ids, Role.CUSTOMER)) as session:
            found = await read_organizations(session, ids)
        return [found.get(id_) for id_ in ids]

    async def _read_resource_pages(self, pages: list[ResourcePage]) -> list[list[Resource]]:
        catalogs = self._catalogs(page.venue.organization_id for page in pages)
        async with self._database.reading(catalogs=catalogs) as session:
            return await read_resource_pages(session, pages)

    async def _read_bookings(self, keys: list[BookingKey]) -> list[BookingRecord | None]:
        """A unit of work for each organization that the viewer belongs to, and one, for none, for all others."""
        own = set(self._viewer.own((key.organization_id for key in keys), Role.CUSTOMER))

        def scope(key: BookingKey) -> uuid.UUID | None:
            return key.organization_id if key.organization_id in own else None

        found: dict[BookingKey, BookingRecord] = {}
        for organization_id, some in _grouped(keys, scope):
            async with self._database.reading(organization_id) as session:
                found |= await read_bookings(session, some)
        return [found.get(key) for key in keys]

    async def _read_rules(self, keys: list[RuleKey]) -> list[tuple[BookingRule, Venue] | None]:
        """A unit of work for each organization of whose staff the viewer is: they see removed ones. One for others."""
        own = set(self._viewer.own((key.organization_id for key in keys), Role.STAFF))

        def scope(key: RuleKey) -> uuid.UUID | None:
            return key.organization_id if key.organization_id in own else None

        found: dict[RuleKey, tuple[BookingRule, Venue]] = {}
        for organization_id, some in _grouped(keys, scope):
            async with self._database.reading(organization_id, catalogs=self._opened) as session:
                found |= await read_rules(session, some)
        return [found.get(key) for key in keys]

    async def _read_settings(self, asked: list[tuple[type[CreatedRow], PriceKey]]) -> list[CreatedRow | None]:
        found: dict[tuple[type[CreatedRow], PriceKey], CreatedRow] = {}
        for (model, organization_id), some in _grouped(asked, lambda one: (one[0], one[1].organization_id)):
            async with self._database.reading(organization_id) as session:
                rows = await read_settings(session, model, [key for _, key in some])
            found |= {(model, key): row for key, row in rows.items()}
        return [found.get(one) for one in asked]

    async def _read_promo_codes(self, venues: list[VenueKey]) -> list[list[PromoCode]]:
        found: dict[VenueKey, list[PromoCode]] = defaultdict(list)
        for organization_id, some in _grouped(venues, lambda key: key.organization_id):
            async with self._database.reading(organization_id) as session:
                for row in await read_promo_codes(session, some, limit=CODES_MAX * len(some)):
                    found[VenueKey(organization_id, row.venue_id)].append(row)
        return [found[venue] for venue in venues]

    async def _read_entries(self, keys: list[EntryKey]) -> list[WaitlistEntry | None]:
        found = await read_entries(self._database, keys)
        return [found.get(key) for key in keys]

    async def _load_facts(self, keys: list[ResourceKey]) -> list[ResourceFacts | None]:
        # Who asks for facts asks for timelines next: these are of one instant, so an older answer is not added to.
        found, self._versions = await load_facts_with_versions(self._database, keys)
        return [found.get(key) for key in keys]

    def _by_key(
        self, read: Callable[[ReadSession, Sequence[CatalogKey]], Awaitable[Mapping[CatalogKey, Found]]]
    ) -> DataLoader[CatalogKey, Found | None]:
        async def load(keys: list[CatalogKey]) -> list[Found | None]:
            catalogs = self._catalogs(organization_id for organization_id, _ in keys)
            async with self._database.reading(catalogs=catalogs) as session:
                found = await read(session, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load, max_batch_size=KEYS_MAX)

    def _by_organization(
        self,
        read: Callable[[ReadSession, list[Asked]], Awaitable[Mapping[Asked, Found]]],
        organization_of: Callable[[Asked], uuid.UUID],
        missing: Found,
    ) -> DataLoader[Asked, Found]:
        """Of rows that are seen from their own organization only: a unit of work for each."""

        async def load(asked: list[Asked]) -> list[Found]:
            found: dict[Asked, Found] = {}
            for organization_id, some in _grouped(asked, organization_of):
                async with self._database.reading(organization_id) as session:
                    found |= await read(session, some)
            return [found.get(one, missing) for one in asked]

        return DataLoader(load_fn=load, max_batch_size=KEYS_MAX)


_MADE_WHEN_ASKED = tuple(name for name, value in vars(Loaders).items() if isinstance(value, cached_property))
"""Few operations need more than a few of them, and making all took longer than many an operation's resolvers."""


def _portions(asked: Iterable[tuple[TimelineQuestion, ...]]) -> Iterator[list[tuple[TimelineQuestion, ...]]]:
    """What is read in one statement each: no more keys than go into one, but what belongs together whole."""
    some: list[tuple[TimelineQuestion, ...]] = []
    count = 0
    for together in asked:
        if some and count + len(together) > KEYS_MAX:
            yield some
            some, count = [], 0
        some.append(together)
        count += len(together)
    if some:
        yield some


def _grouped(asked: Sequence[Asked], by: Callable[[Asked], Group]) -> Iterable[tuple[Group, list[Asked]]]:
    groups: dict[Group, list[Asked]] = defaultdict(list)
    for each in asked:
        groups[by(each)].append(each)
    return groups.items()


def _in_order(
    read: Callable[[ReadSession, list[Asked]], Awaitable[Sequence[Found]]],
) -> Callable[[ReadSession, list[Asked]], Awaitable[Mapping[Asked, Found]]]:
    """Of what is answered in the order of the questions, what is answered by question."""

    async def found(session: ReadSession, asked: list[Asked]) -> Mapping[Asked, Found]:
        return dict(zip(asked, await read(session, asked), strict=True))

    return found
