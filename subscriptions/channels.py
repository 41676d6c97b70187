"""What goes through Redis: hints that something has a new version. They name no person and decide nothing.

Classic pub/sub, one channel per organization: on a cluster any node takes a PUBLISH and passes it on to all others, so
a plain client to one node is enough.
"""

import json
import uuid
from typing import Any, NamedTuple

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from models.ledger.tables import OutboxKind

PREFIX = "vacancy:"
SOCKET_SECONDS_MAX = 0.25
CONNECT_SECONDS_MAX = 1.0


class Entity(NamedTuple):
    """A resource, a booking or an entry of a waitlist, of an organization."""

    organization_id: uuid.UUID
    kind: OutboxKind
    id: uuid.UUID


class Hint(NamedTuple):
    """An entity has (at least) this version now."""

    entity: Entity
    version: int


def channel_of(organization_id: uuid.UUID) -> str:
    """The channel for everything of one organization."""
    return f"{PREFIX}{organization_id}"


def organization_of(channel: str) -> uuid.UUID | None:
    """The organization of a channel, or None if it is no channel of ours."""
    try:
        return uuid.UUID(channel.removeprefix(PREFIX))
    except ValueError:
        return None


def encode(hint: Hint) -> str:
    """The hint as a message on its organization's channel."""
    message = {"kind": hint.entity.kind, "id": str(hint.entity.id), "version": hint.version}
    return json.dumps(message, separators=(",", ":"))


def decode(channel: str, message: str) -> Hint | None:
    """The hint in a message, or None: whatever else somebody publishes there is passed over."""
    organization_id = organization_of(channel)
    try:
        found = json.loads(message)
        entity_id, kind, version = uuid.UUID(found["id"]), OutboxKind(found["kind"]), int(found["version"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return None if organization_id is None else Hint(Entity(organization_id, kind, entity_id), version)


def connect(redis_url: str) -> Redis:
    """A client for redis://, rediss:// or unix://. It fails fast and repeats nothing: its users know better when to.

    With its own defaults a publication to a dead server would take 15 seconds to fail.
    """
    keepalive = {} if redis_url.startswith("unix:") else {"socket_keepalive": True}
    return Redis.from_url(redis_url, **_options(), **keepalive)


def connect_cluster(redis_url: str) -> RedisCluster:
    """The same for keys on any node of a cluster, of which the URL names one."""
    return RedisCluster.from_url(redis_url, **_options())


def _options() -> dict[str, Any]:
    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": SOCKET_SECONDS_MAX,
        "socket_connect_timeout": CONNECT_SECONDS_MAX,
        "decode_responses": True,
        "protocol": 2,
        "client_name": "vacancy",
    }
