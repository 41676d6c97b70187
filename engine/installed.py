"""Classes of other packages, found by the entry points of a group and checked before any is used."""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from models.errors import InstallationError

PLUGINS_MAX = 200  # of one group

Found = TypeVar("Found")


def installed(
    group: str,
    base: type[Found],
    fault: Callable[[type[Found], str], str | None],
    known: Iterable[str],
    found: Iterable[EntryPoint] | None = None,
) -> dict[str, type[Found]]:
    """The classes that derive from `base` and are installed in the group beside the known ones, by name.

    `fault` says what keeps a class from being used under a name; `found`: in place of what is installed. Raises
    InstallationError, which names the package, for one that can not be imported, that has a fault, or whose name
    another has too: it is better not to start than to go without what somebody relies on.
    """
    entries = sorted(entry_points(group=group) if found is None else found, key=lambda entry: entry.name)
    if len(entries) > PLUGINS_MAX:
        raise InstallationError(f"more than {PLUGINS_MAX} rules are installed in the group {group}")
    taken = set(known)
    classes: dict[str, type[Found]] = {}
    for entry in entries:
        if entry.name in taken or entry.name in classes:
            raise _broken(entry, "another rule has this type")
        classes[entry.name] = _checked(entry, base, fault)
    return classes


def _checked(entry: EntryPoint, base: type[Found], fault: Callable[[type[Found], str], str | None]) -> type[Found]:
    try:
        loaded = entry.load()
    except Exception as error:
        raise _broken(entry, f"can not be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise _broken(entry, f"is no class that derives from {base.__module__}.{base.__qualname__}")
    found = fault(loaded, entry.name)
    if found is not None:
        raise _broken(entry, found)
    return loaded


def _broken(entry: EntryPoint, fault: str) -> InstallationError:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    message = f"the rule {entry.name} of {package} ({entry.value}) can not be used: {fault}"
    return InstallationError(" ".join(message.split()))
