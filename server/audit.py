"""`vacancy audit`: every promise about bookings, with how often the database breaks it."""

from pathlib import Path
from typing import TextIO

from models.audit import INVARIANTS, Finding, count_rows, examine, snapshot
from server.audit_metrics import write_findings
from server.errors import OperatorError
from server.money_audit import MONEY, examine_money

ALL = (*INVARIANTS, MONEY)
PROMISE_WIDTH = max(len(invariant.promise) for invariant in ALL)


async def audit(database_url: str, out: TextIO, *, metrics: Path | None = None) -> int:
    """Print one line per invariant, with its count of violations and some examples by id; return the total.

    It reads one snapshot and locks nothing, so it may run beside live traffic. The name of what is being looked at
    is printed before the answer is there, so that a long audit shows how far it is. What it found is also written
    to the file `metrics`, if given, for Prometheus; raises OperatorError if that can not be written.
    """
    findings: list[Finding] = []
    async with snapshot(database_url) as connection:
        rows = await count_rows(connection)
        print("Examining " + ", ".join(f"{count} {name}" for name, count in rows.items()), file=out, flush=True)
        for invariant in ALL:
            print(f"{invariant.number}  {invariant.promise:<{PROMISE_WIDTH}}  ", end="", file=out, flush=True)
            finding = await (examine_money(connection) if invariant is MONEY else examine(connection, invariant))
            print(_told(finding), file=out, flush=True)
            findings.append(finding)
    total = sum(finding.count for finding in findings)
    print(f"{total} violations of {len(ALL)} invariants", file=out, flush=True)
    if metrics is not None:
        _write(findings, metrics)
    return total


def _write(findings: list[Finding], path: Path) -> None:
    try:
        write_findings(findings, path)
    except OSError as error:
        raise OperatorError(f"--metrics: {path} can not be written ({error.strerror})") from error


def _told(finding: Finding) -> str:
    if not finding.count:
        return "0"
    more = finding.count - len(finding.examples)
    return f"{finding.count}: {'; '.join(finding.examples)}{f'; and {more} more' if more else ''}"
