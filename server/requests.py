"""What every request goes through first: it gets an id, it is counted, and its line in the log if that is wanted."""

import logging
import re
import secrets
import time
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.logs import request_id
from server.metrics import ServerMetrics

HEADER: Final = "X-Request-Id"
_RAW_HEADER: Final = HEADER.lower().encode()
SANE: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")
"""An id that somebody else gave and that may stand in our log."""

DEFECT: Final = 500
ELSEWHERE: Final = "(other)"

logger = logging.getLogger("vacancy.requests")


class Requests:
    """Around the application. `paths` are ours; every other is counted and logged as one, whatever it holds."""

    def __init__(self, app: ASGIApp, metrics: ServerMetrics, paths: Collection[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer tells its id."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        id_ = _id_of(Headers(scope=scope))
        # Never reset: the server gives each request a task of its own, and logs a defect after we have returned.
        request_id.set(id_)
        status, began = DEFECT, time.perf_counter()

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*message.get("headers", ()), (_RAW_HEADER, id_.encode())]
                status = message.get("status", 101)
            await send(message)

        try:
            await self._app(scope, receive, with_id)
        finally:
            self._ended(scope, status, time.perf_counter() - began)

    def _ended(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self._paths else ELSEWHERE
        if scope["type"] == "http":
            self._metrics.answered(path, status)
        if logger.isEnabledFor(logging.INFO):
            ms = round(seconds * 1000, 1)
            what = scope.get("method", "WEBSOCKET")
            fields = {"method": what, "path": path, "status": status, "ms": ms}
            logger.info("%s %s %s %s ms", what, path, status, ms, extra={"fields": fields})


def _id_of(headers: Headers) -> str:
    given = headers.get(HEADER, "")
    return given if SANE.fullmatch(given) else secrets.token_hex(8)
