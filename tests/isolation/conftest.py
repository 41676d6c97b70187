"""Two organizations, and a database in which one of the guards, or both, are off."""

import pytest

from models.database import Database
from tests.isolation.tenants import Tenant, make_tenant
from tests.resolvers.conftest import ask, schema

__all__ = ["ask", "schema"]


@pytest.fixture
async def ours(database: Database) -> Tenant:
    """Who asks."""
    return await make_tenant(database, "Ourname")


@pytest.fixture
async def theirs(database: Database) -> Tenant:
    """Whose rows are nobody else's business."""
    return await make_tenant(database, "Theirname")
