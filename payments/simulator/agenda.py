"""What happens because time has passed: authorizations end, refunds come through or fail."""

from collections.abc import Callable
from typing import Final

from payments.simulator.capturing import expire
from payments.simulator.refunds import finish
from payments.simulator.world import UNASKED, World

TASKS: Final[dict[str, Callable[[World, str], None]]] = {"authorization": expire, "refund": finish}


def do_what_is_due(world: World) -> None:
    """Do it, in the order in which it was due."""
    asked, world.request = world.request, UNASKED
    while (entry := world.next_due()) is not None:
        TASKS[entry["task"]](world, entry["subject"])
    world.request = asked
