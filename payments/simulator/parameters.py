"""Parameters: what an operation accepts, as data; everything else is refused, as Stripe does.

A kind turns what the form holds into a Python value, or raises Malformed with the parameter's name. An empty value
unsets where Stripe lets it: such kinds give None.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from payments.simulator.forms import Form
from payments.simulator.refusals import Malformed

Given = str | Form
Kind = Callable[[Given, str], Any]

TEXT_LENGTH_MAX: Final = 5_000
METADATA_KEYS_MAX: Final = 50
METADATA_KEY_LENGTH_MAX: Final = 40
METADATA_VALUE_LENGTH_MAX: Final = 500
LIST_LENGTH_MAX: Final = 200
AMOUNT_MAX: Final = 99_999_999  # "The amount value supports up to eight digits": stripe-python, PaymentIntent.amount
INSTANT_MAX: Final = 9_999_999_999


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: how its value is read, and whether it has to be given."""

    kind: Kind
    required: bool = False


Parameters = Mapping[str, Parameter]


def read_parameters(known: Parameters, form: Form, prefix: str = "") -> dict[str, Any]:
    """The values of `form`, those only that were given. Raises Malformed for unknown, missing and unreadable ones."""
    unknown = [_named(prefix, name) for name in form if name not in known]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        listed = ", ".join(unknown[:20])
        raise Malformed(f"Received unknown parameter{plural}: {listed}", code="parameter_unknown", param=unknown[0])
    for name, parameter in known.items():
        if parameter.required and name not in form:
            full = _named(prefix, name)
            raise Malformed(f"Missing required param: {full}.", code="parameter_missing", param=full)
    return {name: known[name].kind(value, _named(prefix, name)) for name, value in form.items()}


def required(kind: Kind) -> Parameter:
    """A parameter that has to be given."""
    return Parameter(kind, required=True)


def optional(kind: Kind) -> Parameter:
    """A parameter that may be left out."""
    return Parameter(kind)


def text(length_max: int = TEXT_LENGTH_MAX) -> Kind:
    """Text that is not empty."""

    def read(value: Given, name: str) -> str:
        if not isinstance(value, str):
            raise Malformed(f"Invalid string: {name} is an object", param=name)
        if not value.strip():
            raise Malformed(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
                f"however '{name}' cannot be unset.",
                code="parameter_invalid_empty",
                param=name,
            )
        if len(value) > length_max:
            raise Malformed(f"Invalid string: {name} must be at most {length_max} characters", param=name)
        return value

    return read


def integer(least: int, most: int) -> Kind:
    """A whole number from `least` to `most`."""

    def read(value: Given, name: str) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
            shown = value[:50] if isinstance(value, str) else "object"
            raise Malformed(f"Invalid integer: {shown}", code="parameter_invalid_integer", param=name)
        if int(value) < least:
            raise Malformed(
                f"This value must be greater than or equal to {least}.", code="parameter_invalid_integer", param=name
            )
        if int(value) > most:
            raise Malformed(
                f"This value must be less than or equal to {most}.", code="parameter_invalid_integer", param=name
            )
        return int(value)

    return read


def amount(value: Given, name: str) -> int:
    """Money in minor units, from 1 to eight digits."""
    return int(integer(1, AMOUNT_MAX)(value, name))


def boolean(value: Given, name: str) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise Malformed(f"Invalid boolean: {value if isinstance(value, str) else 'object'}", param=name)
    return value == "true"


def one_of(*choices: str) -> Kind:
    """One of the named values."""

    def read(value: Given, name: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Malformed(f"Invalid {name}: must be one of {' or '.join(choices)}", param=name)
        return value

    return read


def either(first: Kind, second: Kind) -> Kind:
    """What the first kind reads, else the second."""

    def read(value: Given, name: str) -> Any:
        try:
            return first(value, name)
        except Malformed:
            return second(value, name)

    return read


def unsettable(kind: Kind) -> Kind:
    """The same, or None for an empty value."""
    return lambda value, name: None if value == "" else kind(value, name)


def object_of(parameters: Parameters) -> Kind:
    """An object with parameters of its own."""

    def read(value: Given, name: str) -> dict[str, Any]:
        if isinstance(value, str):
            raise Malformed(f"Invalid object: {name} is no object", param=name)
        return read_parameters(parameters, value, name)

    return read


def list_of(kind: Kind, length_max: int = LIST_LENGTH_MAX) -> Kind:
    """A list, in the order of its indexes."""

    def read(value: Given, name: str) -> list[Any]:
        if isinstance(value, str) or any(not re.fullmatch(r"[0-9]{1,6}", index, re.ASCII) for index in value):
            raise Malformed(f"Invalid array: {name}", param=name)
        if len(value) > length_max:
            raise Malformed(f"Invalid array: {name} has more than {length_max} elements", param=name)
        ordered = sorted(value.items(), key=lambda entry: int(entry[0]))
        return [kind(entry, f"{name}[{index}]") for index, entry in ordered]

    return read


def currency(value: Given, name: str) -> str:
    """A currency's three letters, in lower case."""
    code = str(text(3)(value, name)).lower()
    if not re.fullmatch(r"[a-z]{3}", code, re.ASCII):
        raise Malformed(f"Invalid currency: {code}", param=name)
    return code


def metadata(value: Given, name: str) -> dict[str, str]:
    """Keys and values to be merged with those that are there; an empty value takes its key away, an empty form all."""
    if value == "":
        return {"": ""}
    if isinstance(value, str) or any(not isinstance(entry, str) for entry in value.values()):
        raise Malformed(f"Invalid metadata: {name} must be a set of key-value pairs", param=name)
    given = {key: entry for key, entry in value.items() if isinstance(entry, str)}
    if len(given) > METADATA_KEYS_MAX:
        raise Malformed(f"Metadata can have at most {METADATA_KEYS_MAX} keys", param=name)
    for key, entry in given.items():
        if not 1 <= len(key) <= METADATA_KEY_LENGTH_MAX or len(entry) > METADATA_VALUE_LENGTH_MAX:
            raise Malformed(
                f"Metadata keys must be up to {METADATA_KEY_LENGTH_MAX} characters, values up to "
                f"{METADATA_VALUE_LENGTH_MAX}",
                param=name,
            )
    return given


def merged(before: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata `before` with what `metadata` read laid over it."""
    given = given or {}
    kept = {} if "" in given else dict(before)
    return {key: value for key, value in {**kept, **given}.items() if key and value}


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


INSTANT: Final = integer(0, INSTANT_MAX)
CREATED: Final = either(INSTANT, object_of({side: optional(INSTANT) for side in ("gt", "gte", "lt", "lte")}))
LIMIT: Final = integer(1, 100)
ADDRESS: Final = object_of(
    {name: optional(unsettable(text(200))) for name in ("city", "country", "line1", "line2", "postal_code", "state")}
)

COMMON: Final[Parameters] = {"expand": optional(list_of(text(200), 20))}
PAGED: Final[Parameters] = {
    **COMMON,
    "ending_before": optional(text(100)),
    "limit": optional(LIMIT),
    "starting_after": optional(text(100)),
}
LISTED: Final[Parameters] = {**PAGED, "created": optional(CREATED)}
