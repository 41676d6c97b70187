"""The outcome of `vacancy audit` as a file for the textfile collector of Prometheus's node exporter.

An audit reads whole tables, so no process makes one by itself: whoever schedules `vacancy audit` decides how often,
and the time of the last one is in the file, to see that it is still made.
"""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from models.audit import Finding


def write_findings(findings: Iterable[Finding], path: Path) -> None:
    """Replace the file as a whole, so that nobody reads half of it; its name has to end with .prom for the collector.

    Raises OSError if it can not be written.
    """
    registry = CollectorRegistry()
    told = "What breaks the invariants of the ledger, by the number of the invariant."
    violations = Gauge("vacancy_audit_violations", told, ["invariant"], registry=registry)
    for finding in findings:
        violations.labels(str(finding.invariant.number)).inc(finding.count)
    ended = Gauge("vacancy_audit_timestamp_seconds", "When the last audit ended.", registry=registry)
    ended.set_to_current_time()
    write_to_textfile(str(path), registry)
