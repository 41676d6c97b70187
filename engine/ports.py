"""What the business needs from outside, as protocols; `server` wires the implementations."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from engine.payment import Dispute, Payment, PaymentKey, PaymentOrder, Refund
from engine.taxes.bill import ComesBack, TaxBill, TaxCalculation, TaxKey
from models.interval import Interval
from models.keys import BookingKey, EntryKey, ResourceKey, SeriesKey
from models.queries.timelines import TimelineView
from models.resource import Resource


class Clock(Protocol):
    """The instant now: aware, UTC. Holds end by the database's clock, never by this one."""

    def __call__(self) -> datetime: ...


class BookingTokens(Protocol):
    """What a guest without an account shows to see and manage one booking, one entry of a waitlist, or one series.

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

    def issue_series(self, key: SeriesKey) -> str: ...

    def verify_series(self, token: str) -> SeriesKey | None:
        """The series that the token opens, or None if it is not a token of this platform."""
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


class PaymentGateway(Protocol):
    """The payment provider. No call belongs into a transaction: one may take 20 seconds.

    Every call may be repeated, with one effect. Each raises PaymentUnavailable when the provider was not reached or did
    not say, and PaymentRefused when it will not do that.
    """

    async def open(self, order: PaymentOrder) -> Payment:
        """Make the payment that the buyer's browser then pays; repeated, the same one as it is now."""
        ...

    async def look(self, reference: str) -> Payment:
        """The payment as it is now."""
        ...

    async def enroll(self, booking: BookingKey) -> str:
        """The provider's reference of a customer for whom cards of this booking are kept; nothing is told of them."""
        ...

    async def pay(
        self, reference: str, key: PaymentKey, method: str, *, attempt: str, return_url: str | None
    ) -> Payment:
        """Pay an open payment with what the buyer has chosen, who is there; repeated with the same `attempt`, once.

        A bank that declines is no error: the payment is OPEN then, with its `failure`. If it wants the buyer, the
        payment AWAITS_BUYER, and has `next_url` if there is a `return_url` to come back to.
        """
        ...

    async def charge(self, reference: str, key: PaymentKey, method: str, *, attempt: int = 1) -> Payment:
        """Pay an open payment with a card that was kept, its owner not being there; each `attempt` is made once.

        A bank that declines, or wants the owner, is no error: the payment is OPEN then, with its `failure`.
        """
        ...

    async def capture(self, reference: str, key: PaymentKey, amount: int) -> Payment:
        """Take `amount` of what is held, and let the rest go. Of a payment that is captured already: as it is."""
        ...

    async def void(self, reference: str, key: PaymentKey) -> Payment:
        """End a payment that is not captured; what is held goes back. Of one that has ended already: as it is."""
        ...

    async def refund(self, reference: str, key: PaymentKey, amount: int) -> Refund:
        """Give `amount` of what was captured back; repeated with the same key, even days later, once."""
        ...

    async def disputes(self, reference: str) -> Sequence[Dispute]:
        """The disputes of the payment, at most 20; those in which a bank only asks, and has taken nothing, are none."""
        ...

    async def disputes_since(self, since: datetime) -> Sequence[Dispute]:
        """The disputes of all payments that have begun since, the latest first, at most 1,000; else as `disputes`."""
        ...


class TaxProvider(Protocol):
    """Who counts the taxes that a venue does not count by its own table (`engine.taxes.provided`).

    No call belongs into a transaction. Each raises PaymentUnavailable when the provider was not reached or did not say,
    and PaymentRefused when it will not do that, or can not.
    """

    async def calculate(self, bill: TaxBill) -> TaxCalculation:
        """What is owed of these amounts. Nothing comes of it unless it is recorded."""
        ...

    async def record(self, calculation: str, key: TaxKey) -> str:
        """Put on record that it was sold as calculated; repeated, once. The provider's reference of the record."""
        ...

    async def reverse(self, recorded: str, key: TaxKey, comes_back: ComesBack | None) -> str:
        """Take back what was recorded: of each item so much, or None: all of it; repeated, once."""
        ...


@dataclass(frozen=True, slots=True)
class OnlinePayments:
    """How this installation collects money; where it collects none, there is None in its place."""

    gateway: PaymentGateway
    publishable_key: str | None
    """What a browser pays with; None where only a server can."""
    checkout_seconds: int
    """How long a hold lasts at least from when its guest goes to pay."""
    retry_seconds: int
    """How long it lasts at least, once, after a payment has failed."""
    ceiling_seconds: int
    """How long at most after its guest went to pay first."""
