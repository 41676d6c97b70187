"""What `vacancy run` says when it is ready: what to open, and commands that work when pasted."""

import asyncio

from models.database import connect
from server.resources import utc_now
from server.settings import Settings
from server.showcase import Examples, base_url, read_examples


def lines(settings: Settings) -> list[str]:
    """The lines to print, about the data that is there."""
    url = base_url(settings)
    said = ["", f"Vacancy runs at {url}/ (open it), GraphQL at {url}/graphql, the schema at {url}/schema.graphql"]
    if settings.payments.are_simulated:
        said += [f"Payments are simulated at {settings.payments.url}, with test cards (docs/payments-simulator.md)"]
    found = asyncio.run(_examples(settings, url))
    if found is not None:
        said += ["", "Ask what there is:", f"  {found.ask}"]
        said += ["", "Watch it over a WebSocket, in a second terminal, in this folder:", f"  {found.watch}"]
        said += ["", "Hold a place, and see the second terminal move:", f"  {found.hold}"]
    return [*said, "", "Ctrl-C stops everything."]


async def _examples(settings: Settings, url: str) -> Examples | None:
    assert settings.database_url is not None, "`vacancy run` fills it in"
    database = await connect(settings.database_url, pool_size=1)
    try:
        return await read_examples(database, url, utc_now())
    finally:
        await database.close()
