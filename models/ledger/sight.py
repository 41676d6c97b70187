"""What is so just now, without a lock: for who would refuse by what it knows already (`engine.sight`)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import orjson

from models.database import Database
from models.keys import ResourceKey
from models.ledger.requests import Command
from models.queries.catalog import Versions


@dataclass(frozen=True, slots=True)
class Sight:
    """What was so at one instant after it was asked for: of resources, and of the command's key."""

    versions: Mapping[ResourceKey, Versions]
    is_remembered: bool


class _Asked(NamedTuple):
    """One who asks."""

    command: Command
    resource_ids: tuple[uuid.UUID, ...]


async def look(database: Database, command: Command, resource_ids: Sequence[uuid.UUID]) -> Sight:
    """Look at these resources, and whether anything is remembered under the command's key.

    A few searches of indexes by key, whatever is booked. Who asks of the same organization while another is under way
    goes with the next, up to 64 together in one statement: it is sent after all of them have asked. Raises what the
    driver raises, and Busy when too many wait.
    """
    organization_id = command.organization_id
    sight: Sight = await database.groups.ask(
        ("sight", organization_id),
        _Asked(command, tuple(resource_ids)),
        partial(_look_together, database, organization_id),
    )
    return sight


async def _look_together(database: Database, organization_id: uuid.UUID, asked: Sequence[_Asked]) -> list[Sight]:
    found = orjson.loads(
        await database.ledger.fetchval(
            "SELECT ledger_sight($1, $2, $3, $4)",
            organization_id,
            list({id_ for each in asked for id_ in each.resource_ids}),
            [each.command.actor for each in asked],
            [each.command.key for each in asked],
        )
    )
    versions = {ResourceKey(organization_id, uuid.UUID(row["id"])): Versions.of(row) for row in found["resources"]}
    remembered = set(found["remembered"])
    return [Sight(versions, position in remembered) for position in range(len(asked))]
