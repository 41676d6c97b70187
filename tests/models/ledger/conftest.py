"""Whatever a test does with the ledger, every invariant holds afterwards."""

from collections.abc import AsyncIterator

import pytest

from tests.support.audits import assert_audit_clean


@pytest.fixture(autouse=True)
async def audited(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[None]:
    """Audit the test's database at its end, unless the test is marked `unaudited`."""
    yield
    if request.node.get_closest_marker("unaudited") is None:
        await assert_audit_clean(database_url)
