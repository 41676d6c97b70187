"""Text that comes from outside: bounded, and of characters that can be stored and shown."""

import unicodedata
from collections.abc import Sequence

from models.errors import InvalidInput

# Control characters (NUL can not be stored) and lone surrogates (no UTF-8 can be made of them).
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs"})


def is_plain(text: str) -> bool:
    """Whether the text has no control character and no half of a surrogate pair."""
    return not any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in text)


def bounded(text: str, *, length_max: int, path: Sequence[str], noun: str) -> str:
    """The text without blanks around it; InvalidInput if that is longer than allowed, or not plain."""
    if len(text) > length_max + 100:  # nobody has that many blanks around; do not look at all of it
        raise _too_long(noun, length_max, path)
    stripped = text.strip()
    if len(stripped) > length_max:
        raise _too_long(noun, length_max, path)
    if not is_plain(stripped):
        raise InvalidInput(f"The {noun} may not have control characters.", path=path)
    return stripped


def _too_long(noun: str, length_max: int, path: Sequence[str]) -> InvalidInput:
    return InvalidInput(f"The {noun} may have at most {length_max} characters.", path=path)
