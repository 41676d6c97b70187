"""`expand[]`: ids in an answer replaced by the objects that they name."""

from typing import Final

from payments.simulator.documents import Document, shown
from payments.simulator.lists import page
from payments.simulator.refusals import Malformed
from payments.simulator.world import World

DEPTH_MAX: Final = 4  # Stripe's

# Which member holds the id of what.
REFERENCES: Final = {
    "charge": "charge",
    "customer": "customer",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
}
# `object` and member of lists that are shown only when they are asked for.
LISTS: Final = (("charge", "refunds"), ("tax.calculation", "line_items"), ("tax.transaction", "line_items"))


def expanded(world: World, document: Document, paths: list[str]) -> Document:
    """What the API shows of `document`, with what `paths` name in full. Raises Malformed for what cannot be."""
    for path in paths:
        if path.count(".") >= DEPTH_MAX:
            raise Malformed(f"You cannot expand more than {DEPTH_MAX} levels of a property: {path}", param="expand")
    return _shown(world, document, [path.split(".") for path in paths])


def _shown(world: World, document: Document, paths: list[list[str]]) -> Document:
    result = shown(document)
    if result.get("object") == "list":
        inner = [path[1:] for path in paths if path[0] == "data" and len(path) > 1]
        if len(inner) < len(paths):
            raise Malformed("Lists are expanded by data.NAME", param="expand")
        result["data"] = [_shown(world, each, inner) for each in result["data"]]
        return result
    for name in sorted({path[0] for path in paths}):
        rest = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        result[name] = _member(world, document, name, rest)
    return result


def _member(world: World, document: Document, name: str, rest: list[list[str]]) -> object:
    kind = document.get("object")
    if (kind, name) in LISTS:
        return _list(world, document, name, rest)
    if name not in document or name not in REFERENCES:
        raise Malformed(f"This property cannot be expanded ({name}).", param="expand")
    held = document[name]
    if not isinstance(held, str):
        return held
    found = world.documents.find(REFERENCES[name], held)
    return held if found is None else _shown(world, found, rest)


def _list(world: World, document: Document, name: str, rest: list[list[str]]) -> Document:
    identifier = document["id"]
    if document["object"] == "charge":
        refunds = [each for each in world.documents.newest_first("refund") if each["charge"] == identifier]
        whole = page(refunds, {}, f"/v1/charges/{identifier}/refunds", "refund")
    else:
        place = f"/v1/{document['object'].replace('.', '/')}s/{identifier}/{name}"
        whole = page(document["_lines"], {"limit": 100}, place, "line_item")
    return _shown(world, whole, rest)
