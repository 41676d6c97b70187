"""A server that takes webhooks, for tests: what came, in order, and what it answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import stripe

STATUS = "HTTP/1.1 {} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Received(NamedTuple):
    """One webhook as it came."""

    body: bytes
    signature: str

    def event(self, secret: str) -> stripe.Event:
        """The event, if its signature is good: stripe-python's own judgment."""
        event: stripe.Event = stripe.Webhook.construct_event(self.body, self.signature, secret)
        return event


class Receiver:
    """Answers with what `answer` says to the n-th webhook, from 1; 0 is no answer at all."""

    def __init__(self, answer: Callable[[int], int]) -> None:
        self.received: list[Received] = []
        self.url = ""
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Received(body, headers["stripe-signature"]))
        status = self._answer(len(self.received))
        if status:
            writer.write(STATUS.format(status).encode())
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def receiver(answer: Callable[[int], int] = lambda number: 200) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiving = Receiver(answer)
    server = await asyncio.start_server(receiving.serve, "127.0.0.1")
    async with server:
        receiving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks"
        yield receiving
