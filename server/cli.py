"""The command line, `vacancy`: what each command is called, and which function does it.

Exit codes: 0 done, 1 it failed, 2 the command or a setting makes no sense. An expected failure is one line on
standard error; a trace means a defect. Only results go to standard output.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from models.errors import BookingError, InstallationError
from server.environment import SettingsError
from server.errors import OperatorError
from server.settings import Settings

TOKEN_HOURS: Final = 12.0
TOKEN_HOURS_MAX: Final = 24.0 * 365
SIMULATOR_PORT: Final = 12_111
ROLES: Final = ("customer", "partner", "staff", "manager", "operator")  # engine.viewer.Role takes a second to import

Command = Callable[[Settings, argparse.Namespace], int]

ENVIRONMENT_HELP: Final = """\
environment:
  VACANCY_HOST, VACANCY_PORT    where to listen (127.0.0.1, 8000)
  VACANCY_STATE_DIR             where `vacancy run` keeps its data
  DATABASE_URL, REDIS_URL       servers to use in place of the embedded ones
  MIGRATION_DATABASE_URL        the same database, as the owner of its tables
  VACANCY_SECRET                keys for our tokens, comma separated: the first signs, all verify
  VACANCY_OIDC_JWKS_URL, VACANCY_OIDC_ISSUER, VACANCY_OIDC_AUDIENCE
                                an identity provider whose tokens count too
  VACANCY_DATABASE_POOL_SIZE    database connections of one process (8)
  VACANCY_TIMELINE_DAYS         for how many days timelines keep their past (7)
  VACANCY_METRICS_PORT          where a worker answers /metrics (nowhere)
  VACANCY_LOG_REQUESTS          1: log a line for each request (0)
  STRIPE_API_KEY, STRIPE_PUBLISHABLE_KEY, STRIPE_WEBHOOK_SECRET
                                the account that is paid; `vacancy run` simulates one
  VACANCY_STRIPE_URL            a payment simulator of this machine, for a test key
  VACANCY_PAYMENTS              off: collect nothing online (on)
  VACANCY_CHECKOUT_SECONDS, VACANCY_CHECKOUT_RETRY_SECONDS, VACANCY_CHECKOUT_CEILING_SECONDS
                                how long a guest may pay (600), again after a failure (300), at most (1800)
  EMBEDDED_PG_BIN               other PostgreSQL 18 programs for `vacancy run`
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` (by default the process's own arguments) asks for, and return the exit code."""
    arguments = _parser().parse_args(argv)
    command: Command = arguments.command
    try:
        code = command(Settings.from_environment(os.environ), arguments)
        sys.stdout.flush()
        return code
    except SettingsError as error:
        return _fail(error, 2)
    except (OperatorError, InstallationError, BookingError) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone (`vacancy schema | head`). Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vacancy",
        description="Vacancy, a booking platform.",
        epilog=ENVIRONMENT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, command: Command, summary: str, more: str = "") -> argparse.ArgumentParser:
        description = f"{summary[0].upper()}{summary[1:]}. {more}".strip()
        added = commands.add_parser(name, help=summary, description=description)
        added.set_defaults(command=command)
        return added

    found = "Without DATABASE_URL it uses the database of the running `vacancy run`."
    add(
        "run",
        _run,
        "serve on this machine, with a database of its own and example data, until Ctrl-C",
        "PostgreSQL and Valkey are started where DATABASE_URL and REDIS_URL are not set, and a payment simulator where "
        "STRIPE_API_KEY is not.",
    )
    add("serve", _serve, "serve GraphQL over HTTP and WebSocket", found)
    add("worker", _worker, "expire holds, publish changes and do what else goes on by itself", found)
    add("migrate", _migrate, "bring the database to the state that this version needs", found)
    add("seed", _seed, "put in example data; a second time changes nothing", found)
    audit = add("audit", _audit, "count the violations of every promise about bookings; exit 1 if there are any", found)
    audit.add_argument("--metrics", type=Path, metavar="FILE", help="write the counts there too, for Prometheus")
    token = add("token", _token, "print a token that lets its bearer in", found)
    token.add_argument("--role", choices=ROLES, required=True, help="what the bearer may do")
    token.add_argument("--organization", metavar="SLUG", help="where a member of staff works")
    token.add_argument("--subject", metavar="NAME", help="who the bearer is (default: the role)")
    token.add_argument(
        "--hours", type=_hours, default=TOKEN_HOURS, help=f"how long it counts (default: {TOKEN_HOURS:g})"
    )
    payments = add(
        "payments",
        _payments,
        "simulate the payment provider on this machine, for test keys and test cards only",
        "It answers on loopback only; docs/payments-simulator.md tells what it can do.",
    )
    payments.add_argument("--port", type=int, default=SIMULATOR_PORT, help=f"where (default: {SIMULATOR_PORT}; 0: any)")
    payments.add_argument("--state-file", type=Path, metavar="FILE", help="keep payments there (default: nowhere)")
    payments.add_argument("--webhook-url", metavar="URL", help="tell all events there")
    payments.add_argument("--webhook-secret-file", type=Path, metavar="FILE", help="what signs them")
    add("schema", _schema, "print the GraphQL schema")
    add("rules", _rules, "print the reference of all kinds of rules, those of other packages included")
    return parser


def _run(settings: Settings, _arguments: argparse.Namespace) -> int:
    from server.launcher import run

    run(settings, say=partial(print, flush=True))
    return 0


def _serve(settings: Settings, _arguments: argparse.Namespace) -> int:
    from server.instance import with_instance
    from server.serve import serve

    serve(with_instance(settings))
    return 0


def _worker(settings: Settings, _arguments: argparse.Namespace) -> int:
    from server.instance import with_instance
    from server.worker import main as work

    asyncio.run(work(with_instance(settings)))
    return 0


def _migrate(settings: Settings, _arguments: argparse.Namespace) -> int:
    from models.migrate import migrate

    _, url = _connected(settings, as_owner=True)
    asyncio.run(migrate(url, say=_say))
    return 0


def _seed(settings: Settings, _arguments: argparse.Namespace) -> int:
    from server.seed import seed

    _, url = _connected(settings)
    asyncio.run(seed(url, say=_say))
    return 0


def _audit(settings: Settings, arguments: argparse.Namespace) -> int:
    from server.audit import audit

    _, url = _connected(settings)
    violations = asyncio.run(audit(url, sys.stdout, metrics=arguments.metrics))
    return 1 if violations else 0


def _token(settings: Settings, arguments: argparse.Namespace) -> int:
    from server.tokens import issue

    settings, _ = _connected(settings)
    token = issue(
        settings,
        role=arguments.role,
        organization=arguments.organization,
        subject=arguments.subject,
        hours=arguments.hours,
    )
    print(asyncio.run(token))
    return 0


def _payments(_settings: Settings, arguments: argparse.Namespace) -> int:
    from payments.simulator.serve import PortTaken, serve
    from payments.simulator.settings import SimulatorSettings

    try:
        secret_file: Path | None = arguments.webhook_secret_file
        settings = SimulatorSettings(
            port=arguments.port,
            state_file=arguments.state_file,
            webhook_url=arguments.webhook_url,
            webhook_secret=secret_file.read_text().strip() if secret_file is not None else None,
        )
        serve(settings, say=partial(print, flush=True))
    except (OSError, PortTaken, ValueError) as error:
        raise OperatorError(str(error)) from error
    return 0


def _schema(_settings: Settings, _arguments: argparse.Namespace) -> int:
    from server.graphql import build_schema

    print(build_schema().as_str())
    return 0


def _rules(_settings: Settings, _arguments: argparse.Namespace) -> int:
    from engine.rules.reference import reference
    from engine.rules.registry import RULES

    print(reference(RULES), end="")
    return 0


def _connected(settings: Settings, *, as_owner: bool = False) -> tuple[Settings, str]:
    """Complete settings, and the URL of a database that answers, as the application or as the tables' owner."""
    from server.instance import check_database, with_instance

    settings = with_instance(settings)
    url = settings.migration_database_url if as_owner else settings.database_url
    assert url is not None
    asyncio.run(check_database(url))
    return settings, url


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= TOKEN_HOURS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours up to {TOKEN_HOURS_MAX:g}")
    return hours


def _say(line: str) -> None:
    """Progress and failures go to standard error, at once: standard output holds what was asked for."""
    print(line, file=sys.stderr, flush=True)


def _fail(error: Exception, code: int) -> int:
    _say(f"vacancy: {error}")
    return code


if __name__ == "__main__":
    sys.exit(main())
