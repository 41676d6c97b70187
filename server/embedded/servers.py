"""Both embedded servers for the length of a `with`: what `vacancy run` and the tests stand on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.embedded.postgres import EmbeddedPostgres
from server.embedded.state import locked_state
from server.embedded.valkey import EmbeddedValkey


@dataclass(frozen=True, slots=True)
class Servers:
    """Two running servers, and how to reach them. The URLs hold passwords and are not printed."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    redis_url: str = field(repr=False)


@contextmanager
def embedded_servers(state_dir: Path, *, durable: bool = True, pg_bin: Path | None = None) -> Iterator[Servers]:
    """Start PostgreSQL and Valkey on `state_dir`, and stop them at the end, whatever happens in between.

    Call it from the main thread. As root, every folder above `state_dir` must be open to pass through
    (`tempfile.mkdtemp` is; pytest's `tmp_path` is not). `durable=False` is for throw-away test clusters.
    Raises EmbeddedError.
    """
    with locked_state(state_dir) as state, ExitStack() as stack:
        postgres = EmbeddedPostgres(state, durable=durable, pg_bin=pg_bin)
        stack.callback(postgres.stop)
        postgres.start()
        valkey = EmbeddedValkey(state)
        stack.callback(valkey.stop)
        valkey.start()
        yield Servers(postgres, valkey, postgres.owner_url, postgres.app_url, valkey.url)
