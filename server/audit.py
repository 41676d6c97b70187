"""`vacancy audit`: every promise about bookings, with how often the database breaks it."""

from typing import TextIO

from models.audit import INVARIANTS, Finding, count_rows, examine, snapshot

PROMISE_WIDTH = max(len(invariant.promise) for invariant in INVARIANTS)


async def audit(database_url: str, out: TextIO) -> int:
    """Print one line per invariant, with its count of violations and some examples by id; return the total.

    It reads one snapshot and locks nothing, so it may run beside live traffic. The name of what is being looked at
    is printed before the answer is there, so that a long audit shows how far it is.
    """
    total = 0
    async with snapshot(database_url) as connection:
        rows = await count_rows(connection)
        print("Examining " + ", ".join(f"{count} {name}" for name, count in rows.items()), file=out, flush=True)
        for invariant in INVARIANTS:
            print(f"{invariant.number}  {invariant.promise:<{PROMISE_WIDTH}}  ", end="", file=out, flush=True)
            finding = await examine(connection, invariant)
            print(_told(finding), file=out, flush=True)
            total += finding.count
    print(f"{total} violations of {len(INVARIANTS)} invariants", file=out, flush=True)
    return total


def _told(finding: Finding) -> str:
    if not finding.count:
        return "0"
    more = finding.count - len(finding.examples)
    return f"{finding.count}: {'; '.join(finding.examples)}{f'; and {more} more' if more else ''}"
