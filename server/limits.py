"""How much a request may send: more is refused before it is read to its end."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.answers import refusal

BODY_BYTES_MAX: Final = 1024 * 1024
"""Of an HTTP request's body, and of one WebSocket message."""


class _TooLarge(Exception):
    """The body is over the limit; raised where it is being read, and answered by the middleware."""


class BodyLimit:
    """Answers 413 to a body over `bytes_max`, whether its length is announced or not."""

    def __init__(self, app: ASGIApp, bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `receive` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._bytes_max:
            await self._refuse(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._bytes_max:
                raise _TooLarge
            return message

        try:
            await self._app(scope, counted, send)
        except _TooLarge:  # nothing has been answered yet: the body is read before
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_large = refusal(413, "INVALID_INPUT", f"The request is larger than {self._bytes_max:,} bytes.")
        await too_large(scope, receive, send)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
