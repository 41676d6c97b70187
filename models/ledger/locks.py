"""Taking the ledger's locks from a session: the same function, and so the same order, as the ledger's own calls."""

import uuid
from collections.abc import Iterable

from sqlalchemy import text

from models.database import WriteSession

_LOCK = text("SELECT ledger_lock_resources(:organization_id, CAST(:resource_ids AS uuid[]))")


async def lock_resources(session: WriteSession, organization_id: uuid.UUID, resource_ids: Iterable[uuid.UUID]) -> None:
    """Lock these resources until the transaction ends, in id order; what is read of them afterwards stands still.

    Call it once in a transaction and with all of them: a second call may wait in a circle. Unknown ids lock nothing.
    """
    await session.scalar(_LOCK, {"organization_id": organization_id, "resource_ids": sorted(set(resource_ids))})
