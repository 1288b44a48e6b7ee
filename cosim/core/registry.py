"""Entry points: how our own models and a stranger's become known by name, alike."""

import contextlib
import difflib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cosim.core.errors import ComponentError, SuandianError

COMPONENTS = "suandian.components"
GRIDS = "suandian.grids"


class UnknownNameError(SuandianError):
    """Nothing is installed under this name."""


def closest(name: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the candidate most like `name`, None when none is alike enough."""
    return next(iter(difflib.get_close_matches(name, list(candidates), n=1, cutoff=cutoff)), None)


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Return a hint that names what is closest to `name`, empty when nothing is.

    >>> nearest("batery", ["battery", "gpu_hall"])
    " Did you mean 'battery'?"
    """
    close = closest(name, candidates)
    return f" Did you mean {close!r}?" if close else ""


class Registry:
    """Classes by name: those installed as entry points of one group, and those added by hand."""

    def __init__(self, group: str, entries: Iterable[EntryPoint] = ()) -> None:
        self.group = group
        self._entries = {entry.name: entry for entry in entries}
        self._added: dict[str, type[Any]] = {}

    def names(self) -> tuple[str, ...]:
        """Return all known names, sorted."""
        return tuple(sorted({*self._entries, *self._added}))

    def add(self, name: str, cls: type[Any]) -> None:
        """Add a class without installing a package: for tests and notebooks."""
        self._added[name] = cls

    def remove(self, name: str) -> None:
        """Forget a class added by `add`."""
        del self._added[name]

    def get(self, name: str) -> type[Any]:
        """Return the class called `name`.

        Raises UnknownNameError with the installed names and the nearest match, ComponentError when
        the entry point is there but its module cannot be imported.
        """
        if name in self._added:
            return self._added[name]
        if name not in self._entries:
            known = ", ".join(self.names()) or "none"
            msg = f"{name!r} is not one of the installed {self.group}: {known}.{nearest(name, self.names())}"
            raise UnknownNameError(msg)
        entry = self._entries[name]
        try:
            loaded: type[Any] = entry.load()
        except (ImportError, AttributeError) as error:
            msg = f"{self.group} entry point {name} = {entry.value} cannot be loaded: {error}"
            raise ComponentError(msg) from error
        return loaded

    def sound(self) -> dict[str, type[Any]]:
        """Return every class that can be loaded: a stranger's broken package must not hide the others."""
        found = {}
        for name in self.names():
            with contextlib.suppress(ComponentError):
                found[name] = self.get(name)
        return found


@cache
def components() -> Registry:
    """Return the registry of component kinds."""
    return Registry(COMPONENTS, entry_points(group=COMPONENTS))


@cache
def grids() -> Registry:
    """Return the registry of grid engines."""
    return Registry(GRIDS, entry_points(group=GRIDS))
