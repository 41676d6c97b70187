"""Events, as the API shows them: what happened, each with its object as it was then."""

import fnmatch
import json
from typing import Final

from payments.simulator.documents import Document, shown
from payments.simulator.lists import listed
from payments.simulator.operations import Call, Operation, get
from payments.simulator.parameters import LISTED, list_of, optional, text
from payments.simulator.world import World


def retrieve(world: World, call: Call) -> Document:
    """The event."""
    return rendered(world, world.get("event", call.path["id"]))


def find_all(world: World, call: Call) -> Document:
    """A page of the events, all or those of some types; a type may end with `*`."""
    wanted = call.params.get("types", [call.params.get("type", "*")])
    page = listed(
        world,
        "event",
        call.params,
        "/v1/events",
        lambda event: any(fnmatch.fnmatchcase(event["type"], pattern) for pattern in wanted),
    )
    page["data"] = [rendered(world, event) for event in page["data"]]
    return page


def rendered(world: World, event: Document) -> Document:
    """The event with its data, and with how many endpoints have yet to take it."""
    pending = sum(1 for delivery in world.documents.oldest_first("delivery") if delivery["event"] == event["id"])
    return {
        **shown(event),
        "data": json.loads(event["_data"]),
        "pending_webhooks": pending,
        "request": event["_request"],
    }


OPERATIONS: Final[tuple[Operation, ...]] = (
    get("/v1/events", find_all, {**LISTED, "type": optional(text(100)), "types": optional(list_of(text(100), 20))}),
    get("/v1/events/{id}", retrieve),
)
