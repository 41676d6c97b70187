"""The control API, below /simulator: faults, the clock, webhooks, and what the account holds. JSON, for tests.

It is not Stripe's. Only `application/json` is taken, so that no web page can send it from another origin.
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from json import JSONDecodeError
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payments.simulator.account import Account
from payments.simulator.disputes import decide, open_dispute
from payments.simulator.documents import Document, shown
from payments.simulator.faults import Fault, FaultKind
from payments.simulator.refusals import Refusal, invalid
from payments.simulator.webhook_endpoints import roll_secret

Given = dict[str, Any]
Handler = Callable[[Account, Request, Given], object]

FAULT_FIELDS: Final = {field.name for field in fields(Fault)} - {"id", "met"}
OLD_SECRET_SECONDS_MAX: Final = 7 * 24 * 3_600


def state(account: Account, _request: Request, _given: Given) -> object:
    """How many objects there are, the money, the webhooks on their way, and the clock."""
    return {
        "now": account.world.now(),
        "ahead_seconds": account.world.clock.ahead_seconds,
        "objects": account.world.documents.counts(),
        "money": account.money(),
        "webhooks": {
            "waiting": account.deliveries.waiting,
            "sent": account.deliveries.sent,
            "failed": account.deliveries.failed,
        },
    }


def requests(account: Account, _request: Request, _given: Given) -> object:
    """The last requests, oldest first."""
    return list(account.log)


def faults(account: Account, _request: Request, _given: Given) -> object:
    """The faults that were set, and how often each was met."""
    return account.faults.shown()


def add_fault(account: Account, _request: Request, given: Given) -> object:
    """Set a fault."""
    unknown = sorted(set(given) - FAULT_FIELDS)
    if unknown or "kind" not in given:
        raise ValueError(f"unknown: {', '.join(unknown)}" if unknown else "kind is missing")
    fault = Fault(**{**given, "kind": FaultKind(given["kind"])})
    account.faults.add(fault)
    return fault.shown()


def clear_faults(account: Account, _request: Request, _given: Given) -> object:
    """Remove all faults."""
    account.faults.clear()
    return []


def advance(account: Account, request: Request, given: Given) -> object:
    """Let `seconds` pass at once, and what was to happen in them."""
    account.world.advance(_integer(given, "seconds"))
    account.settle()
    return state(account, request, given)


def pause(account: Account, request: Request, given: Given) -> object:
    """Hold all webhooks back while `paused`."""
    account.deliveries.pause(bool(given.get("paused", True)))
    return state(account, request, given)


def resend(account: Account, request: Request, _given: Given) -> object:
    """Send the webhooks of an event once more, to every endpoint."""
    event = account.world.get("event", request.path_params["id"])
    for endpoint in account.world.documents.oldest_first("webhook_endpoint"):
        account.deliveries.resend(event, endpoint)
    account.world.documents.save()
    return shown({name: value for name, value in event.items() if name in ("id", "type", "created")})


def roll(account: Account, request: Request, given: Given) -> object:
    """A new signing secret for an endpoint; the old one signs beside it for `old_seconds`."""
    endpoint = account.world.get("webhook_endpoint", request.path_params["id"])
    seconds = _integer(given, "old_seconds")
    if not 0 <= seconds <= OLD_SECRET_SECONDS_MAX:
        raise ValueError(f"old_seconds must be from 0 to {OLD_SECRET_SECONDS_MAX}")
    secret = roll_secret(account.world, endpoint, seconds)
    account.world.documents.save()
    return {"secret": secret}


def dispute(account: Account, request: Request, given: Given) -> object:
    """Have the buyer dispute a charge, for `reason`."""
    charge = account.world.get("charge", request.path_params["id"])
    if not charge["captured"] or charge["disputed"]:
        raise invalid("Only a captured charge can be disputed, and once.")
    opened = open_dispute(account.world, charge, str(given.get("reason", "fraudulent")))
    account.world.documents.save()
    return shown(opened)


def decide_dispute(account: Account, request: Request, given: Given) -> object:
    """Have the bank decide a dispute: `verdict` is won or lost."""
    if given.get("verdict") not in ("won", "lost"):
        raise ValueError("verdict must be won or lost")
    decided = decide(account.world, account.world.get("dispute", request.path_params["id"]), given["verdict"])
    account.world.documents.save()
    return shown(decided)


def set_tax_rate(account: Account, _request: Request, given: Given) -> object:
    """The tax of a country: `country`, `percentage` as text, `display_name`, `tax_type`."""
    if set(given) - {"country", "percentage", "display_name", "tax_type"}:
        raise ValueError("a tax rate has country, percentage, display_name and tax_type")
    country, percentage = str(given["country"]).upper(), str(given["percentage"])
    if not percentage.replace(".", "", 1).isdigit() or len(percentage) > 10 or len(country) != 2:
        raise ValueError("country has two letters, and percentage is a number such as 6.0")
    kept: Document = {
        "id": country,
        "display_name": str(given.get("display_name", "VAT")),
        "tax_type": str(given.get("tax_type", "vat")),
        "percentage": percentage,
    }
    account.world.put("tax_rate", kept)
    account.world.documents.save()
    return kept


def reset(account: Account, request: Request, given: Given) -> object:
    """Forget everything."""
    account.clear()
    return state(account, request, given)


TABLE: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "", state),
    ("GET", "/requests", requests),
    ("GET", "/faults", faults),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("POST", "/clock", advance),
    ("POST", "/webhooks", pause),
    ("POST", "/events/{id}/resend", resend),
    ("POST", "/webhook_endpoints/{id}/roll", roll),
    ("POST", "/charges/{id}/dispute", dispute),
    ("POST", "/disputes/{id}/decide", decide_dispute),
    ("POST", "/tax_rates", set_tax_rate),
    ("POST", "/reset", reset),
)


def control_routes(account: Account) -> list[Route]:
    """The routes of the control API."""
    return [Route(f"/simulator{path}", _endpoint(account, run), methods=[method]) for method, path, run in TABLE]


def _endpoint(account: Account, run: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return JSONResponse(run(account, request, await _given(request)))
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": {"message": str(error)}}, 400)

    return serve


async def _given(request: Request) -> Given:
    if request.method != "POST":
        return {}
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ValueError("the control API takes application/json")
    try:
        given = await request.json()
    except JSONDecodeError:
        raise ValueError("the body is no JSON") from None
    if not isinstance(given, dict):
        raise TypeError("the body is no object")
    return given


def _integer(given: Given, name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number")
    return value
