"""Which database, Redis, secret and payment account a command works with: the environment's, or a `vacancy run`'s.

A run notes in its state folder how to reach its servers, so that `vacancy token` in a second terminal needs
no settings. The note holds passwords and is for its owner's eyes only.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import asyncpg

from server.embedded.errors import StateUnusable
from server.embedded.state import is_taken, kept_secret, write_private
from server.errors import OperatorError
from server.payment_settings import PaymentSettings
from server.settings import Settings, without_password

NOTE_FILE: Final = "instance.json"
KEY_FILE: Final = "secret"
CONNECT_SECONDS_MAX: Final = 5.0
ACCOUNT: Final = ("api_key", "publishable_key", "webhook_secrets", "url")
"""Of the payment settings, what names an account of the provider: all of it is another's, or none."""


class NotRunning(OperatorError):
    """No `vacancy run` is running on the state folder, and no DATABASE_URL says where else to look."""


class DatabaseUnreachable(OperatorError):
    """The database that the settings name does not let us in; the message says why."""


class NoSecret(OperatorError):
    """There is nothing to sign tokens with; the message names VACANCY_SECRET."""


def with_instance(settings: Settings) -> Settings:
    """`settings` with what they leave open filled in from the state folder: URLs, the signing secret, who is paid.

    Both database URLs and a secret are there afterwards. With DATABASE_URL set and REDIS_URL not, there is no
    Redis. Raises NotRunning when DATABASE_URL is not set and no `vacancy run` owns the state folder.
    """
    if settings.database_url is None:
        noted = _running_instance(settings)
        settings = replace(
            settings,
            database_url=noted["database_url"],
            migration_database_url=noted["migration_database_url"],
            redis_url=settings.redis_url or noted["redis_url"],
            payments=_with_account(settings.payments, noted.get("payments")),
        )
    return with_secret(settings)


def with_secret(settings: Settings) -> Settings:
    """`settings` with the secret of the state folder, made if need be, where VACANCY_SECRET names none.

    Raises NoSecret where it can not be kept there either: on a read-only disk, for one.
    """
    if settings.secrets:
        return settings
    try:
        return replace(settings, secrets=(kept_secret(settings.state_dir, KEY_FILE),))
    except (StateUnusable, OSError) as error:
        raise NoSecret(f"VACANCY_SECRET is not set, and none can be kept. {error}") from error


@contextmanager
def noted_instance(settings: Settings) -> Iterator[None]:
    """While the `with` lasts, let other commands on the same state folder find these servers."""
    note = settings.state_dir / NOTE_FILE
    names = ("database_url", "migration_database_url", "redis_url")
    noted: dict[str, object] = {name: getattr(settings, name) for name in names}
    noted["payments"] = {name: getattr(settings.payments, name) for name in ACCOUNT}
    write_private(note, json.dumps(noted))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


async def check_database(url: str) -> None:
    """Raise DatabaseUnreachable, with the reason in one line, unless the database at `url` lets us in."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
        await connection.close()
    except (OSError, TimeoutError, socket.gaierror, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or "no answer"
        raise DatabaseUnreachable(f"No connection to {without_password(url)}: {reason}") from error


def _with_account(payments: PaymentSettings, noted: dict[str, Any] | None) -> PaymentSettings:
    """Where the environment names no account: the one of the running instance, so that two servers have the same."""
    if payments.api_key is not None or noted is None:
        return payments
    return replace(payments, **{**noted, "webhook_secrets": tuple(noted["webhook_secrets"])})


def _running_instance(settings: Settings) -> dict[str, Any]:
    path = settings.state_dir
    # After a kill -9 the note is still there; the lock is not.
    if not is_taken(path):
        raise NotRunning(f"Nothing is running in {path}: start `vacancy run` first, or set DATABASE_URL")
    try:
        noted: dict[str, Any] = json.loads((path / NOTE_FILE).read_text())
    except FileNotFoundError:
        raise NotRunning(f"`vacancy run` is still starting in {path}: try again in a moment") from None
    return noted
