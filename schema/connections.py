"""Pages, after the Relay specification: edges with cursors, keyset and never OFFSET, at most 100 at a time."""

import base64
import binascii
import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import strawberry

from models.errors import InvalidInput
from schema.budget import Budget
from schema.text import is_plain

FIRST_DEFAULT = 20
FIRST_MAX = 100
CURSOR_LENGTH_MAX = 200

First = Annotated[
    int | None,
    strawberry.argument(description="How many: 1 to 100, 20 if not given. INVALID_INPUT for anything else."),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="The endCursor of the page before. INVALID_INPUT if it is no cursor that was given out."
    ),
]

NodeType = TypeVar("NodeType")
Row = TypeVar("Row")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo; pages go forward only."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether this is not the first page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge, for `after`; null on an empty page."
    )


@strawberry.type(description="One element of a page.")
class Edge(Generic[NodeType]):
    """Relay's Edge."""

    node: NodeType = strawberry.field(description="The element itself.")
    cursor: str = strawberry.field(description="Opaque: where this element stands.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    """Relay's Connection."""

    edges: list[Edge[NodeType]] = strawberry.field(description="The elements, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")


ConnectionType = TypeVar("ConnectionType")


def page_size(first: int | None) -> int:
    """The size that is asked for; InvalidInput unless it is from 1 to 100."""
    if first is None:
        return FIRST_DEFAULT
    if not 1 <= first <= FIRST_MAX:
        raise InvalidInput(f"A page has from 1 to {FIRST_MAX} elements.", path=("first",))
    return first


def connection(
    make: Callable[..., ConnectionType],
    rows: Sequence[Row],
    *,
    size: int,
    is_first: bool,
    position: Callable[[Row], str],
    node: Callable[[Row], object],
    budget: Budget,
) -> ConnectionType:
    """The page of `rows`, of which one more than `size` was asked for: the surplus row tells that there is more.

    `position` is what comes after the page is found by, and becomes the cursor.
    """
    shown = rows[:size]
    budget.spend_elements(len(shown))
    edges: list[Edge[object]] = [Edge(node=node(row), cursor=to_cursor(position(row))) for row in shown]
    page_info = PageInfo(
        has_next_page=len(rows) > size,
        has_previous_page=not is_first,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return make(edges=edges, page_info=page_info)


def to_cursor(position: str) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def from_cursor(cursor: str | None) -> str | None:
    """The position that a cursor stands for; InvalidInput if it is none."""
    if cursor is None:
        return None
    try:
        if len(cursor) > CURSOR_LENGTH_MAX:
            raise ValueError
        position = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        if not is_plain(position):
            raise ValueError
    except (ValueError, binascii.Error):
        raise _no_cursor() from None
    return position


def uuid_from_cursor(cursor: str | None) -> uuid.UUID | None:
    """The id that a cursor stands for; InvalidInput if it is none."""
    position = from_cursor(cursor)
    try:
        return None if position is None else uuid.UUID(position)
    except ValueError:
        raise _no_cursor() from None


def number_from_cursor(cursor: str | None, *, maximum: int) -> int:
    """The number that a cursor stands for, 0 for none; InvalidInput if it is no number up to `maximum`."""
    position = from_cursor(cursor)
    if position is None:
        return 0
    if not (position.isascii() and position.isdigit() and len(position) <= 18 and int(position) <= maximum):
        raise _no_cursor()
    return int(position)


def _no_cursor() -> InvalidInput:
    return InvalidInput("This is no cursor that was given out here.", path=("after",))
