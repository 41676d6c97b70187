"""What staff may write into the fields of the catalog; everything else is InvalidInput with the path of its field, and
VersionConflict what has changed since they looked.
"""

import re
import unicodedata

from models.errors import InvalidInput, VersionConflict

SLUG_LENGTH_MIN, SLUG_LENGTH_MAX = 3, 60
NAME_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 5_000
REASON_LENGTH_MAX = 500

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
# Control characters, and halves of surrogate pairs: the database takes neither NUL nor those. Joiners and marks of
# direction stay: Arabic, Persian and many emoji need them.
_NOT_TEXT = {"Cc", "Cs"}
_LAYOUT = {"\n", "\r", "\t"}


def check_slug(slug: str) -> None:
    """3 to 60 lower case letters and digits (ASCII), in groups joined by single hyphens."""
    if not (SLUG_LENGTH_MIN <= len(slug) <= SLUG_LENGTH_MAX and _SLUG.fullmatch(slug)):
        raise InvalidInput(
            f"A slug is {SLUG_LENGTH_MIN} to {SLUG_LENGTH_MAX} lower case letters (a to z) and digits, with single"
            " hyphens between them.",
            path=("input", "slug"),
        )


def check_name(name: str) -> None:
    """1 to 200 characters on one line, not all of them blank."""
    if not name.strip() or len(name) > NAME_LENGTH_MAX or not _is_text(name, several_lines=False):
        raise InvalidInput(f"A name is 1 to {NAME_LENGTH_MAX} characters on one line.", path=("input", "name"))


def check_description(description: str | None) -> None:
    """Up to 5,000 characters, on several lines."""
    _check_prose("description", description, DESCRIPTION_LENGTH_MAX)


def check_reason(reason: str | None) -> None:
    """Up to 500 characters, on several lines."""
    _check_prose("reason", reason, REASON_LENGTH_MAX)


def check_currency(currency: str) -> None:
    """The form of an ISO 4217 code."""
    if not _CURRENCY.fullmatch(currency):
        raise InvalidInput("A currency is an ISO 4217 code, such as EUR.", path=("input", "currency"))


def check_country(country: str) -> None:
    """The form of an ISO 3166-1 alpha-2 code."""
    if not _COUNTRY.fullmatch(country):
        raise InvalidInput("A country is an ISO 3166-1 alpha-2 code, such as PT.", path=("input", "country"))


def check_range(field: str, value: int, minimum: int, maximum: int) -> None:
    """From `minimum` to `maximum`, both included; `field` is the input's name for it."""
    if not minimum <= value <= maximum:
        raise InvalidInput(f"{field} must be from {minimum:,} to {maximum:,}.", path=("input", field))


def check_version(what: str, current: int, expected: int | None) -> None:
    """Raises VersionConflict if the row that is to change, called so, is not of the expected version any more."""
    if expected is not None and expected != current:
        raise VersionConflict(
            f"The {what} has changed since you looked: look again, and decide again.",
            current=current,
            path=("input", "expectedVersion"),
        )


def is_text(value: str) -> bool:
    """Whether the database and the wire can carry every character; lines and tabs are text too."""
    return _is_text(value, several_lines=True)


def _check_prose(field: str, prose: str | None, length_max: int) -> None:
    if prose is not None and (len(prose) > length_max or not _is_text(prose, several_lines=True)):
        message = f"A {field} is up to {length_max:,} characters of text."
        raise InvalidInput(message, path=("input", field))


def _is_text(value: str, *, several_lines: bool) -> bool:
    return all(
        unicodedata.category(character) not in _NOT_TEXT or (several_lines and character in _LAYOUT)
        for character in value
    )
