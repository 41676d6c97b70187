"""Whatever is asked in whatever order, the ledger answers and stores what the oracle does."""

import os
from collections.abc import Callable

import pytest

from tests.models.ledger.model.focus import Focus
from tests.models.ledger.model.machine import rig, run

# In shares, so that the processes of a run have something each. The same examples each time, unless more are asked for.
SHARES = (*Focus, Focus.EVERYTHING)
EXAMPLES = int(os.environ.get("VACANCY_TEST_EXAMPLES", "200"))
EXAMPLES_PER_SHARE = -(-EXAMPLES // len(SHARES))
SECONDS_PER_EXAMPLE_MAX = 10
EXAMPLES_TO_BE_DONE = 20
TURNS_MAX = 4  # further examples, while not all that a share is about has been done: which come is luck

DONE = {
    Focus.EVERYTHING: {"Hold", "Change", "Adjust", "Series", "ChangeAll", "Join"},
    Focus.HOLDS: {"Hold", "Change", "Adjust"},
    Focus.PAST: {"Hold", "Change", "Fold"},
    Focus.APPROVAL: {"Hold", "Change", "Adjust"},
    Focus.POOLS: {"Hold", "Change", "Adjust"},
    Focus.CHANGES: {"Hold", "Change", "Rebook", "Part"},
    Focus.SERIES: {"Hold", "Series", "ChangeAll"},
    Focus.WAITLIST: {"Hold", "Change", "Join", "Leave"},
}


@pytest.mark.timeout(60 + SECONDS_PER_EXAMPLE_MAX * EXAMPLES_PER_SHARE * TURNS_MAX)
@pytest.mark.parametrize("share", range(len(SHARES)))
def test_the_ledger_answers_as_the_oracle(
    database_url: str, owner_url: str, share: int, record_property: Callable[[str, object], None]
) -> None:
    is_fixed = "VACANCY_TEST_EXAMPLES" not in os.environ
    done: set[str] = set()
    with rig(database_url, owner_url) as machines:
        for turn in range(TURNS_MAX):
            number = share + turn * len(SHARES)
            run(machines, examples=EXAMPLES_PER_SHARE, share=number if is_fixed else None, focus=SHARES[share])
            done = {asked for asked, answer in machines.tally.answers if answer == "DONE"}
            if EXAMPLES_PER_SHARE < EXAMPLES_TO_BE_DONE or done >= DONE[SHARES[share]]:
                break
    record_property("operations", machines.tally.answers.total())
    assert EXAMPLES_PER_SHARE < EXAMPLES_TO_BE_DONE or done >= DONE[SHARES[share]], "hardly anything was possible"
