"""A manager who sets prices, taxes and policies over GraphQL, and what they answer."""

from typing import Any

from engine.viewer import Viewer
from models.resource import Resource
from tests.resolvers.conftest import Asker, id_of
from tests.support.staff import fresh_key

MONEY = "{ amount currency }"
SAMPLE = f"""{{ subtotal {MONEY} tax {MONEY} total {MONEY} dueNow {MONEY} dueAtVenue {MONEY}
    dueLater {{ by amount {MONEY} }}
    taxes {{ code label amount {{ amount text(locale: "pt-PT") }} rate included collect }}
    cancellation {{ refundNow {MONEY} steps {{ until refund {MONEY} }} }} }}"""
TAX = "id type name parameters scope priority validFrom validUntil version"
POLICY = "id code name parameters scope priority validFrom validUntil version"
ERRORS = "errors { __typename code message path ... on VersionConflict { current } }"
PAYLOADS = {
    "taxRule": f"{{ made: taxRule {{ {TAX} }} samples {{ before {SAMPLE} after {SAMPLE} }} {ERRORS} }}",
    "cancellationPolicy": (
        f"{{ made: cancellationPolicy {{ {POLICY} }} samples {{ before {SAMPLE} after {SAMPLE} }} {ERRORS} }}"
    ),
    "ratePlan": f"{{ made: ratePlan {{ id }} samples {{ after {SAMPLE} }} {ERRORS} }}",
}
IVA: dict[str, Any] = {"type": "PERCENT", "name": "IVA", "parameters": {"code": "IVA", "rate": "6", "included": True}}
TMT: dict[str, Any] = {
    "type": "PER_PERSON_NIGHT",
    "name": "Taxa Municipal Turística",
    "parameters": {
        "code": "TMT", "amount": 400, "maxNights": 7, "collect": "AT_VENUE", "bands": [{"maxAge": 12, "amount": 0}],
    },
}  # fmt: skip
FLEXIBLE: dict[str, Any] = {
    "code": "FLEXIBLE",
    "name": "Flexible",
    "parameters": {
        "steps": [{"daysBefore": 7, "at": "18:00", "refund": "100"}, {"daysBefore": 2, "at": "18:00", "refund": "50"}],
        "deposit": {"percent": "30"},
        "balance": {"daysBefore": 14},
    },
}
STANDARD: dict[str, Any] = {
    "code": "STANDARD",
    "name": "Standard",
    "parameters": {"amount": 10_000, "every": "NIGHT"},
}
FEE: dict[str, Any] = {
    "code": "FEE",
    "name": "With a fee",
    "parameters": {"steps": [{"hoursBefore": 48, "fee": 2_500}]},
}


class Manager:
    """Sets and removes what a venue has."""

    def __init__(self, ask: Asker, viewer: Viewer) -> None:
        self.ask, self.viewer = ask, viewer

    async def __call__(self, what: str, verb: str = "Set", **input: Any) -> dict[str, Any]:
        """The payload."""
        name = f"{what[0].upper()}{what[1:]}{verb}Input"
        operation = f"mutation ($input: {name}!) {{ done: {what}{verb}(input: $input) {PAYLOADS[what]} }}"
        given = {"input": {"idempotencyKey": fresh_key()} | input}
        return dict((await self.ask(operation, given, viewer=self.viewer))["done"])

    async def done(self, what: str, verb: str = "Set", **input: Any) -> dict[str, Any]:
        """What was made; the test fails if it was refused."""
        payload = await self(what, verb, **input)
        assert payload["errors"] == []
        return dict(payload["made"])

    async def refused(self, what: str, verb: str = "Set", **input: Any) -> dict[str, Any]:
        """The one error; the test fails if anything else is in the payload."""
        payload = await self(what, verb, **input)
        [error] = payload.pop("errors")
        assert set(payload.values()) == {None}
        return dict(error)

    async def sets_prices(self, room: Resource) -> None:
        """100.00 a night, and 4.00 of tourist tax for each guest and night, collected with the booking."""
        await self.done("ratePlan", resourceId=id_of(room), **STANDARD)
        collected_now = TMT["parameters"] | {"collect": "NOW"}
        await self.done("taxRule", resourceId=id_of(room), **(TMT | {"parameters": collected_now}))


def euros(amount: int) -> dict[str, Any]:
    """As it is told."""
    return {"amount": amount, "currency": "EUR"}
