"""The ledger in PostgreSQL, asked as the application asks it, with a clock that stands until it is moved."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

import asyncpg

from engine.holds import new_reference
from models.base import new_id
from models.database import Database
from models.errors import BookingError
from models.interval import Interval
from models.ledger import calls, requests
from models.ledger.records import BookingRecord
from models.ledger.series import HoldSeries, SeriesAnswer, SeriesDate, hold_series, key_of_date
from models.ledger.series_changes import ChangeSeries, change_series
from models.resource import Resource
from tests.models.ledger.model.asks import (
    DAWN,
    SLOT,
    Adjust,
    Answer,
    Ask,
    Change,
    ChangeAll,
    Hold,
    Item,
    Part,
    Rebook,
    Series,
    content,
    instant,
    slot_of,
)
from tests.models.ledger.model.oracle import BY_RULE
from tests.models.ledger.model.room import Step
from tests.models.ledger.model.waiting import OF_NAME_MAX, WAITING_MAX
from tests.support.clock import move_clock
from tests.support.factories import command_of

SWEPT_MAX = 100
FOLDED_MAX = 1_000
LAPSED_MAX = 1_000

STORED = """
    SELECT (SELECT jsonb_object_agg(id, version) FROM resource WHERE organization_id = $1),
           (SELECT coalesce(jsonb_agg(jsonb_build_array(id, status, version, hold_expires_at)), '[]')
              FROM booking WHERE organization_id = $1),
           (SELECT coalesce(jsonb_agg(jsonb_build_array(id, status, version, offers, booking_id)), '[]')
              FROM waitlist_entry WHERE organization_id = $1),
           (SELECT jsonb_object_agg(resource_id, points) FROM (
               SELECT resource_id, jsonb_agg(
                          jsonb_build_array(greatest(at, $2), capacity, taken, closed, sharing_key) ORDER BY at
                      ) AS points
                 FROM timeline WHERE organization_id = $1 GROUP BY resource_id
           ) steps)
"""

State = tuple[str, int, int | None]


@dataclass(frozen=True)
class Stored:
    """What is stored, by the names and numbers of the model.

    Of every resource its version and its change points; of every booking its status, its version and the slot at which
    it is over; of every entry its status, its version, its number of offers and its booking.
    """

    versions: dict[str, int]
    bookings: dict[int, State]
    entries: dict[int, tuple[str, int, int, int | None]]
    steps: dict[str, dict[int, Step]]


@dataclass
class World:
    """One organization in the ledger, and the names by which the model knows what is in it."""

    database: Database
    owner: asyncpg.Connection
    resources: Mapping[str, Resource]
    bookings: dict[int, uuid.UUID] = field(default_factory=dict)
    numbers: dict[uuid.UUID, int] = field(default_factory=dict)
    entries: dict[int, uuid.UUID] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)

    @property
    def organization_id(self) -> uuid.UUID:
        return next(iter(self.resources.values())).organization_id

    async def answer(self, ask: Ask) -> Answer:
        """What the ledger says; what the database itself refuses is told by the name of its constraint or its state."""
        try:
            match ask:
                case Series():
                    return await self._series(ask)
                case ChangeAll():
                    return await self._change_all(ask)
                case _:
                    return "DONE", await self._done(ask)
        except BookingError as refusal:
            return refusal.code, None
        except asyncpg.PostgresError as error:
            return "DATABASE", error.constraint_name or error.sqlstate

    async def sweep(self, *, patient: bool) -> int:
        """The sweeper's function, as the worker calls it."""
        ended: int = await self.database.ledger.fetchval(
            "SELECT worker_expire_over($1, $2, $3)", self.organization_id, SWEPT_MAX, patient
        )
        return ended

    async def join(self, number: int, item: Item, name: str) -> str:
        """As the application joins a waitlist."""
        self.entries[number] = new_id()
        self.joined[str(self.entries[number])] = number
        entry = {
            "id": self.entries[number],
            "resource_id": self.resources[item.resource].id,
            "starts_at": instant(item.start),
            "ends_at": instant(item.end),
            "lapses_at": instant(item.start),
            "quantity": item.quantity,
            "activity": item.activity,
            "contact_email": f"{name}@example.com",
            "actor": name,
            "waiting_max": WAITING_MAX,
            "party_max": OF_NAME_MAX,
        }
        return await self._waitlist("join", json.dumps(entry, default=str))

    async def leave(self, number: int) -> str:
        """As the application leaves a waitlist."""
        return await self._waitlist("leave", self.entries[number], "somebody")

    async def lapse(self) -> None:
        """As the worker ends entries whose time has come, of every organization."""
        await self.database.ledger.execute("SELECT worker_lapse_waiting($1)", LAPSED_MAX)

    async def fold(self) -> dict[str, int]:
        """The past folded, all of it, as the worker would; where each resource was ever folded to."""
        await self.database.ledger.fetchval("SELECT worker_fold('0', $1, $2)", FOLDED_MAX, FOLDED_MAX)
        rows = await self.owner.fetch(
            "SELECT id, folded_until FROM resource WHERE organization_id = $1 AND folded_until IS NOT NULL",
            self.organization_id,
        )
        folded = {row["id"]: slot_of(row["folded_until"]) for row in rows}
        return {name: folded[each.id] for name, each in self.resources.items() if each.id in folded}

    async def move_clock(self, slot: int) -> None:
        """Now is the beginning of this slot."""
        await move_clock(self.owner, instant(slot))

    async def stored(self) -> "Stored":
        """All that there is, in one statement: a look after every step is most of what the machine costs."""
        row = await self.owner.fetchrow(STORED, self.organization_id, instant(0))
        versions, bookings, entries, steps = (json.loads(column) for column in row)
        names = {str(resource.id): name for name, resource in self.resources.items()}
        return Stored(
            {names[id_]: version for id_, version in versions.items()},
            {
                self._number(id_): (status, version, None if ends is None else slot_of(datetime.fromisoformat(ends)))
                for id_, status, version, ends in bookings
            },
            {
                self.joined[id_]: (status, version, offers, None if booking is None else self._number(booking))
                for id_, status, version, offers, booking in entries
            },
            {
                names[id_]: {
                    slot_of(datetime.fromisoformat(at)): (capacity, taken, closed, self._own(key))
                    for at, capacity, taken, closed, key in points
                }
                for id_, points in steps.items()
            },
        )

    async def _done(self, ask: Hold | Change | Rebook | Part | Adjust) -> object:
        command = self._command(ask)
        match ask:
            case Hold():
                return self._told(await calls.hold(self.database, self._hold(ask, command)))
            case Change():
                change = requests.ChangeBooking(
                    command, self.bookings[ask.booking], ask.action, expected_version=ask.expected
                )
                return self._told(await calls.change_booking(self.database, change))
            case Rebook():
                held = self._hold(Hold(ask.key, ask.booking, ask.items), command)
                rebook = requests.Rebook(held, expected_version=ask.expected)
                return self._told(await calls.rebook(self.database, rebook))
            case Part():
                part = requests.CancelItem(command, self.bookings[ask.booking], ask.position, ask.quantity)
                return self._told(await calls.cancel_item(self.database, part))
            case Adjust():
                adjust = requests.Adjust(
                    command,
                    self.resources[ask.resource].id,
                    None if ask.start is None else instant(ask.start),
                    None if ask.end is None else instant(ask.end),
                    ask.capacity,
                    ask.closed,
                    expected_version=ask.expected,
                )
                return await calls.adjust(self.database, adjust)
        assert_never(ask)

    async def _series(self, ask: Series) -> Answer:
        """Of each date the booking, or why there is none; one that could have been had is told as nothing."""
        series_id, dates = new_id(), []
        for position, hold in enumerate(ask.holds()):
            command = replace(self._command(ask), key=key_of_date(series_id, position))
            asked = replace(self._hold(hold, command), series_id=series_id, series_position=position)
            dates.append(SeriesDate(DAWN.date(), asked.items[0].interval, asked))
        if ask.is_refused:
            dates.append(SeriesDate(DAWN.date(), None, refusals=({"code": BY_RULE},)))
        request = HoldSeries(self._command(ask), series_id, ask.all_or_none, tuple(dates))
        record = await hold_series(self.database, request)
        return "REFUSED" if record.id is None else "DONE", tuple(self._told_date(one) for one in record.answers)

    async def _change_all(self, ask: ChangeAll) -> Answer:
        ids = tuple(self.bookings[number] for number in ask.bookings)
        changes = await change_series(self.database, ChangeSeries(self._command(ask), ids, ask.action))
        codes = tuple(None if one.error is None else one.error.code for one in changes)
        if None not in codes:
            return "REFUSED", codes
        return "DONE", tuple((*self._told(one.record), code) for one, code in zip(changes, codes, strict=True))

    def _command(self, ask: Ask) -> requests.Command:
        return command_of(self.organization_id, key=ask.key, asks=repr(content(ask)))

    def _hold(self, ask: Hold, command: requests.Command) -> requests.Hold:
        booking_id = self.bookings.setdefault(ask.booking, new_id())
        self.numbers[booking_id] = ask.booking
        items = [
            requests.HoldItem(
                self.resources[item.resource].id,
                Interval(instant(item.start), instant(item.end)),
                item.quantity,
                item.activity,
            )
            for item in ask.items
        ]
        return requests.Hold(
            command,
            booking_id,
            new_reference(),
            tuple(items),
            approval_seconds=None if ask.approval is None else seconds(ask.approval),
            expected={} if ask.expected is None else {items[0].resource_id: ask.expected},
            offer=None if ask.offer is None else requests.Offer(self.entries[ask.offer[0]], ask.offer[1]),
        )

    def _told(self, record: BookingRecord) -> tuple[int, str, int, int | None]:
        booking = record.booking
        return self.numbers[booking.id], *_state(booking.status, booking.version, booking.hold_expires_at)

    def _told_date(self, one: SeriesAnswer) -> object:
        if one.booking is not None:
            return self._told(one.booking)
        return one.error.code if one.error is not None else "".join(str(refusal["code"]) for refusal in one.refusals)

    async def _waitlist(self, call: str, *arguments: object) -> str:
        """Joining and leaving are of a unit of work that says for which organization it is."""
        async with self.database.ledger.acquire() as connection, connection.transaction():
            await connection.execute(
                "SELECT set_config('vacancy.organization_id', $1, true)", str(self.organization_id)
            )
            marks = ", ".join(f"${number + 2}" for number in range(len(arguments)))
            answer: str = await connection.fetchval(
                f"SELECT waitlist_{call}($1, {marks})", self.organization_id, *arguments
            )
            return answer

    def _number(self, booking_id: str) -> int:
        return self.numbers[uuid.UUID(booking_id)]

    def _own(self, key: str | None) -> str | None:
        """A party's own key carries its id; the model's carries its number."""
        return f"#{self._number(key[1:])}" if key is not None and key.startswith("#") else key


def _state(status: str, version: int, expires_at: datetime | None) -> State:
    return status, version, None if expires_at is None else slot_of(expires_at)


def seconds(slots: int) -> int:
    """How long so many slots are."""
    return int((slots * SLOT).total_seconds())
