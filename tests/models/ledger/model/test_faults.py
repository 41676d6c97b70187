"""The machine that finds nothing in the ledger finds each fault that is put there."""

import pytest
from hypothesis import Phase

from tests.models.ledger.model.faults import FAULTS
from tests.models.ledger.model.focus import Focus
from tests.models.ledger.model.machine import Disagreement, Rig, rig, run
from tests.support.clock import edit_function

STARTS_MAX = 10
EXAMPLES_PER_START = 12


@pytest.mark.unaudited
@pytest.mark.parametrize("fault", FAULTS)
def test_the_machine_finds(database_url: str, owner_url: str, fault: str) -> None:
    with rig(database_url, owner_url) as machines:
        focus, edits = FAULTS[fault]
        for edit in edits:
            machines.runner.run(edit_function(machines.connections.owner, edit.function, edit.old, edit.new))
        with pytest.raises(Disagreement):
            _search(machines, focus)


def _search(machines: Rig, focus: Focus) -> None:
    """Until the fault is found: it is not looked for the shortest way to it.

    Chance starts anew now and then: hypothesis varies what it has, which may miss a fault for long.
    """
    for share in range(STARTS_MAX):
        run(
            machines,
            examples=EXAMPLES_PER_START,
            share=share,
            focus=focus,
            phases=[Phase.generate],
            report_multiple_bugs=False,
        )
