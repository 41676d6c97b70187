"""The one reader of this process: it listens on the channels of the organizations that are watched."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, NoReturn

from redis.asyncio.client import PubSub

from subscriptions.channels import Hint, channel_of, connect, decode, organization_of
from subscriptions.outage import Outage

POLL_SECONDS = 0.1
CHANNELS_PER_COMMAND_MAX = 500


async def read_hints(
    redis_url: str,
    wanted: Callable[[], set[uuid.UUID]],
    *,
    on_hint: Callable[[Hint], None],
    on_listening: Callable[[uuid.UUID], None],
) -> None:
    """Listen until cancelled, through failures of Redis; `wanted` tells which organizations' hints are wanted now.

    `on_listening` is called whenever Redis begins to send those of an organization, first or again: what happened
    before may have been missed.
    """
    outage = Outage("Listening for live updates")
    redis = connect(redis_url)
    try:
        while True:
            pubsub = redis.pubsub()
            try:
                await _listen(pubsub, wanted, on_hint, on_listening, outage)
            except Exception as error:  # noqa: BLE001 - the loop goes on whatever happens; an outage is logged once
                pause_seconds = outage.failed(error)
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py has it so
            # A fresh subscription after every failure: redis-py's own would come back without a word.
            await asyncio.sleep(pause_seconds)
    finally:
        await redis.aclose()


async def _listen(
    pubsub: PubSub,
    wanted: Callable[[], set[uuid.UUID]],
    on_hint: Callable[[Hint], None],
    on_listening: Callable[[uuid.UUID], None],
    outage: Outage,
) -> NoReturn:
    listening: set[str] = set()
    while True:
        channels = {channel_of(organization_id) for organization_id in wanted()}
        for some in _portions(channels - listening):
            await pubsub.subscribe(*some)
        for some in _portions(listening - channels):
            await pubsub.unsubscribe(*some)
        listening = channels
        if not pubsub.subscribed:
            await asyncio.sleep(POLL_SECONDS)
            continue
        message = await pubsub.get_message(timeout=POLL_SECONDS)
        if message is not None:
            _handle(message, on_hint, on_listening, outage)


def _handle(
    message: dict[str, Any],
    on_hint: Callable[[Hint], None],
    on_listening: Callable[[uuid.UUID], None],
    outage: Outage,
) -> None:
    channel = message["channel"]
    if message["type"] == "message":
        hint = decode(channel, message["data"])
        if hint is not None:
            on_hint(hint)
    elif message["type"] == "subscribe":
        outage.over()
        organization_id = organization_of(channel)
        if organization_id is not None:
            on_listening(organization_id)


def _portions(channels: set[str]) -> list[list[str]]:
    ordered = sorted(channels)
    return [
        ordered[first : first + CHANNELS_PER_COMMAND_MAX] for first in range(0, len(ordered), CHANNELS_PER_COMMAND_MAX)
    ]
