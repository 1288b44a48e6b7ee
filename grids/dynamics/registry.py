"""Dynamic models by name: our own (one file each in `devices/`), and strangers' by entry point.

A model's name is the name of its table: `genrou` reads `genrou.csv`. A package makes its models known
under the entry-point group `suandian.devices`.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from cosim.core.errors import CaseError
from cosim.core.registry import Registry, UnknownNameError, nearest
from grids.dynamics import devices as own
from grids.dynamics.device import Device

GROUP = "suandian.devices"


@cache
def _own() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(own.__path__)))


@cache
def _foreign() -> Registry:
    return Registry(GROUP, entry_points(group=GROUP))


def device_names() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(sorted({*_own(), *_foreign().names()}))


def device(name: str) -> type[Device]:
    """Return the model called `name`.

    Raises
    ------
    CaseError
        When there is none, with the nearest name.
    """
    if name in _own():
        found: type[Device] = importlib.import_module(f"{own.__name__}.{name}").DEVICE
        return found
    try:
        return _foreign().get(name)
    except UnknownNameError as error:
        known = device_names()
        msg = f"no dynamic model {name!r}; there are {', '.join(known)}.{nearest(name, known)}"
        raise CaseError(msg) from error
