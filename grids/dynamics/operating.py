"""The operating point a run starts from: voltages of all buses, power of every element."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp

from cosim.core.errors import CaseError, SolveError, collected
from cosim.core.types import Ints
from grids.build import Model, build_model, nominal_mva
from grids.case import Case
from grids.elements import bus_rows, element_names
from grids.numbers import Complexes

MAKERS = ("gen", "ext_grid")
"""Tables whose elements deliver what their bus is asked for."""

GIVEN = ("sgen", "load", "storage", "motor", "ward")
"""Tables whose elements draw or deliver a given power, in the order they are listed in."""

ENDS = ("from", "to")
"""Terminals of a dcline; each is an element of its own."""

REFUSED = {
    "xward": "give its voltage source as a gen behind a branch",
    "asymmetric_load": "this engine is balanced: give its sum as a load",
    "asymmetric_sgen": "this engine is balanced: give its sum as an sgen",
}
"""Tables without a model, and what would do."""


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


def dcline_ends(name: str) -> tuple[str, str]:
    """Return the names of the two terminals of a dcline: that at `from_bus`, that at `to_bus`."""
    first, second = ENDS
    return f"{name}_{first}", f"{name}_{second}"


def solve_operating_point(case: Case) -> OperatingPoint:
    """Return the solved case.

    Raises
    ------
    CaseError
        When the case has elements without a model.
    SolveError
        When the power flow has no solution.
    """
    _supported(case.net)
    solved = _solve(case.net)
    v_pu = np.asarray(solved["_ppc"]["internal"]["V"], dtype=np.complex128)
    delivered = {table: _result_mva(solved, table) for table in (*MAKERS, *GIVEN) if len(solved[table])}
    if len(solved["dcline"]):
        for end in ENDS:
            result = solved["res_dcline"]
            power = result[f"p_{end}_mw"].to_numpy() + 1j * result[f"q_{end}_mvar"].to_numpy()
            delivered[f"dcline_{end}"] = -power
    return point_of(case.net, v_pu, float(case.meta["f_nominal_hz"]), delivered)


def point_of(
    net: Any,
    v_pu: Complexes,
    f_hz: float,
    delivered_mva: Mapping[str, Complexes] | None = None,
    *,
    model: Model | None = None,
    extra: Sequence[Element] = (),
) -> OperatingPoint:
    """Return the operating point of a net whose voltages are known: nothing is solved.

    Generators and external grids get what the network asks of their bus, shared by their scheduled
    powers where several stand at one, so that the start is flat to rounding wherever one stands;
    elsewhere the voltages must fit the powers.

    Parameters
    ----------
    net
        pandapower net in its present topology, with its present taps.
    v_pu
        Voltage of each internal bus, shape (buses,).
    f_hz
        Nominal frequency [Hz].
    delivered_mva
        Table -> power each row delivers into its bus [MVA], shape (rows,); `dcline_from` and `dcline_to`
        for dclines. Rows of tables that are not given deliver what their own columns say; those of
        motors and dclines do not, so they must be given.
    model
        `build_model(net)`, where it is known already.
    extra
        Elements that stand in no table of the net, such as connected units.

    Raises
    ------
    CaseError
        When the net has elements without a model, two elements share a name, or the voltages are of
        another network.
    """
    _supported(net)
    model = build_model(copy.deepcopy(net)) if model is None else model
    if v_pu.size != model.size:
        msg = f"{v_pu.size} voltages for a network of {model.size} energised buses"
        raise CaseError(msg)
    known = {} if delivered_mva is None else delivered_mva
    rest = v_pu * np.conj(model.admittance() @ v_pu)
    given = [*_dclines(net, model, known), *extra]
    for table in GIVEN:
        given += _elements(net, model, table, known.get(table))
    for element in given:
        if element.bus >= 0:
            rest[element.bus] -= element.s_pu
    makers = [element for table in MAKERS for element in _elements(net, model, table, known.get(table))]
    elements = (*_share(makers, rest), *given)
    _distinct(elements)
    return OperatingPoint(
        model=model,
        v_pu=v_pu,
        elements=elements,
        bus_names=element_names(net.bus, "bus"),
        bus_index=tuple(int(i) for i in net.bus.index),
        f_hz=f_hz,
    )


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
    wrong = []
    for table, instead in REFUSED.items():
        frame = net.get(table)
        if frame is None or not len(frame):
            continue
        alive = frame["in_service"].to_numpy(dtype=bool)
        names = [name for name, on in zip(element_names(frame, table), alive, strict=True) if on]
        wrong += [f"no dynamic model for {table} {name!r}: {instead}, or switch it off" for name in names]
    collected(wrong, CaseError)


def _result_mva(solved: Any, table: str) -> Complexes:
    """Return what pandapower found the rows of a table to deliver [MVA]."""
    if table == "ward":
        return _stated_mva(solved, table)  # its impedance part is in the network
    result = solved[f"res_{table}"]
    power: Complexes = result["p_mw"].to_numpy() + 1j * result["q_mvar"].to_numpy()
    return power if table in {*MAKERS, "sgen"} else -power


def _stated_mva(net: Any, table: str) -> Complexes:
    """Return what the rows of a table deliver by their own columns [MVA]."""
    frame = net[table]
    if table == "ext_grid":
        return np.zeros(len(frame), dtype=np.complex128)
    if table == "ward":
        power: Complexes = -(
            frame["ps_mw"].to_numpy(dtype=float) + 1j * frame["qs_mvar"].to_numpy(dtype=float)
        )
        return power
    if table == "motor":
        return _needed({}, table)
    power = nominal_mva(frame)
    return power if table in {"gen", "sgen"} else -power


def _elements(net: Any, model: Model, table: str, delivered_mva: Complexes | None) -> list[Element]:
    frame = net.get(table)
    if frame is None or not len(frame):
        return []
    power = _stated_mva(net, table) if delivered_mva is None else delivered_mva
    buses = model.row_bus[bus_rows(net, frame["bus"])]
    alive = frame["in_service"].to_numpy(dtype=bool) & (buses >= 0)
    rows = zip(frame.index, element_names(frame, table), buses.tolist(), power.tolist(), alive, strict=True)
    return [
        Element(table, int(i), name, bus if on else -1, s / model.base_mva if on else 0j)
        for i, name, bus, s, on in rows
    ]


def _dclines(net: Any, model: Model, delivered_mva: Mapping[str, Complexes]) -> list[Element]:
    """Return the two terminals of each dcline."""
    frame = net.get("dcline")
    if frame is None or not len(frame):
        return []
    power = [_needed(delivered_mva, f"dcline_{end}") for end in ENDS]
    buses = [model.row_bus[bus_rows(net, frame[f"{end}_bus"])] for end in ENDS]
    alive = frame["in_service"].to_numpy(dtype=bool)
    out = []
    for row, (index, name) in enumerate(zip(frame.index, element_names(frame, "dcline"), strict=True)):
        for end, own in enumerate(dcline_ends(name)):
            bus = int(buses[end][row]) if alive[row] else -1
            s = complex(power[end][row]) / model.base_mva if bus >= 0 else 0j
            out.append(Element("dcline", int(index), own, bus, s))
    return out


def _needed(delivered_mva: Mapping[str, Complexes], table: str) -> Complexes:
    if table not in delivered_mva:
        msg = f"the net does not say what its {table} elements deliver: give it in delivered_mva[{table!r}]"
        raise CaseError(msg)
    return delivered_mva[table]


def _share(makers: Sequence[Element], rest: Complexes) -> list[Element]:
    """Give the makers at each bus together what the bus must deliver."""
    out = []
    for maker in makers:
        if maker.bus < 0:
            out.append(maker)
            continue
        here = [m.s_pu for m in makers if m.bus == maker.bus]
        s = complex(maker.s_pu + (rest[maker.bus] - sum(here)) / len(here))
        out.append(Element(maker.table, maker.index, maker.name, maker.bus, s))
    return out


def _distinct(elements: Iterable[Element]) -> None:
    tables: dict[str, list[str]] = {}
    for element in elements:
        tables.setdefault(element.name, []).append(element.table)
    wrong = [
        f"{name!r} names a {' and a '.join(found)}: a dynamic table could mean either; give distinct names"
        for name, found in tables.items()
        if len(found) > 1
    ]
    collected(wrong, CaseError)
