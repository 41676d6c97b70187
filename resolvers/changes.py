"""What an update names: the difference between a field that is null and one that is not there."""

from collections.abc import Sequence
from typing import Any

import strawberry


def changed(input: Any, *, replaced: Sequence[str], removable: Sequence[str]) -> dict[str, Any]:
    """The fields to change, by name. Null removes a `removable` one, and leaves a `replaced` one as it is."""
    given = {name: getattr(input, name) for name in (*replaced, *removable)}
    return {
        name: value
        for name, value in given.items()
        if value is not strawberry.UNSET and (value is not None or name in removable)
    }
