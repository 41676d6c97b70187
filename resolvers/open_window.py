"""The window of what staff do to capacity."""

from datetime import datetime

import strawberry

from engine.capacity import ALWAYS, OpenWindow


@strawberry.input(
    description=(
        "Half-open [startsAt, endsAt), where either end may be left out. It starts between a day ago and 730 days "
        "ahead, and if it ends, then later than it starts and at most 366 days after; else INVALID_INPUT."
    )
)
class OpenWindowInput:
    """Two instants, or one, or none."""

    starts_at: datetime | None = strawberry.field(default=None, description="The first instant. Not given: now.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="The first instant after it. Not given: there is no end."
    )


def open_window(input: OpenWindowInput | None) -> OpenWindow:
    """As the engine has it; none is from now on, without an end."""
    return ALWAYS if input is None else OpenWindow(input.starts_at, input.ends_at)
