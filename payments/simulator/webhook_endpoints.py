"""Webhook endpoints: where events are told, which of them, and the secrets that sign."""

from typing import Any, Final

from payments.simulator.documents import Document, new_id
from payments.simulator.lists import listed
from payments.simulator.operations import Call, Operation, delete, get, post
from payments.simulator.parameters import (
    COMMON,
    PAGED,
    boolean,
    list_of,
    merged,
    metadata,
    optional,
    required,
    text,
    unsettable,
)
from payments.simulator.refusals import invalid
from payments.simulator.world import API_VERSION, World

ENDPOINTS_MAX: Final = 16  # Stripe's, for an account

DETAILS: Final = {
    **COMMON,
    "description": optional(unsettable(text(5_000))),
    "metadata": optional(metadata),
}


def create(world: World, call: Call) -> Document:
    """A new endpoint. Its secret is shown in this answer only."""
    if len(list(world.documents.oldest_first("webhook_endpoint"))) >= ENDPOINTS_MAX:
        raise invalid(f"You have reached the maximum of {ENDPOINTS_MAX} test webhook endpoints.")
    endpoint = add_endpoint(world, call.params["url"], call.params["enabled_events"])
    endpoint["description"] = call.params.get("description")
    endpoint["metadata"] = merged({}, call.params.get("metadata"))
    world.put("webhook_endpoint", endpoint)
    return {**endpoint, "secret": endpoint["_secrets"][0][0]}


def add_endpoint(world: World, url: str, enabled_events: list[str], secret: str | None = None) -> Document:
    """Keep an endpoint at `url`. Raises Refusal unless it is a web address."""
    _check_url(url)
    endpoint: Document = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": world.now(),
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secrets": [[secret or new_id("whsec"), None]],  # each with when it ends; the one that stays comes first
    }
    return world.put("webhook_endpoint", endpoint)


def roll_secret(world: World, endpoint: Document, old_seconds: int) -> str:
    """A new secret; the old one signs beside it for `old_seconds`. In Stripe this is a button of the dashboard."""
    secret = new_id("whsec")
    old = [[endpoint["_secrets"][0][0], world.now() + old_seconds]] if old_seconds else []
    endpoint["_secrets"] = [[secret, None], *old]
    world.put("webhook_endpoint", endpoint)
    return secret


def secrets_of(world: World, endpoint: Document) -> list[str]:
    """What signs now."""
    return [secret for secret, ends in endpoint["_secrets"] if ends is None or ends > world.now()]


def wants(endpoint: Document, event_type: str) -> bool:
    """Whether the endpoint is told of events of this type."""
    enabled: list[str] = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or event_type in enabled)


def retrieve(world: World, call: Call) -> Document:
    """The endpoint."""
    return world.get("webhook_endpoint", call.path["id"])


def update(world: World, call: Call) -> Document:
    """Change what is given; `disabled` stops deliveries."""
    endpoint, params = world.get("webhook_endpoint", call.path["id"]), dict[str, Any](call.params)
    if "url" in params:
        _check_url(params["url"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["metadata"] = merged(endpoint["metadata"], params.get("metadata"))
    for name in ("description", "enabled_events", "url"):
        if name in params:
            endpoint[name] = params[name]
    return world.put("webhook_endpoint", endpoint)


def remove(world: World, call: Call) -> Document:
    """Delete the endpoint, and what it was still to be told."""
    endpoint = world.get("webhook_endpoint", call.path["id"])
    world.documents.remove("webhook_endpoint", endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def find_all(world: World, call: Call) -> Document:
    """A page of the endpoints."""
    return listed(world, "webhook_endpoint", call.params, "/v1/webhook_endpoints")


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )


OPERATIONS: Final[tuple[Operation, ...]] = (
    post(
        "/v1/webhook_endpoints",
        create,
        {**DETAILS, "enabled_events": required(list_of(text(100))), "url": required(text(2_048))},
    ),
    get("/v1/webhook_endpoints", find_all, PAGED),
    get("/v1/webhook_endpoints/{id}", retrieve),
    post(
        "/v1/webhook_endpoints/{id}",
        update,
        {
            **DETAILS,
            "disabled": optional(boolean),
            "enabled_events": optional(list_of(text(100))),
            "url": optional(text(2_048)),
        },
    ),
    delete("/v1/webhook_endpoints/{id}", remove),
)
