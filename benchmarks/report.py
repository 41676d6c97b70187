"""What a run prints: the machine, and tables in Markdown."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path


def say(line: str = "") -> None:
    """A line of the report, at once."""
    print(line, flush=True)


def machine() -> None:
    """When, on what, and how busy it was with other things."""
    name = platform.freedesktop_os_release()["PRETTY_NAME"] if Path("/etc/os-release").exists() else platform.system()
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    say(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({platform.machine()}), {name},")
    say(f"Python {platform.python_version()}; load average {busy}")


def heading(text: str) -> None:
    """A part of the report."""
    say()
    say(f"### {text}")
    say()


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table: the first column are words, the others numbers."""
    shown = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(head), *shown]) for column in range(len(head))]
    say(_line(head, widths))
    say("|" + "|".join("-" * (width + 2) if not n else "-" * (width + 1) + ":" for n, width in enumerate(widths)) + "|")
    for row in shown:
        say(_line(row, widths))


def memory_mib(pid: int) -> float:
    """What a process has in memory (resident), in MiB. Linux only, as /proc is."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used, in seconds. Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if not column else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def _shown(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:,.0f}" if cell >= 100 else f"{cell:.1f}" if cell >= 10 else f"{cell:.2f}"
