"""GraphQL over HTTP and over WebSocket: Strawberry's own view, with our authentication and our limits.

Over HTTP: POST only, JSON only, one operation. Over WebSocket: graphql-transport-ws only. Each operation has a Context
of its own, also when many share one connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import strawberry
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError, MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UNSET, UnsetType

from engine.viewer import GUEST, Viewer
from models.errors import Busy, Unauthenticated
from schema.context import Context
from server.answers import refusal
from server.operations import Operation
from server.resources import Resources

OPERATIONS_PER_CONNECTION_MAX: Final = 100
INIT_SECONDS_MAX: Final = 10
OPERATION_ID_LENGTH_MAX: Final = 128
FORBIDDEN: Final = 4403


@dataclass
class Connection:
    """One WebSocket: who it is, once connection_init has said so. Its operations get their Contexts from it."""

    resources: Resources
    connection_params: Mapping[str, Any] | None = None  # Strawberry puts the payload of connection_init here
    viewer: Viewer = GUEST
    expires_at: datetime | None = None


class Handler(BaseGraphQLTransportWSHandler[Context | Connection, None]):
    """The protocol, with messages checked before they are believed, and an end when the token expires."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._running: set[Operation] = set()
        per_operation = _ContextPerOperation(self.schema, self._running)
        self.schema = per_operation  # type: ignore[assignment]  # `stream` is all it is asked for
        self._expiry: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        assert isinstance(self.context, Connection)
        self._sockets = self.context.resources.sockets

    @property
    def is_busy(self) -> bool:
        """Whether a query or a mutation runs on it, whose answer somebody waits for."""
        return len(self.operations) > sum(operation.is_subscription for operation in self._running)

    async def end(self, code: int, reason: str) -> None:
        """Close the connection."""
        await self.websocket.close(code, reason)

    async def handle(self) -> None:
        """Serve the connection to its end; until then it is one of this process's sockets."""
        self._sockets.add(self)
        try:
            await super().handle()
        finally:
            self._sockets.discard(self)

    async def handle_message(self, message: Any) -> None:
        """Pass on a message of the right form; close the connection (4400) on any other."""
        if self._sockets.draining:
            return  # it is closed in a moment, and comes back elsewhere
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("The message is not of the form of graphql-transport-ws.")

    async def handle_connection_init(self, message: Any) -> None:
        """As the protocol says; from then on the token's time runs."""
        await super().handle_connection_init(message)
        assert isinstance(self.context, Connection)
        if self.connection_acknowledged and self.context.expires_at is not None:
            seconds = (self.context.expires_at - datetime.now(UTC)).total_seconds()
            self._expiry = asyncio.get_running_loop().call_later(max(0.0, seconds), self._expire)

    async def shutdown(self) -> None:
        """Leave nothing behind: no operation, no timer."""
        if self._expiry is not None:
            self._expiry.cancel()
        await super().shutdown()

    def _expire(self) -> None:
        self._closing = asyncio.create_task(self.websocket.close(FORBIDDEN, "The token has expired: sign in again."))


class _ContextPerOperation:
    """The schema as a connection sees it: each operation gets a Context of its own, with fresh loaders."""

    def __init__(self, schema: Any, running: set[Operation]) -> None:
        self._schema = schema
        self._running = running

    async def stream(self, query: str | None, *, context_value: Connection, **more: Any) -> Any:
        operation = Operation(context_value.resources.metrics)
        context = context_value.resources.context(context_value.viewer)
        results = await self._schema.stream(query, context_value=context, **more)
        return self._following(operation, operation.following(results))

    async def _following(self, operation: Operation, results: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        self._running.add(operation)
        try:
            async with aclosing(results):
                async for result in results:
                    yield result
        finally:
            self._running.discard(operation)


class View(GraphQL[Context | Connection, None]):
    """The endpoint; it finds the `Resources` in the request's state.

    Over HTTP its context is the operation's Context, over WebSocket the Connection.
    """

    graphql_transport_ws_handler_class = Handler

    def __init__(self, schema: strawberry.Schema) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            multipart_uploads_enabled=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS_MAX),
            max_subscriptions_per_connection=OPERATIONS_PER_CONNECTION_MAX,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what is refused before GraphQL is reached has the form of a GraphQL response too."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        answer: Response
        try:
            answer = await self.run(Request(scope, receive))
        except Unauthenticated as error:
            answer = refusal(401, error.code, error.message, {"WWW-Authenticate": "Bearer"})
        except Busy as error:
            answer = refusal(503, error.code, error.message, {"Retry-After": "1"})
        except HTTPException as error:
            answer = refusal(error.status_code, "INVALID_INPUT", error.reason)
        await answer(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context | Connection:
        """Raises Unauthenticated for a token that does not count; a WebSocket tells its own later."""
        resources: Resources = request.state.resources
        if isinstance(request, WebSocket):
            return Connection(resources)
        signed_in = await resources.authenticator.sign_in(request.headers.get("authorization"))
        return resources.context(signed_in.viewer)

    async def execute_operation(
        self,
        request: Request,
        request_adapter: Any,
        request_data: Any,
        context: Context | Connection,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult:
        """Run one query or mutation that came over HTTP; never as a stream, whatever the client would accept."""
        operation = Operation(request.state.resources.metrics)
        try:
            result = await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=(OperationType.QUERY, OperationType.MUTATION),
            )
            operation.answered(result.errors)
            return result
        except MissingQueryError as error:
            operation.refused()
            raise HTTPException(400, "The request has no `query`.") from error
        except CannotGetOperationTypeError as error:
            operation.refused()
            raise HTTPException(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            operation.refused()
            raise HTTPException(400, "A subscription needs a WebSocket, with graphql-transport-ws.") from error
        finally:
            operation.ended()

    async def on_ws_connect(self, context: Context | Connection) -> UnsetType | dict[str, object] | None:
        """Sign the connection in by the payload of connection_init; a token that does not count closes it (4403)."""
        assert isinstance(context, Connection)
        try:
            authorization = _authorization(context.connection_params or {})
            signed_in = await context.resources.authenticator.sign_in(authorization)
        except (Unauthenticated, Busy) as error:
            raise ConnectionRejectionError from error
        context.viewer, context.expires_at = signed_in.viewer, signed_in.expires_at
        nothing_more: UnsetType = UNSET
        return nothing_more

    def decode_json(self, data: str | bytes) -> object:
        """JSON; whatever can not be read raises json.JSONDecodeError, which the callers turn into a refusal."""
        found: object = orjson.loads(data)
        return found

    def encode_json(self, data: object) -> str:
        """JSON, of what the schema's scalars have made of the answer."""
        return orjson.dumps(data).decode()

    def parse_json(self, data: str | bytes) -> Any:
        """The body of a request: a JSON object, or a list, which is refused later as a batch."""
        found = super().parse_json(data)
        if not isinstance(found, dict | list):
            raise HTTPException(400, "The request must be a JSON object with a `query`.")
        return found


def _authorization(payload: Mapping[str, Any]) -> str | None:
    for name, value in payload.items():
        if name.lower() == "authorization" and value is not None:
            if not isinstance(value, str):
                raise Unauthenticated("The authorization must be text.")
            return value
    return None


def _is_well_formed(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] not in ("subscribe", "complete"):
        return True
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= OPERATION_ID_LENGTH_MAX:
        return False
    return message["type"] == "complete" or _is_request(message.get("payload"))


def _is_request(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
