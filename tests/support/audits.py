"""The audit, as an assertion."""

import io

from server.audit import audit


async def assert_audit_clean(database_url: str) -> None:
    """Every invariant holds; if not, the audit's own lines say which and where."""
    out = io.StringIO()
    assert await audit(database_url, out) == 0, out.getvalue()
