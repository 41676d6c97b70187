"""What a client is told of an error: refusals as they are, of a defect nothing but the incident that the log names."""

import logging
import secrets
from collections.abc import Iterable

from graphql import GraphQLError

from models.errors import BookingError, RuleViolation
from models.ledger.failures import translate
from server.logs import trace_of

logger = logging.getLogger("vacancy.graphql")


def masked(errors: Iterable[GraphQLError] | None) -> list[GraphQLError] | None:
    """The errors as clients see them: each has an ErrorCode in `extensions.code`.

    A defect is logged here, once, with its trace and where in the operation it happened; never with variables or
    values, for they may be tokens and contacts.
    """
    return None if errors is None else [_shown(error) for error in errors]


def _shown(error: GraphQLError) -> GraphQLError:
    cause = _cause(error)
    if cause is None:
        return _with(error, error.message, {"code": "INVALID_INPUT", **(error.extensions or {})})
    if isinstance(cause, RecursionError):
        return _with(error, "The operation is nested too deeply.", {"code": "INVALID_INPUT"})
    refusal = cause if isinstance(cause, BookingError) else translate(cause)
    if refusal is not None:
        return _with(error, refusal.message, _extensions(refusal))
    incident = secrets.token_hex(8)
    place = ".".join(str(part) for part in error.path or ["(request)"])
    logger.error(
        "incident %s at %s\n%s", incident, place, "".join(trace_of(cause)), extra={"fields": {"incident": incident}}
    )
    return _with(error, "Internal error.", {"code": "INTERNAL", "incident": incident})


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised in our code; None for what GraphQL itself or a scalar has to say about the request."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _extensions(refusal: BookingError) -> dict[str, object]:
    told: dict[str, object] = {"code": refusal.code, "retryable": refusal.retryable}
    if refusal.path:
        told["path"] = list(refusal.path)
    if isinstance(refusal, RuleViolation):
        told |= {"rule": refusal.rule, "parameters": refusal.parameters}
    return told


def _with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    """The same place, and nothing of what was raised."""
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
