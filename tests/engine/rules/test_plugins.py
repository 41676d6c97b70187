"""Rules of other packages: what is refused at start, and one that is installed and decides."""

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest

from engine.installed import PLUGINS_MAX
from engine.rules.base import ANY_TYPE, OPENING_HOURS, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.plugins import GROUP, installed
from engine.rules.registry import BUILT_IN
from models.errors import InstallationError

ROOT = Path(__file__).parents[3]
PACKAGE = Path(__file__).parent / "tides"
HERE = "tests.engine.rules.test_plugins"


class Whole(Rule):
    """A rule that allows everything."""

    type: ClassVar[str] = "WHOLE"
    summary: ClassVar[str] = "Nothing is refused."
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        """Nothing."""
        return None


class Silent(Whole):
    type: ClassVar[str] = "SILENT"
    summary: ClassVar[str] = " "


class Nowhere(Whole):
    type: ClassVar[str] = "NOWHERE"
    applies_to: ClassVar[frozenset[str]] = frozenset()


class Elsewhere(Whole):
    type: ClassVar[str] = "ELSEWHERE"
    applies_to: ClassVar[frozenset[str]] = frozenset({"HOURLY"})


class Unfinished(Rule):
    type: ClassVar[str] = "UNFINISHED"
    summary: ClassVar[str] = "It has no evaluate."
    applies_to: ClassVar[frozenset[str]] = frozenset({OPENING_HOURS})


NO_RULE = 7


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_a_rule_is_found() -> None:
    assert installed(BUILT_IN, [entry("WHOLE", f"{HERE}:Whole")])["WHOLE"].summary == Whole.summary


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ([entry("START_GRID", f"{HERE}:Whole")], "another rule has this type"),
        ([entry("WHOLE", f"{HERE}:Whole")] * 2, "another rule has this type"),
        ([entry("TIDES", f"{HERE}:Whole")], "has the type 'WHOLE': it must be the entry point's name"),
        ([entry("SILENT", f"{HERE}:Silent")], "has no summary"),
        ([entry("NOWHERE", f"{HERE}:Nowhere")], "applies_to must be a frozenset of some of NIGHTLY"),
        ([entry("ELSEWHERE", f"{HERE}:Elsewhere")], "applies_to must be a frozenset of some of NIGHTLY"),
        ([entry("UNFINISHED", f"{HERE}:Unfinished")], "does not define evaluate"),
        ([entry("NO_RULE", f"{HERE}:NO_RULE")], "is no class that derives from engine.rules.base.Rule"),
        ([entry("X", f"{HERE}:Missing")], "can not be imported: AttributeError"),
        ([entry("X", "no_such_package:Rule")], "can not be imported: ModuleNotFoundError"),
    ],
)
def test_what_can_not_be_used_is_refused(found: list[EntryPoint], fault: str) -> None:
    with pytest.raises(InstallationError) as caught:
        installed(BUILT_IN, found)
    assert f"can not be used: {fault}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_there_is_a_bound() -> None:
    with pytest.raises(InstallationError, match=f"more than {PLUGINS_MAX} rules"):
        installed(BUILT_IN, [entry(f"T{n}", f"{HERE}:Whole") for n in range(PLUGINS_MAX + 1)])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package of PACKAGE, installed there as anybody would."""
    folder = tmp_path_factory.mktemp("site")
    # From a copy: building leaves files beside the source. Through uv: this environment has no pip.
    source = tmp_path_factory.mktemp("source")
    for file in PACKAGE.iterdir():
        if file.is_file():
            (source / file.name).write_text(file.read_text())
    uv = str(ROOT / ".uv" / "bin" / "uv")
    command = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--no-index", "--no-build-isolation"]
    command += ["--python", sys.executable, "--target", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


def python(site: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), **more}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=site, capture_output=True, text=True, timeout=90, check=False
    )


def test_a_rule_of_an_installed_package_decides(site: Path, database_url: str) -> None:
    """In another process: availability and a hold go by its rule, and a quote by its price rule and its tax."""
    done = python(site, str(PACKAGE / "story" / "story.py"), DATABASE_URL=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "availability at low tide: ['RULE_VIOLATION'] TIDE_TABLE {'highTide': '12:00'}",
        "availability at high tide: []",
        "hold at low tide: RULE_VIOLATION",
        "hold at high tide: ON_HOLD",
        # 2 × 80.00, a tenth of 160.00, and 50 cents for each of 2 × 8 meters
        "quote: Standard 16000, Spring tide 1600, Dues 800 (€0.50 × 16): 18400",
    ]


def test_its_reference_is_printed(site: Path) -> None:
    done = python(site, "-m", "server.cli", "rules")
    assert (
        "| [TIDE_TABLE](#tide_table) | A boat leaves within an hour of high tide, else RULE_VIOLATION. |" in done.stdout
    )


@pytest.mark.parametrize("command", ["schema", "rules"])
def test_a_broken_package_keeps_the_server_from_starting(site: Path, tmp_path: Path, command: str) -> None:
    """One line, and no trace, whichever command needs the rules first."""
    folder = tmp_path / "broken-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[{GROUP}]\nSTART_GRID = vacancy_tides:TideTable\n")
    done = python(site, "-m", "server.cli", command, PYTHONPATH=os.pathsep.join(map(str, (tmp_path, site, ROOT))))
    assert done.returncode == 1
    assert done.stderr == (
        "vacancy: the rule START_GRID of broken (vacancy_tides:TideTable) can not be used: another rule has this type\n"
    )


def test_a_rule_whose_package_is_gone_refuses(tmp_path: Path, site: Path, database_url: str) -> None:
    """The same data without the package: reading goes on, what was set is shown, and refuses everything."""
    story = str(PACKAGE / "story" / "story.py")
    assert python(site, story, DATABASE_URL=database_url).returncode == 0
    done = python(tmp_path, str(PACKAGE / "story" / "gone.py"), DATABASE_URL=database_url)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "summary: This rule can not be read, so everything is refused with RULE_VIOLATION.",
            "availability at high tide: ['RULE_VIOLATION'] TIDE_TABLE {'missing': 'TIDE_TABLE'}",
            "hold at high tide: RULE_VIOLATION",
            "quote: PRICE_UNAVAILABLE",
            "slots: 24, bookable 0",
        ],
    )
    for stored in ("rules of type TIDE_TABLE", "price rules of type SPRING_TIDE", "taxes of type PORT_DUES"):
        assert done.stderr.count(f"stored {stored} can not be read") == 1
