"""What a mutation is of, where its input names that by one of several ids."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from models.errors import InvalidInput

Key = TypeVar("Key")
First = TypeVar("First")
Second = TypeVar("Second")
Other = TypeVar("Other")

Choice: TypeAlias = tuple[str, str | None, Callable[[str, Sequence[str]], Key]]
"""A field of the input, the id that was given in it, and what makes a key of that (`schema.global_id`)."""


def exactly_one(first: Choice[First], second: Choice[Second], *others: Choice[Other]) -> First | Second | Other:
    """The key of the one id that is given. Raises InvalidInput for none or several, and what making the key raises."""
    choices: tuple[Choice[First | Second | Other], ...] = (first, second, *others)
    given = [(field, text, key_of) for field, text, key_of in choices if text is not None]
    if len(given) != 1:
        *fields, last = [field for field, _, _ in choices]
        raise InvalidInput(f"Give exactly one of {', '.join(fields)} and {last}.", path=("input",))
    [(field, text, key_of)] = given
    return key_of(text, ("input", field))
