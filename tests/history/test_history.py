"""What was acknowledged survives: clients and watchers at two servers, while every process is killed at random.

`VACANCY_TEST_HISTORY_SECONDS` is how long things are killed (60 unless set), `VACANCY_TEST_SEED` what is asked and
killed: the same choices, though never quite at the same moments.
"""

import asyncio
import os
import random
import secrets
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.history.checker import Verdict, check
from tests.history.dump import write_dump
from tests.history.nemesis import strike, torment
from tests.history.records import History, Outcome, read_history
from tests.history.rig import DURABLE, POSTGRES, Rig, durability, lose_what_is_acknowledged, running_rig
from tests.history.run import run
from tests.history.violations import Promise
from tests.history.world import make_world
from tests.support.audits import assert_audit_clean
from tests.support.waiting import eventually

SECONDS = float(os.environ.get("VACANCY_TEST_HISTORY_SECONDS", "60"))
SEED = int(os.environ.get("VACANCY_TEST_SEED", "0")) or secrets.randbits(32)
AROUND_SECONDS_MAX = 240
SHOWN_MAX = 20

OK_MIN = 50
"""Fewer acknowledgements, and nearly nothing was looked at: even a crowded machine does more."""

CONTROL_STRIKES = 3
CONTROL_ACKNOWLEDGED = 40
"""So many calls are acknowledged before each strike, however long that takes: the last of them PostgreSQL can not have
written yet, which it does by itself every ten seconds."""

CONTROL_SECONDS_MAX = 60.0

# One process runs both, one after the other.
pytestmark = pytest.mark.xdist_group("history")

Torment = Callable[[History, random.Random], Awaitable[None]]


@pytest.mark.timeout(SECONDS + AROUND_SECONDS_MAX)
def test_nothing_acknowledged_is_lost_whatever_is_killed(record_property: Callable[[str, object], None]) -> None:
    with running_rig() as rig, kept_on_failure() as folder:
        assert asyncio.run(durability(rig.servers.app_url)) == dict.fromkeys(DURABLE, "on")
        verdict = look(rig, folder, lambda history, rng: torment(rig, history, rng, seconds=SECONDS))
        print(f"history, seed {SEED}: {verdict.summary()}")  # noqa: T201 - shown by pytest -s, and when it fails
        record_property("history", verdict.summary())
        shown = "\n".join(str(violation) for violation in verdict.violations[:SHOWN_MAX])
        assert not verdict.violations, f"{len(verdict.violations)} violations with seed {SEED}\n{shown}"
        assert rig.defects() == []
        asyncio.run(assert_audit_clean(rig.servers.app_url))
        assert asyncio.run(durability(rig.servers.app_url)) == dict.fromkeys(DURABLE, "on")
        assert verdict.resolved_keys == verdict.unknown_keys
        assert verdict.outcomes[Outcome.OK] >= OK_MIN
        assert verdict.kills
        assert verdict.sold_outs


@pytest.mark.timeout(AROUND_SECONDS_MAX)
def test_the_loss_is_found_where_commits_wait_for_nothing() -> None:
    with running_rig() as rig, kept_on_failure() as folder:

        async def cut_off(history: History, rng: random.Random) -> None:
            for number in range(1, CONTROL_STRIKES + 1):

                async def have_acknowledged(wanted: int = number * CONTROL_ACKNOWLEDGED) -> bool:
                    return history.acknowledged >= wanted

                await eventually(have_acknowledged, seconds_max=CONTROL_SECONDS_MAX)
                await strike(rig, history, POSTGRES, rng)

        verdict = look(rig, folder, cut_off, before=lose_what_is_acknowledged)
        found = Counter(violation.promise for violation in verdict.violations)
        assert found[Promise.LOST], verdict.summary()
        # What is left is sound by itself: nobody would know who has not kept what was said.
        asyncio.run(assert_audit_clean(rig.servers.app_url))


def look(
    rig: Rig, folder: Path, nemesis: Torment, *, before: Callable[[Rig], Awaitable[None]] | None = None
) -> Verdict:
    """What the checker says of a run; `before` is what is done to the cluster when all rows are there to begin with."""

    async def work() -> Verdict:
        world = await make_world(rig.servers.app_url)
        if before is not None:
            await before(rig)
        history = History(folder / "history.jsonl")
        try:
            dump = await run(rig, world, history, SEED, lambda rng: nemesis(history, rng))
        finally:
            history.close()
        write_dump(dump, folder / "tables.jsonl")
        return check(read_history(history.path), dump)

    return asyncio.run(work())


@contextmanager
def kept_on_failure() -> Iterator[Path]:
    """A folder for the history and the tables, which stays, and is named, if the test fails."""
    folder = Path(tempfile.mkdtemp(prefix="vacancy-history-"))
    try:
        yield folder
    except BaseException:
        print(f"history, seed {SEED}: kept in {folder}")  # noqa: T201 - pytest shows it with the failure
        raise
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
