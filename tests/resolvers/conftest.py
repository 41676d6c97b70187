"""Asking the schema, as the server does, without a network between."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from engine.ports import OnlinePayments
from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.ledger.requests import Contact
from models.resource import Resource
from models.venue import Organization, Venue
from schema.context import Context, for_operation
from schema.global_id import GlobalKind, encode
from server.graphql import Schema, build_schema
from server.tokens import SignedBookingTokens
from subscriptions.feed import Feed
from tests.support.factories import at

NOW = at("2030-05-31 12:00")
TOKENS = SignedBookingTokens(["a secret of thirty-two characters!"])


@pytest.fixture(scope="session")
def schema() -> Schema:
    """The schema that is served."""
    return build_schema()


@dataclass(frozen=True)
class Asker:
    """Asks operations, each with a Context of its own."""

    schema: Schema
    database: Database
    payments: OnlinePayments | None = None

    async def __call__(
        self, operation: str, variables: dict[str, Any] | None = None, *, viewer: Viewer = GUEST, now: datetime = NOW
    ) -> dict[str, Any]:
        """The data; the test fails if there is an error."""
        data, errors = await self.both(operation, variables, viewer=viewer, now=now)
        assert not errors, errors
        assert data is not None
        return data

    async def errors(
        self, operation: str, variables: dict[str, Any] | None = None, *, viewer: Viewer = GUEST
    ) -> list[dict[str, Any]]:
        """The errors of the request; the test fails if there are none."""
        _, errors = await self.both(operation, variables, viewer=viewer)
        assert errors
        return errors

    async def codes(
        self, operation: str, variables: dict[str, Any] | None = None, *, viewer: Viewer = GUEST
    ) -> list[str]:
        """The codes of the errors of the request."""
        return [error["extensions"]["code"] for error in await self.errors(operation, variables, viewer=viewer)]

    async def both(
        self, operation: str, variables: dict[str, Any] | None = None, *, viewer: Viewer = GUEST, now: datetime = NOW
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Data and errors, as a client gets them."""
        result = await self.schema.execute(operation, variables, context_value=self.context(viewer, now))
        return result.data, [dict(error.formatted) for error in result.errors or []]

    def context(self, viewer: Viewer = GUEST, now: datetime = NOW) -> Context:
        """A Context for one operation."""
        feed = Feed(self.database, None)
        return for_operation(
            viewer=viewer,
            database=self.database,
            clock=lambda: now,
            tokens=TOKENS,
            feed=feed,
            payments=self.payments,
        )


@pytest.fixture
def ask(schema: Schema, database: Database) -> Asker:
    """Ask an operation of the test's database."""
    return Asker(schema, database)


def id_of(row: Organization | Venue | Resource) -> str:
    """The id that clients know it by."""
    kind = {Organization: GlobalKind.ORGANIZATION, Venue: GlobalKind.VENUE, Resource: GlobalKind.RESOURCE}[type(row)]
    return encode(kind, row.id if isinstance(row, Organization) else row.organization_id, row.id)


def staff_of(organization: Organization, role: Role = Role.STAFF, subject: str = "ada") -> Viewer:
    """Somebody of the organization."""
    return Viewer(role, organization.id, subject, Contact(name="Ada"))
