"""Whoever wins a race, every invariant holds afterwards."""

from tests.support.audits import audited

__all__ = ["audited"]
