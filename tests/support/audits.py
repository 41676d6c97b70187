"""The audit, as an assertion, and as what follows every test that asks for it."""

import io
from collections.abc import AsyncIterator

import pytest

from server.audit import audit


async def assert_audit_clean(database_url: str) -> None:
    """Every invariant holds; if not, the audit's own lines say which and where."""
    out = io.StringIO()
    assert await audit(database_url, out) == 0, out.getvalue()


@pytest.fixture(autouse=True)
async def audited(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[None]:
    """Audit the test's database at its end, unless the test is marked `unaudited`; import it into a conftest.py."""
    yield
    if request.node.get_closest_marker("unaudited") is None:
        await assert_audit_clean(database_url)
