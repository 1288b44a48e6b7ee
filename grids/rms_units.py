"""Connected units among the elements of a dynamic model: their names, and the models they hand over."""

from collections.abc import Sequence

import numpy as np
from pydantic import ValidationError

from cosim.core.component import DevicePart
from cosim.core.errors import CaseError, ScenarioError, collected
from cosim.core.grid import Connections
from cosim.core.types import Bools
from grids.dynamics.device import Device
from grids.dynamics.operating import GIVEN, MAKERS
from grids.dynamics.registry import device
from grids.dynamics.tables import Unit, read_units
from grids.elements import element_names
from grids.inside import Inside


def is_hosted(connections: Connections) -> Bools:
    """Return which units (units,) have the power of their own device."""
    found = [offer is not None for offer in connections.hosted]
    return np.array(found or [False] * len(connections.units), dtype=np.bool_)


def unit_elements(names: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return what each connected unit is called among the elements of the case."""
    return tuple(f"unit {name}" if name in taken else name for name in names)


def case_elements(inside: Inside) -> tuple[str, ...]:
    """Return the names of everything in the case that draws or delivers power."""
    tables = (*MAKERS, *GIVEN)
    net = inside.state.net
    return tuple(name for table in tables if table in net for name in element_names(net[table], table))


def device_elements(connections: Connections, units: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the elements that carry the power of each unit: itself, or the parts of its device."""
    offers = connections.hosted or (None,) * len(units)
    return tuple(
        (name,) if offer is None else tuple(part_element(name, part) for part in offer.devices())
        for name, offer in zip(units, offers, strict=True)
    )


def part_element(unit: str, part: DevicePart) -> str:
    """Return what a part of a unit's device is called among the elements of the case."""
    return f"{unit} {part.name}" if part.name else unit


def elements_of_units(inside: Inside, connections: Connections) -> tuple[str, ...]:
    """Return what each connected unit of a power flow is called among the elements of its case."""
    return unit_elements(connections.units, case_elements(inside))


def models_of(inside: Inside, connections: Connections) -> dict[str, list[type[Device]]]:
    """Return the dynamic models of each element of the case that has any, and of each unit's device."""
    found: dict[str, list[type[Device]]] = {}
    for unit in read_units(inside.case):
        found.setdefault(unit.element, []).append(device(unit.model))
    names = elements_of_units(inside, connections)
    for name, offer in zip(names, connections.hosted, strict=False):
        for part in () if offer is None else offer.devices():
            found[part_element(name, part)] = [device(model) for model in part.models]
    return found


def hosted_units(offer: DevicePart, element: str) -> list[Unit]:
    """Return the units of a device.

    Raises
    ------
    ScenarioError
        When a model is unknown, its parameters are wrong, or none of them carries the unit's power.
    """
    units, wrong = [], []
    for name, given in offer.models.items():
        try:
            cls = device(name)
            params = cls.params_type(**given)
        except CaseError as error:
            wrong.append(f"unit {element!r}: {error}")
            continue
        except ValidationError as error:
            wrong += [f"unit {element!r}, device {name}: {e['loc'][0]}: {e['msg']}" for e in error.errors()]
            continue
        wrong += [f"unit {element!r}, device {name}: {finding}" for finding in cls.findings(params)]
        units.append(Unit(name, element, params, f"unit {element!r}"))
    if not wrong and not any(device(unit.model).carries_power for unit in units):
        wrong.append(f"unit {element!r}: none of {', '.join(offer.models)} carries its power")
    collected(wrong, ScenarioError)
    return units
