"""The operating point a run starts from: voltages of all buses, power of every element."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp

from cosim.core.errors import CaseError, SolveError
from cosim.core.types import Ints
from grids.build import Model, build_model
from grids.case import Case
from grids.elements import bus_rows, element_names
from grids.numbers import Complexes

TABLES = ("gen", "ext_grid", "sgen", "load")
UNKNOWN = ("ward", "xward", "storage", "motor", "dcline", "asymmetric_load", "asymmetric_sgen", "impedance")
"""Tables with power injections this engine has no models for yet."""


@dataclass(frozen=True)
class Element:
    """One element that draws or delivers power."""

    table: str
    index: int
    name: str
    bus: int
    """Internal bus, -1 where out of service or not energised."""
    s_pu: complex
    """Power delivered into the bus, on the system's base."""


@dataclass(frozen=True)
class OperatingPoint:
    """A solved case."""

    model: Model
    v_pu: Complexes
    """Voltage of each internal bus."""
    elements: tuple[Element, ...]
    bus_names: tuple[str, ...]
    """Names of the case's buses; `row_bus` says where each is."""
    bus_index: tuple[int, ...]
    """Their pandapower indices."""
    f_hz: float

    @property
    def row_bus(self) -> Ints:
        """Internal bus of each row of the bus table."""
        return self.model.row_bus


def _solve(net: Any) -> Any:
    solved = copy.deepcopy(net)
    try:
        pp.runpp(
            solved,
            calculate_voltage_angles=True,
            tolerance_mva=1e-9,
            max_iteration=30,
            trafo_model="t",
            numba=False,
        )
    except pp.LoadflowNotConverged as error:
        msg = "the power flow of the operating point has no solution; look at it with the powerflow engine"
        raise SolveError(msg) from error
    return solved


def _supported(net: Any) -> None:
    found = [t for t in UNKNOWN if t in net and len(net[t]) and net[t]["in_service"].any()]
    if found:
        msg = f"no dynamic model for elements of {', '.join(found)}; switch them out of service"
        raise CaseError(msg)


def solve_operating_point(case: Case) -> OperatingPoint:
    """Return the solved case.

    Generators get what the network asks of their bus, shared by their scheduled powers where several
    stand at one, so that the start is flat to rounding.

    Raises
    ------
    CaseError
        When the case has elements without a model.
    SolveError
        When the power flow has no solution.
    """
    net = case.net
    _supported(net)
    model = build_model(copy.deepcopy(net))
    solved = _solve(net)
    v = np.asarray(solved["_ppc"]["internal"]["V"], dtype=np.complex128)
    if v.size != model.size:
        msg = f"{case.name}: the power flow has {v.size} buses, the model {model.size}"
        raise CaseError(msg)
    into = v * np.conj(model.admittance() @ v)
    rest = into.copy()
    elements: list[Element] = []
    makers: list[tuple[str, int, str, int, complex]] = []
    for table in TABLES:
        frame = solved[table]
        if not len(frame):
            continue
        buses = model.row_bus[bus_rows(solved, frame["bus"])]
        alive = frame["in_service"].to_numpy(dtype=bool)
        result = solved[f"res_{table}"]
        power = (result["p_mw"].to_numpy() + 1j * result["q_mvar"].to_numpy()) / model.base_mva
        for row, (index, name) in enumerate(zip(frame.index, element_names(frame, table), strict=True)):
            bus = int(buses[row]) if alive[row] else -1
            given = complex(power[row]) if bus >= 0 else 0j
            if table in {"gen", "ext_grid"}:
                makers.append((table, int(index), name, bus, given))
                continue
            s = -given if table == "load" else given
            elements.append(Element(table, int(index), name, bus, s))
            if bus >= 0:
                rest[bus] -= s
    return OperatingPoint(
        model=model,
        v_pu=v,
        elements=(*_share(makers, rest), *elements),
        bus_names=element_names(net.bus, "bus"),
        bus_index=tuple(int(i) for i in net.bus.index),
        f_hz=float(case.meta["f_nominal_hz"]),
    )


def _share(makers: list[tuple[str, int, str, int, complex]], rest: Complexes) -> list[Element]:
    """Give the makers at each bus together what the bus must deliver."""
    out = []
    for table, index, name, bus, given in makers:
        if bus < 0:
            out.append(Element(table, index, name, bus, 0j))
            continue
        here = [m[4] for m in makers if m[3] == bus]
        out.append(Element(table, index, name, bus, complex(given + (rest[bus] - sum(here)) / len(here))))
    return out
