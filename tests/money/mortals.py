"""A process that makes processes, each of which takes the steps of a payment and dies at a point of its own.

It imports and makes once what they all need, and forks: a process of its own for each death takes a tenth of a second,
not two. Asked by lines of JSON on standard input, it answers so on standard output: the points that were passed, and
whether by death.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import configure_mappers

from models.database import Database, connect
from models.errors import BookingError
from models.keys import BookingKey
from payments.gateway import StripeGateway
from server.collector import collect_once
from tests.money.till import check_out, come_back
from tests.support.checkouts import VISA, calls_to, now
from tests.support.mortal import Fuse, MortalGateway, mortal_database

POOL_SIZE: Final = 2
STEPS_SECONDS_MAX: Final = 60
NEEDED_LATER: Final = ("anyio._backends._asyncio", "stripe._charge", "stripe._payment_intent", "stripe._refund")
"""What httpx and stripe-python import when they first need it."""


async def guest(database: Database, gateway: Any, asked: dict[str, Any]) -> None:
    """What two requests of a guest have done: bookingCheckout, and bookingCheckoutComplete."""
    booking = BookingKey(UUID(asked["organization"]), UUID(asked["booking"]))
    with suppress(BookingError):
        await check_out(database, gateway, booking, key=asked["key"], method=VISA)
        await come_back(database, gateway, booking)


async def worker(database: Database, gateway: Any, _asked: dict[str, Any]) -> None:
    """What a worker does in one round."""
    await collect_once(database, gateway, now=now)


ROLES: Final = {"guest": guest, "worker": worker}


async def live(gateway: StripeGateway, asked: dict[str, Any], fuse: Fuse) -> None:
    """Take the steps, with a fuse before each."""
    database = await connect(asked["database_url"], pool_size=POOL_SIZE)
    await ROLES[asked["role"]](mortal_database(database, fuse), MortalGateway(gateway, fuse), asked)
    await database.close()
    fuse.reach("the end")


def born(gateway: StripeGateway, asked: dict[str, Any]) -> dict[str, Any]:
    """Have a process of its own do it, and tell of its life. The gateway has no connection yet."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(STEPS_SECONDS_MAX)
        status = 1
        try:
            asyncio.run(live(gateway, asked, Fuse(asked["last"], lambda point: _say(writing, point))))
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as told:
        points = told.read().splitlines()
    _, status = os.waitpid(child, 0)
    return {"points": points, "died": os.WIFSIGNALED(status), "status": status}


def _say(pipe: int, point: str) -> None:
    os.write(pipe, f"{point}\n".encode())


def prepare() -> None:
    """Do what each process would else do anew at its first call of the database and of the provider."""
    configure_mappers()
    for module in NEEDED_LATER:
        import_module(module)


def main(simulator_url: str) -> None:
    """Answer until there is nothing more to answer."""
    prepare()
    gateway = StripeGateway(calls_to(simulator_url))
    for line in sys.stdin:
        print(json.dumps(born(gateway, json.loads(line))), flush=True)  # noqa: T201 - that is how it answers


if __name__ == "__main__":
    main(sys.argv[1])
