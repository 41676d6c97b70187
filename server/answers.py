"""Answers of the edge itself: in the form of a GraphQL response, so that a client has one way to read errors."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

CODES: Mapping[int, str] = {404: "NOT_FOUND", 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 503: "BUSY"}
REASONS: Mapping[int, str] = {
    404: "There is nothing here. GraphQL is at /graphql.",
    405: "GraphQL is asked by POST, or over a WebSocket.",
}


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A response with one error, and no data."""
    content = {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}
    return JSONResponse(content, status_code=status, headers=headers)


async def on_http_exception(_request: Request, error: Exception) -> JSONResponse:
    """What the router or a view refuses."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "INVALID_INPUT")
    return refusal(error.status_code, code, REASONS.get(error.status_code, error.detail), error.headers)


async def on_defect(_request: Request, _error: Exception) -> JSONResponse:
    """Anything unforeseen: the server logs it with its trace, the client learns nothing of it."""
    return refusal(500, "INTERNAL", "A defect on our side. It has been logged.")
