"""The page of the simulated bank: the buyer authenticates a payment there, or fails to.

It is where `next_action` sends the buyer, and it sends them back to where the shop said. Tests post its form.
"""

import html
import secrets
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from payments.simulator.account import Account
from payments.simulator.confirming import fail_authentication, settle
from payments.simulator.documents import Document
from payments.simulator.money import shown_money
from payments.simulator.refusals import Refusal

FORM_BYTES_MAX: Final = 1_000

PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 18px/1.5 system-ui; max-width: 30em; margin: 4em auto; padding: 0 1em }}
button {{ font: inherit }}
</style>
<h1>{title}</h1>
{content}
</html>
"""
FORM: Final = """\
<p>Payment of {money}. This is the payment simulator: no bank is asked, and no money moves.</p>
<form method="post">
<button name="outcome" value="succeed">Authenticate</button>
<button name="outcome" value="fail">Fail</button>
</form>
"""


class Pages:
    """Serves the page of each intent that waits for its buyer."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def ask(self, request: Request) -> Response:
        """The question."""
        intent = self._waiting(request)
        if intent is None:
            return _page("Nothing to authenticate", "<p>This payment does not wait for you.</p>", 404)
        money = html.escape(shown_money(intent["amount"], intent["currency"]))
        return _page("Authenticate your payment", FORM.format(money=money))

    async def answer(self, request: Request) -> Response:
        """The buyer's answer; then back to the shop."""
        body = b"".join([chunk async for chunk in request.stream()])[:FORM_BYTES_MAX]
        outcome = dict(parse_qsl(body.decode("ascii", "replace"))).get("outcome")
        intent = self._waiting(request)
        if intent is None:
            return _page("Nothing to authenticate", "<p>This payment does not wait for you.</p>", 404)
        if outcome not in ("succeed", "fail"):
            return _page("Authenticate your payment", "<p>The outcome is to succeed or to fail.</p>", 400)
        world = self._account.world
        intent["_token"] = None
        if outcome == "fail":
            fail_authentication(world, intent)
        else:
            intent["_authenticated"] = True
            try:
                settle(world, intent)
            except Refusal:
                outcome = "fail"  # the bank declined after all: the intent tells why
        world.documents.save()
        return _back(intent, outcome)

    def _waiting(self, request: Request) -> Document | None:
        """The intent that the address opens, if it waits for this very attempt to be authenticated."""
        self._account.settle()
        intent = self._account.world.documents.find("payment_intent", request.path_params["id"])
        if intent is None or intent["status"] != "requires_action":
            return None
        matches = secrets.compare_digest(intent["_token"].encode(), request.path_params["token"].encode())
        return intent if matches else None


def _back(intent: Document, outcome: str) -> Response:
    if intent["_return_url"] is None:
        return _page("Done", "<p>You can close this page.</p>")
    parts = urlsplit(intent["_return_url"])
    told = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("payment_intent", intent["id"]),
        ("payment_intent_client_secret", intent["client_secret"]),
        ("redirect_status", "succeeded" if outcome == "succeed" else "failed"),
    ]
    return RedirectResponse(urlunsplit(parts._replace(query=urlencode(told))), 303)


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(
        PAGE.format(title=title, content=content),
        status,
        {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"},
    )
