"""Lists: newest first, in pages, with a cursor that is the id of an object."""

from collections.abc import Callable
from typing import Any, Final

from payments.simulator.documents import Document
from payments.simulator.refusals import missing
from payments.simulator.world import World

LIMIT_DEFAULT: Final = 10

COMPARISONS: Final[dict[str, Callable[[int, int], bool]]] = {
    "gt": lambda created, bound: created > bound,
    "gte": lambda created, bound: created >= bound,
    "lt": lambda created, bound: created < bound,
    "lte": lambda created, bound: created <= bound,
}


def listed(
    world: World, kind: str, params: dict[str, Any], url: str, matches: Callable[[Document], bool] = lambda _: True
) -> Document:
    """A page of the objects of `kind` that match, and were created when `params` says."""
    found = [
        document
        for document in world.documents.newest_first(kind)
        if matches(document) and _created(document, params.get("created"))
    ]
    return page(found, params, url, kind)


def page(found: list[Document], params: dict[str, Any], url: str, kind: str) -> Document:
    """The part of `found` that the cursor in `params` asks for. Raises Refusal when it names nothing in the list."""
    limit: int = params.get("limit", LIMIT_DEFAULT)
    if "ending_before" in params:
        end = _place(found, params["ending_before"], "ending_before", kind)
        start, more = max(0, end - limit), end > limit
        data = found[start:end]
    else:
        start = _place(found, params["starting_after"], "starting_after", kind) + 1 if "starting_after" in params else 0
        data, more = found[start : start + limit], len(found) > start + limit
    return {"object": "list", "data": data, "has_more": more, "url": url}


def _place(found: list[Document], identifier: str, param: str, kind: str) -> int:
    for place, document in enumerate(found):
        if document["id"] == identifier:
            return place
    raise missing(kind, identifier, param, status=400)


def _created(document: Document, wanted: int | dict[str, int] | None) -> bool:
    if wanted is None:
        return True
    created: int = document["created"]
    if isinstance(wanted, int):
        return created == wanted
    return all(COMPARISONS[side](created, bound) for side, bound in wanted.items())
