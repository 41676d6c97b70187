"""`vacancy run`: everything on one machine, from nothing, until Ctrl-C.

One process owns the state folder, the embedded servers with the payment simulator, and two children: `vacancy serve`
and `vacancy worker`. They stop in the opposite order of their start, whatever the reason, and none outlives
this process.
"""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Final

from server.embedded.payments import PUBLISHABLE_KEY, SECRET_KEY, EmbeddedPayments
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.process import spawn, stop_all
from server.embedded.state import State, locked_state
from server.embedded.valkey import EmbeddedValkey
from server.errors import OperatorError
from server.instance import check_database, noted_instance, with_secret
from server.payment_settings import WEBHOOK_PATH, PaymentSettings
from server.settings import Settings

READY_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.1
LIVEZ_SECONDS_MAX: Final = 2.0

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Where to ask a server that listens on every address.
WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound, compared

Say = Callable[[str], None]


class LaunchError(OperatorError):
    """The run cannot start or go on; the message is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that has to go on for the run to go on."""

    name: str
    has_exited: Callable[[], bool]


def run(settings: Settings, *, say: Say) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; then stop everything and return.

    Starts PostgreSQL and Valkey where DATABASE_URL and REDIS_URL name none, and a payment simulator where there is no
    STRIPE_API_KEY. Raises EmbeddedError when those cannot run, LaunchError when the port is taken or a part stops by
    itself; all else is stopped by then.
    """
    with _stop_signals_raise(), ExitStack() as stack:
        try:
            _serve_until_stopped(settings, stack, say)
        except KeyboardInterrupt:
            say("Stopping")
            # CPython takes an interrupt that left an exec of a string (an import that makes a dataclass has one) for
            # unhandled, and would end by SIGINT after all. The next exec of a string makes it forget.
            exec("")  # noqa: S102


def _serve_until_stopped(settings: Settings, stack: ExitStack, say: Say) -> None:
    state = stack.enter_context(locked_state(settings.state_dir))
    check_port(settings.host, settings.port)
    parts: list[Part] = []
    settings = with_secret(_with_servers(settings, state, stack, parts, say))
    stack.enter_context(noted_instance(settings))
    _prepare(settings, say)
    parts += _start_children(settings, state, stack, say)
    _wait_until_live(settings, parts)
    from server.welcome import lines

    for line in lines(settings):
        say(line)
    while True:
        _check(parts)
        time.sleep(POLL_SECONDS)


def check_port(host: str, port: int) -> None:
    """Raise LaunchError unless a server could listen on `host` and `port` now."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise LaunchError(f"VACANCY_HOST: {host!r} is no address of this machine ({error.strerror})") from error
    family, kind, protocol, _, address = addresses[0]
    with socket.socket(family, kind, protocol) as probe:
        # As the server does: without it, connections that ended a moment ago would look like a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise LaunchError(
                f"Port {port} on {host} cannot be used ({error.strerror}): stop what uses it, or choose another "
                "with VACANCY_PORT"
            ) from error


def _with_servers(settings: Settings, state: State, stack: ExitStack, parts: list[Part], say: Say) -> Settings:
    """Start the servers that the settings do not name, and return settings that name them."""
    if settings.database_url is None:
        say(f"Starting PostgreSQL in {state.path}")
        postgres = EmbeddedPostgres(state, pg_bin=settings.embedded_pg_bin)
        stack.callback(postgres.stop)
        postgres.start()
        parts.append(Part("PostgreSQL", postgres.has_exited))
        settings = replace(settings, database_url=postgres.app_url, migration_database_url=postgres.owner_url)
    if settings.redis_url is None:
        say("Starting Valkey")
        valkey = EmbeddedValkey(state)
        stack.callback(valkey.stop)
        valkey.start()
        parts.append(Part("Valkey", valkey.has_exited))
        settings = replace(settings, redis_url=valkey.url)
    return replace(settings, payments=_with_simulator(settings, state, stack, parts, say))


def _with_simulator(settings: Settings, state: State, stack: ExitStack, parts: list[Part], say: Say) -> PaymentSettings:
    """Start the payment simulator if money is to be collected and nobody says by whom, and return where it is."""
    from server.showcase import base_url

    payments = settings.payments
    if not payments.are_on or payments.api_key is not None:
        return payments
    say("Starting the payment simulator")
    simulator = EmbeddedPayments(state, webhook_url=f"{base_url(settings)}{WEBHOOK_PATH}")
    stack.callback(simulator.stop)
    simulator.start()
    parts.append(Part("The payment simulator", simulator.has_exited))
    return replace(
        payments,
        api_key=SECRET_KEY,
        publishable_key=PUBLISHABLE_KEY,
        url=simulator.url,
        webhook_secrets=(simulator.webhook_secret,),
    )


def _prepare(settings: Settings, say: Say) -> None:
    from models.migrate import migrate
    from server.seed import seed

    assert settings.database_url is not None
    assert settings.migration_database_url is not None
    asyncio.run(check_database(settings.migration_database_url))
    say("Migrating the database")
    asyncio.run(migrate(settings.migration_database_url, say=say))
    say("Putting in the example data")
    asyncio.run(seed(settings.database_url, say=say))


def _start_children(settings: Settings, state: State, stack: ExitStack, say: Say) -> list[Part]:
    say("Starting the server and the worker")
    # The one place where the environment is passed on as it is: PATH, LANG and the like are the children's too.
    environment = {**os.environ, **settings.to_environment()}
    children: dict[str, subprocess.Popen[bytes]] = {}
    stack.callback(lambda: stop_all(list(children.values()), signal.SIGTERM, wait_seconds=STOP_SECONDS_MAX))
    for name in ("serve", "worker"):
        children[name] = _spawn_command(name, state, environment)
    return [Part(f"`vacancy {name}`", _exit_of(child)) for name, child in children.items()]


def _spawn_command(name: str, state: State, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # -P: a folder `server` where the user happens to be must not shadow ours.
    command = [sys.executable, "-P", "-m", "server.cli", name]
    # With the lock: after a kill -9 of ours, the next run waits until the old server has given the port back.
    return spawn(command, env=environment, death_signal=signal.SIGTERM, keep_open=[state.lock_fd])


def _exit_of(child: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: child.poll() is not None


def _wait_until_live(settings: Settings, parts: list[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not _is_live(settings.host, settings.port):
        _check(parts)
        if time.monotonic() > deadline:
            raise LaunchError(f"The server did not answer within {READY_SECONDS_MAX:.0f} s")
        time.sleep(POLL_SECONDS)


def _is_live(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(WILDCARDS.get(host, host), port, timeout=LIVEZ_SECONDS_MAX)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _check(parts: list[Part]) -> None:
    for part in parts:
        if part.has_exited():
            raise LaunchError(f"{part.name} stopped by itself, so everything was stopped; see its last messages")


@contextmanager
def _stop_signals_raise() -> Iterator[None]:
    """Let the first of STOP_SIGNALS raise KeyboardInterrupt, and ignore the rest: stopping is bounded anyway."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
