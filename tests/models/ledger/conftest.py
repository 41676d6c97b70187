"""Whatever a test does with the ledger, every invariant holds afterwards."""

from tests.support.audits import audited

__all__ = ["audited"]
