"""A load generator: as many clients as wanted, each with one connection, asking as soon as it is answered.

It speaks just enough HTTP/1.1 to keep connections alive. A full client library costs as much CPU as the servers that
are measured, on the same cores.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

ANSWER_SECONDS_MAX: Final = 20.0
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"

MakeBody = Callable[[], bytes]
Classify = Callable[[int, bytes], str]
"""What became of a request, in a word, from the status and the body of its answer."""


@dataclass(slots=True)
class Load:
    """What clients saw: how long each answer took, what the answers were, and how long it went on."""

    latencies: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: "Load") -> None:
        """Count another round of the same in."""
        self.latencies += other.latencies
        self.outcomes += other.outcomes
        self.seconds += other.seconds

    @property
    def per_second(self) -> float:
        """Answers a second, of all rounds."""
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """The time, in milliseconds, in which this share of the answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    def only(self, outcome: str) -> None:
        """Raises if any answer was another: a figure of failures is no figure."""
        if set(self.outcomes) != {outcome}:
            raise RuntimeError(f"the answers were {dict(self.outcomes)}, and not all {outcome}")


class Client:
    """One kept connection to a server of this machine."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, token: str | None
    ) -> None:
        self._reader = reader
        self._writer = writer
        account = "" if token is None else f"Authorization: Bearer {token}\r\n"
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{account}Content-Type: application/json\r\nContent-Length: "
        )

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer, which must tell its length."""
        self._writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        head = await self._reader.readuntil(HEAD_END)
        lowered = head.lower()
        at = lowered.index(LENGTH) + len(LENGTH)
        length = int(head[at : head.index(b"\r", at)])
        return int(head[9:12]), await self._reader.readexactly(length)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


async def connect(port: int, path: str, *, token: str | None = None) -> Client:
    """A client of the server at this port, who shows a token if one is given."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    return Client(reader, writer, path, token)


async def drive(port: int, path: str, make_body: MakeBody, classify: Classify, *, clients: int, seconds: float) -> Load:
    """Let so many clients ask for so long; requests that have begun by then are answered, and counted."""
    return await drive_through(
        port, path, _bodies(make_body, time.perf_counter() + seconds), classify, clients=clients, seconds_max=seconds
    )


async def drive_through(
    port: int, path: str, bodies: Iterator[bytes], classify: Classify, *, clients: int, seconds_max: float
) -> Load:
    """Let so many clients ask for these, each what is next, until there are no more."""
    load = Load()
    connected = [await connect(port, path) for _ in range(clients)]
    began = time.perf_counter()
    try:
        async with asyncio.timeout(seconds_max + ANSWER_SECONDS_MAX):
            await asyncio.gather(*(_ask_on(each, bodies, classify, load) for each in connected))
    finally:
        load.seconds = time.perf_counter() - began
        for each in connected:
            await each.close()
    return load


def _bodies(make_body: MakeBody, until: float) -> Iterator[bytes]:
    while time.perf_counter() < until:
        yield make_body()


async def _ask_on(client: Client, bodies: Iterator[bytes], classify: Classify, load: Load) -> None:
    for body in bodies:
        began = time.perf_counter()
        status, answer = await client.ask(body)
        load.latencies.append(time.perf_counter() - began)
        load.outcomes[classify(status, answer)] += 1
