"""What the API refuses: an HTTP status and an error body of Stripe's shape.

Texts are Stripe's own where they are known; `type` and `code` are what clients may decide by.
"""

from typing import Any, Final

DOCUMENTATION: Final = "https://docs.stripe.com/error-codes/"

Details = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error. `details` are further members of the error object: decline_code, payment_intent."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        details: Details | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.details = details or {}

    def body(self) -> Details:
        """The JSON of the answer. Absent members are left out, as Stripe does."""
        error: Details = dict(self.details)
        error["message"] = self.message
        error["type"] = self.kind
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = DOCUMENTATION + self.code.replace("_", "-")
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


class Malformed(Refusal):
    """The request cannot be carried out as it stands: the endpoint did not begin, so no key remembers the answer."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(400, "invalid_request_error", message, code=code, param=param)


def invalid(
    message: str, *, code: str | None = None, param: str | None = None, details: Details | None = None
) -> Refusal:
    """The endpoint began, and what it was asked for makes no sense in the state that things are in."""
    return Refusal(400, "invalid_request_error", message, code=code, param=param, details=details)


def missing(kind: str, identifier: str, param: str = "id", *, status: int = 404) -> Refusal:
    """There is no such object; 404 if the path names it, 400 if a parameter does."""
    name = "PaymentMethod" if kind == "payment_method" else kind
    return Refusal(
        status, "invalid_request_error", f"No such {name}: '{identifier}'", code="resource_missing", param=param
    )


def unauthorized(message: str, code: str | None = None) -> Refusal:
    """The key is none that counts here."""
    return Refusal(401, "invalid_request_error", message, code=code)


def card_error(message: str, *, code: str, decline_code: str | None = None, param: str | None = None) -> Refusal:
    """The card was refused; who catches it adds the intent, the charge and the payment method."""
    details = {} if decline_code is None else {"decline_code": decline_code}
    return Refusal(402, "card_error", message, code=code, param=param, details=details)
