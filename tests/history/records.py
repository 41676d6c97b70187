"""The history of a run: what was asked, what came back, and what watchers were told, line by line in a file.

Every call has a line when it is made and one when it ends: `ok` with the answer, `fail` with the refusal, `unknown`
if nobody can say whether it was done. A line is written at once, so that a run that is cut off has a history too.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

LINES_MAX = 2_000_000
CLOCK_SLACK = timedelta(milliseconds=1)
"""Two readings of one clock by two programs, rounded by each."""

UNREACHED = "UNREACHED"
"""In place of a refusal's code: no connection could be made, so nothing was asked."""

Json = dict[str, Any]


class Outcome(StrEnum):
    """How a call ended, as far as its client knows."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: a repetition with the same key is another attempt. Times are of the machine that all run on.

    `input` names rows by their UUIDs. `answer`: of `ok`, what was answered; of `fail`, `code` and what else was told.
    """

    call: str
    key: str | None
    input: Json
    invoked_at: datetime
    returned_at: datetime
    outcome: Outcome
    answer: Json

    @property
    def code(self) -> str | None:
        """The refusal's code, if it was refused."""
        code: str | None = self.answer.get("code")
        return code


@dataclass(frozen=True, slots=True)
class Push:
    """What a watcher was told: this version of this resource."""

    watcher: int
    resource: str
    version: int
    at: datetime


@dataclass(slots=True)
class Recorded:
    """A history, read back. After `settled_at` nothing from before was on its way any more."""

    attempts: list[Attempt] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    settled_at: datetime | None = None


class History:
    """Writes the file. Bounded: a run that makes more lines than LINES_MAX has gone wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w")
        self._lines = 0
        self.acknowledged = 0

    def invoked(self, call: str, key: str | None, input: Json) -> int:
        """A call is about to be made; returns its number."""
        return self._write("invoke", call=call, key=key, input=input)

    def returned(self, number: int, outcome: Outcome, answer: Json) -> None:
        """That call has ended."""
        self.acknowledged += outcome is Outcome.OK
        self._write(outcome, number=number, answer=answer)

    def pushed(self, watcher: int, resource: str, version: int) -> None:
        """A watcher was told of a version."""
        self._write("push", watcher=watcher, resource=resource, version=version)

    def killed(self, what: str) -> None:
        """The nemesis has struck."""
        self._write("kill", what=what)

    def settled(self) -> None:
        """All runs again, and nothing that was asked before is on its way any more."""
        self._write("settled")

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()

    def _write(self, kind: str, **more: Any) -> int:
        assert self._lines < LINES_MAX, "a history has a bound"
        self._lines += 1
        line = {"line": self._lines, "type": kind, "at": datetime.now(UTC).isoformat(), **more}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        return self._lines


def read_history(path: Path) -> Recorded:
    """The history in the file; a call that has no end there is unknown."""
    recorded = Recorded()
    invoked: dict[int, Json] = {}
    for line in _lines(path):
        at = datetime.fromisoformat(line["at"])
        match line["type"]:
            case "invoke":
                invoked[line["line"]] = line
            case "push":
                recorded.pushes.append(Push(line["watcher"], line["resource"], line["version"], at))
            case "kill":
                recorded.kills.append(line["what"])
            case "settled":
                recorded.settled_at = at
            case outcome:
                begun = invoked.pop(line["number"])
                recorded.attempts.append(_attempt(begun, at, Outcome(outcome), line["answer"]))
    never = datetime.max.replace(tzinfo=UTC)
    recorded.attempts += [_attempt(begun, never, Outcome.UNKNOWN, {}) for begun in invoked.values()]
    recorded.attempts.sort(key=lambda attempt: attempt.invoked_at)
    return recorded


def _lines(path: Path) -> Iterator[Json]:
    with path.open() as file:
        for line in file:
            yield json.loads(line)


def _attempt(begun: Json, returned_at: datetime, outcome: Outcome, answer: Json) -> Attempt:
    invoked_at = datetime.fromisoformat(begun["at"])
    return Attempt(begun["call"], begun["key"], begun["input"], invoked_at, returned_at, outcome, answer)
