"""One request to the API, from its key to its answer.

Who asks; which fault it meets; whether its idempotency key was answered before; what it asks for; and only then the
operation itself, which is one plain function.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from payments.simulator.account import Account
from payments.simulator.documents import Document, new_id
from payments.simulator.expansion import expanded
from payments.simulator.faults import Fault, FaultKind
from payments.simulator.forms import Form, read_form
from payments.simulator.idempotency import Saved
from payments.simulator.keys import is_publishable, not_allowed
from payments.simulator.operations import Call, Operation
from payments.simulator.parameters import read_parameters
from payments.simulator.refusals import Malformed, Refusal
from payments.simulator.world import API_VERSION, UNASKED

BODY_BYTES_MAX: Final = 1_000_000

logger = logging.getLogger("vacancy.payments")

Drop = Callable[[Request], None]
"""Ends the connection of a request at once."""


class Asked(NamedTuple):
    """A request whose caller is known."""

    operation: Operation
    request: Request
    form: Form
    publishable: bool
    request_id: str
    key: str | None


class Silence(Response):
    """No answer at all: the connection has ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


class Api:
    """Answers requests for one account."""

    def __init__(self, account: Account, drop: Drop) -> None:
        self._account = account
        self._drop = drop

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        """What serves `operation`."""

        async def serve(request: Request) -> Response:
            request_id = new_id("req")
            entry: dict[str, Any] = {
                "id": request_id,
                "operation": operation.name,
                "path": request.url.path,
                "status": None,
            }
            self._account.log.append(entry)
            try:
                asked = await self._asked(operation, request, request_id)
                entry["idempotency_key"] = asked.key
                response = await self._met(asked, entry)
            except Refusal as refusal:
                response = _response(Saved(refusal.status, _json(refusal.body()), request_id))
            except ClientDisconnect:
                response = Silence()
            entry["status"] = None if isinstance(response, Silence) else response.status_code
            return response

        return serve

    async def _asked(self, operation: Operation, request: Request, request_id: str) -> Asked:
        _check_version(request)
        body = await _body(request)
        try:
            text = body.decode("ascii") if request.method == "POST" else request.url.query
        except UnicodeDecodeError:
            raise Malformed("Invalid request: the body is no form that can be read.") from None
        form = read_form(text)
        publishable = is_publishable(
            request.headers.get("authorization"), form.pop("key", None), self._account.settings.secret_key
        )
        if publishable and not operation.publishable:
            raise not_allowed()
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        return Asked(operation, request, form, publishable, request_id, key)

    async def _met(self, asked: Asked, entry: dict[str, Any]) -> Response:
        """The answer, or what a fault makes of it."""
        fault = self._account.faults.of_request(asked.operation.name, asked.request.url.path)
        entry["fault"] = fault.kind.value if fault is not None else None
        match fault:
            case Fault(kind=FaultKind.RATE_LIMITED):
                raise Refusal(
                    429, "invalid_request_error", "Too many requests hit the API too quickly.", code="rate_limit"
                )
            case Fault(kind=FaultKind.ERROR_BEFORE):
                return _response(_broken(asked.request_id), should_retry=True)
            case Fault(kind=FaultKind.LOST_BEFORE | FaultKind.HANG_BEFORE):
                return await self._silence(asked.request, fault)
            case _:
                return await self._once(asked, fault, entry)

    async def _once(self, asked: Asked, fault: Fault | None, entry: dict[str, Any]) -> Response:
        """Carry it out, unless its key has an answer already."""
        replies = self._account.replies
        endpoint = asked.request.url.path
        saved = replies.begin(asked.key, endpoint, asked.form) if asked.key is not None else None
        if saved is not None:
            entry["replayed"] = True
            return _response(saved, replayed_for=asked.request_id)
        try:
            if fault is not None and fault.kind is FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
                if replies is not self._account.replies:
                    return await self._silence(asked.request, fault)  # all was forgotten meanwhile
            answer = self._carried_out(asked)
            if fault is not None and fault.kind is FaultKind.ERROR_AFTER:
                answer = _broken(asked.request_id)
            if asked.key is not None:
                replies.finish(asked.key, endpoint, asked.form, answer)
        finally:
            if asked.key is not None:
                replies.abandon(asked.key)
            self._account.world.documents.save()
        if fault is not None and fault.kind in (FaultKind.LOST_AFTER, FaultKind.HANG_AFTER):
            return await self._silence(asked.request, fault)
        return _response(answer, should_retry=False if answer.status >= 500 else None)

    def _carried_out(self, asked: Asked) -> Saved:
        """What the operation answers. Raises Malformed if it cannot begin; other refusals are answers."""
        params = read_parameters(asked.operation.parameters, asked.form)
        expand: list[str] = params.pop("expand", [])
        world = self._account.world
        call = Call(dict(asked.request.path_params), params, _base_url(asked.request), _secret(asked, params))
        self._account.settle()
        world.request = {"id": asked.request_id, "idempotency_key": asked.key}
        begun = False
        try:
            document = asked.operation.run(world, call)
            begun = True  # what is done is done, also if its answer cannot be told as it was asked for
            return Saved(200, _json(expanded(world, document, expand)), asked.request_id)
        except Refusal as refusal:
            if isinstance(refusal, Malformed) and not begun:
                raise
            return Saved(refusal.status, _json(refusal.body()), asked.request_id)
        except Exception:
            logger.exception("%s failed: a defect of the simulator", asked.operation.name)
            return _broken(asked.request_id)
        finally:
            world.request = UNASKED

    async def _silence(self, request: Request, fault: Fault) -> Response:
        """End the connection without an answer, at once or after the fault's time."""
        if fault.kind in (FaultKind.HANG_BEFORE, FaultKind.HANG_AFTER):
            with suppress(TimeoutError):
                async with asyncio.timeout(fault.seconds):
                    await _disconnected(request)
        self._drop(request)
        await _disconnected(request)
        return Silence()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Malformed("Invalid request: the body is too large.")
    return body


def _secret(asked: Asked, params: dict[str, Any]) -> str | None:
    """The intent's secret that a browser shows; none is needed with the secret key."""
    secret = params.pop("client_secret", None)
    return (secret or "") if asked.publishable else None


def _check_version(request: Request) -> None:
    version = request.headers.get("stripe-version", API_VERSION)
    date, _, name = version.partition(".")
    digits = date.replace("-", "")
    if len(date) != 10 or not (digits.isascii() and digits.isdigit()) or not (name.isalpha() or not name):
        raise Malformed(f"Invalid Stripe API version: {version[:50]}")


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _broken(request_id: str) -> Saved:
    error = {"message": "An unknown error occurred.", "type": "api_error"}
    return Saved(500, _json({"error": error}), request_id)


def _json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False)


def _response(answer: Saved, *, replayed_for: str | None = None, should_retry: bool | None = None) -> Response:
    headers = {"Request-Id": replayed_for or answer.request_id, "Stripe-Version": API_VERSION}
    if replayed_for is not None:
        headers |= {"Idempotent-Replayed": "true", "Original-Request": answer.request_id}
    if should_retry is not None:
        headers["Stripe-Should-Retry"] = str(should_retry).lower()
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="Stripe"'
    return Response(answer.body, answer.status, headers, media_type="application/json")
