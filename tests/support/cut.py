"""A line to PostgreSQL that can lose an answer: the server has committed, and the client never hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.engine import make_url

CHUNK_BYTES = 65536


@dataclass
class Line:
    """A proxy in front of a database. `url` goes through it."""

    url: str
    armed: bool = False
    is_dead: bool = False
    answers_lost: int = field(default=0)

    def lose_next_answer(self) -> None:
        """The next bytes that the server sends are thrown away, and that client's connection with them."""
        self.armed = True

    def lose_all_answers(self) -> None:
        """So it goes with the next bytes, and with all that the server sends to anybody after that."""
        self.is_dead = True


@asynccontextmanager
async def line_to(database_url: str) -> AsyncIterator[Line]:
    """A line to the database at `database_url`, on a port of the loopback interface."""
    line = Line("")

    async def carry_questions(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
        writer.close()

    async def carry_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if line.armed or line.is_dead:
                line.armed = False
                line.answers_lost += 1
                break
            writer.write(chunk)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await _reach(database_url)
        await asyncio.gather(
            carry_questions(reader, server_writer), carry_answers(server_reader, writer), return_exceptions=True
        )
        server_writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    url = make_url(database_url).set(host="127.0.0.1", port=port, query={})
    line.url = url.render_as_string(hide_password=False)
    try:
        yield line
    finally:
        listener.close()


async def _reach(database_url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(database_url)
    folder = parse_qs(parts.query).get("host", [""])[0]
    if folder.startswith("/"):
        port = parse_qs(parts.query).get("port", ["5432"])[0]
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
    return await asyncio.open_connection(parts.hostname, parts.port or 5432)
