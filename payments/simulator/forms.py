"""Forms: `application/x-www-form-urlencoded` with brackets, as stripe-python and Stripe.js write it.

`metadata[order]=7&expand[0]=customer` is `{"metadata": {"order": "7"}, "expand": {"0": "customer"}}`: what is a list,
and what a number, only the parameter's kind knows.
"""

from typing import Final
from urllib.parse import parse_qsl

from payments.simulator.refusals import Malformed

Form = dict[str, "str | Form"]

FIELDS_MAX: Final = 1_000
DEPTH_MAX: Final = 8


def read_form(text: str) -> Form:
    """The nested form that `text` writes. Raises Malformed when it is too long, too deep, or contradicts itself."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        raise Malformed("Invalid request: the body is no form that can be read.") from None
    form: Form = {}
    for name, value in pairs:
        _put(form, _steps(name), name, value)
    return form


def _steps(name: str) -> list[str]:
    """`a[b][0]` as a, b, 0."""
    first, *rest = name.split("[")
    if not first or len(rest) >= DEPTH_MAX or any(not step.endswith("]") for step in rest):
        raise Malformed(f"Invalid request: {name[:100]} is no name of a parameter.")
    return [first, *(step[:-1] for step in rest)]


def _put(form: Form, steps: list[str], name: str, value: str) -> None:
    *path, last = steps
    for step in path:
        inner = form.setdefault(step or str(len(form)), {})
        if not isinstance(inner, dict):
            raise Malformed(f"Invalid request: {name[:100]} is given as a value and as an object.")
        form = inner
    last = last or str(len(form))  # `name[]=` appends
    if isinstance(form.get(last), dict):
        raise Malformed(f"Invalid request: {name[:100]} is given as a value and as an object.")
    form[last] = value
