"""A process is killed between any two steps of a payment: whoever comes next brings it to its end, and once."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, NamedTuple

import pytest

from models.errors import BookingError
from models.keys import BookingKey
from tests.money.till import PRICE, Fate, Till, check_out, hold_place, make_places, pay, pay_by_bank
from tests.support.checkouts import VISA
from tests.support.factories import booking_key_of
from tests.support.staff import fresh_key

STUCK_SECONDS_MAX: Final = 60.0
POINTS_MAX: Final = 30

SETTLED: Final = ("NONE", "CAPTURED", "VOID")
"""States of a payment after which nobody has to look at it."""

BOOKED: Final = Fate("CONFIRMED", "CAPTURED", PRICE, 0)
LEFT: Final = Fate("EXPIRED", "VOID", 0, 0)


class Mortals:
    """Processes that die, of one test; `mother` makes them."""

    def __init__(self, mother: "subprocess.Popen[bytes]", database_url: str) -> None:
        self._mother = mother
        self._database_url = database_url

    async def live(self, role: str, booking: BookingKey, key: str, *, last: int) -> tuple[list[str], bool]:
        """Have one take the steps of that role and die at the `last`-th point; the points, and whether it died."""
        asked = {"role": role, "organization": str(booking.organization_id), "booking": str(booking.id), "key": key}
        asked["database_url"] = self._database_url
        answer = json.loads(await asyncio.to_thread(self._ask, json.dumps({**asked, "last": last})))
        assert answer["died"] or answer["status"] == 0, answer
        return answer["points"], answer["died"]

    def _ask(self, line: str) -> bytes:
        """The answer; it comes, since nobody lives for longer than STEPS_SECONDS_MAX."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(f"{line}\n".encode())
        self._mother.stdin.flush()
        return self._mother.stdout.readline()


@pytest.fixture(scope="session")
def mother(simulator_url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """One for all of a run: it takes seconds to import what its children need."""
    command = [sys.executable, "-m", "tests.money.mortals", simulator_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.terminate()


@pytest.fixture
def mortals(mother: "subprocess.Popen[bytes]", database_url: str) -> Mortals:
    return Mortals(mother, database_url)


Deed = Callable[[Till, BookingKey, str], Awaitable[None]]


async def nothing(till: Till, booking: BookingKey, key: str) -> None:
    """Nobody does anything."""


async def has_paid(till: Till, booking: BookingKey, key: str) -> None:
    """The guest has paid in the browser, and nobody was told."""
    await pay(till.client, await till.open(booking))
    await till.let_time_pass()


async def has_paid_late(till: Till, booking: BookingKey, key: str) -> None:
    """And then the hold has ended."""
    await has_paid(till, booking, key)
    await till.run_out(booking)


async def has_paid_too_late(till: Till, booking: BookingKey, key: str) -> None:
    """And the place is another's."""
    await has_paid_late(till, booking, key)
    await hold_place(till.database, till.places)


async def has_paid_too_late_by_bank(till: Till, booking: BookingKey, key: str) -> None:
    """The same with money that was taken at once."""
    await pay_by_bank(till.simulator, till.client, await till.open(booking))
    await till.run_out(booking)
    await hold_place(till.database, till.places)


async def has_left(till: Till, booking: BookingKey, key: str) -> None:
    """The guest went to pay, and did not; the hold has ended."""
    await till.open(booking)
    await till.run_out(booking)


async def asks_again(till: Till, booking: BookingKey, key: str) -> None:
    """The guest had no answer, and repeats the call with its key, as long as it says that it may be repeated."""
    for _ in range(3):
        try:
            await check_out(till.database, till.gateway, booking, key=key, method=VISA)
            return
        except BookingError as error:
            if not error.retryable:
                raise


async def gives_up(till: Till, booking: BookingKey, key: str) -> None:
    """The guest had no answer, and goes away; the hold ends."""
    await till.work_off()
    await till.run_out(booking)


class Life(NamedTuple):
    """What happened before, whose steps are cut off, what the guest does then, and the ends that may come of it."""

    before: Deed
    role: str
    after: Deed
    ends: frozenset[Fate]
    scarce: bool = False
    """Whether there is one place, so that it may be another's by now."""


LIVES: Final = {
    "paying, and the guest asks again": Life(nothing, "guest", asks_again, frozenset({BOOKED})),
    "paying, and the guest gives up": Life(
        nothing, "guest", gives_up, frozenset({BOOKED, LEFT, Fate("EXPIRED", "NONE", 0, 0)})
    ),
    "paid": Life(has_paid, "worker", nothing, frozenset({BOOKED})),
    "paid late": Life(has_paid_late, "worker", nothing, frozenset({BOOKED})),
    "paid too late": Life(has_paid_too_late, "worker", nothing, frozenset({LEFT}), scarce=True),
    "paid too late, by what can not be held": Life(
        has_paid_too_late_by_bank, "worker", nothing, frozenset({Fate("EXPIRED", "CAPTURED", 0, 0)}), scarce=True
    ),
    "left": Life(has_left, "worker", nothing, frozenset({LEFT})),
}


async def looked_at_in_time(till: Till, booking: BookingKey) -> None:
    """Somebody will look within a minute, by time alone, unless nothing is left to do."""
    seconds = await till.seconds_until_looked_at(booking)
    fate = await till.fate_of(booking)
    assert (seconds is not None and seconds <= STUCK_SECONDS_MAX) or fate.payment in SETTLED, (seconds, fate)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", LIVES)
async def test_whoever_comes_next_brings_it_to_its_end(till: Till, mortals: Mortals, name: str) -> None:
    life = LIVES[name]
    for last in range(1, POINTS_MAX):
        own = till._replace(places=await make_places(till.database, 1)) if life.scarce else till
        booking, key = booking_key_of(await hold_place(own.database, own.places)), fresh_key()
        await life.before(own, booking, key)
        points, died = await mortals.live(life.role, booking, key, last=last)
        await looked_at_in_time(own, booking)
        await life.after(own, booking, key)
        await own.let_time_pass()
        await own.work_off()
        fate = await own.fate_of(booking)
        assert fate in life.ends, points
        assert fate.is_settled, (points, fate)
        if not died:
            assert last > 1, "it has no points"
            return
        assert len(points) == last
    raise AssertionError(f"it has more than {POINTS_MAX} points")
