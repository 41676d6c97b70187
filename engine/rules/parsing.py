"""Parameters as they come from outside, made into what they are of (a rule, a plan, a tax, a policy), and stored."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from models.errors import InvalidInput

FIELD_LENGTH_MAX = 64
"""Of a name that somebody made up, as it is told back."""


class Parameters(BaseModel):
    """Fields that are checked when it is made, and never changed after; written in camelCase, as all that is said to
    the API, while snake_case is understood.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_alias=True, validate_by_name=True
    )

    def parameters(self) -> dict[str, Any]:
        """In the form in which they are stored and shown: JSON values, camelCase, no defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


Parsed = TypeVar("Parsed", bound=Parameters)


def parsed(model: type[Parsed], parameters: Mapping[str, object], *, called: str = "", path: Sequence[str]) -> Parsed:
    """What these parameters (as in JSON) make; `called`: how messages name it.

    Raises InvalidInput if they do not fit. Its path is `path`, "parameters", and the first field that does not fit,
    which the message names too.
    """
    if not isinstance(parameters, Mapping):
        raise InvalidInput(_told(called, "parameters should be an object"), path=(*path, "parameters"))
    try:
        return model.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = [str(part)[:FIELD_LENGTH_MAX] for part in first["loc"]]
        message = _told(called, ".".join(field), first["msg"])
        raise InvalidInput(message, path=(*path, "parameters", *field)) from None


def _told(*parts: str) -> str:
    return ": ".join(filter(None, parts))
