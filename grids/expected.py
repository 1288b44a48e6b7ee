"""The numbers a reference case must reproduce: `expected/<point>.csv` against a solved power flow."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from cosim.core.errors import CaseError
from cosim.core.registry import nearest
from grids.case import Case, case_folder, load_case


@dataclass(frozen=True)
class Expected:
    """One expected number and what the case gives."""

    case: str
    point: str
    quantity: str
    element: str
    expected: float
    tolerance: float
    value: float
    unit: str
    source: str

    @property
    def good(self) -> bool:
        """Return whether the value lies within its tolerance."""
        return bool(abs(self.value - self.expected) <= self.tolerance)

    def text(self) -> str:
        """Return one line that says what was expected and what came out."""
        what = f"{self.quantity} {self.element}".strip()
        return (
            f"{self.case}/{self.point}: {what} = {self.value:.6g} {self.unit}, "
            f"expected {self.expected:.6g} ± {self.tolerance:.3g}"
        )


def _sum(table: pd.DataFrame, column: str, kinds: str) -> float:
    chosen = table if not kinds else table[table["type"] == kinds]
    return float(chosen[column].sum())


def _in_service_load(net: Any, kind: str) -> float:
    load = net.res_load.join(net.load["type"]) if "type" in net.load else net.res_load
    return _sum(load, "p_mw", kind)


def _bus(net: Any, table: str, column: str, name: str) -> float:
    found = net.bus.index[net.bus["name"] == name]
    if len(found) == 0:
        msg = f"expected value names bus {name!r}, which is not in the case.{nearest(name, net.bus['name'])}"
        raise CaseError(msg)
    return float(net[table].loc[found[0], column])


def _losses(net: Any) -> float:
    tables = ("res_line", "res_trafo", "res_trafo3w", "res_impedance")
    return float(sum(net[t]["pl_mw"].sum() for t in tables if t in net and len(net[t])))


def _generation(net: Any) -> float:
    tables = ("res_gen", "res_sgen", "res_ext_grid")
    return float(sum(np.nansum(net[t]["p_mw"]) for t in tables if len(net[t])))


def _loading(net: Any) -> float:
    tables = ("res_line", "res_trafo", "res_trafo3w")
    return float(max(net[t]["loading_percent"].max() for t in tables if len(net[t])))


def _voltage(net: Any, pick: Callable[[Any], float]) -> float:
    return float(pick(net.res_bus["vm_pu"].dropna()))


QUANTITIES: dict[str, Callable[[Any, str], float]] = {
    "load_mw": _in_service_load,
    "generation_mw": lambda net, _: _generation(net),
    "losses_mw": lambda net, _: _losses(net),
    "losses_percent": lambda net, _: 100.0 * _losses(net) / _in_service_load(net, ""),
    "slack_mw": lambda net, _: float(net.res_ext_grid["p_mw"].sum()),
    "slack_mvar": lambda net, _: float(net.res_ext_grid["q_mvar"].sum()),
    "sgen_mw": lambda net, kind: _sum(net.res_sgen.join(net.sgen["type"]), "p_mw", kind),
    "gen_mw": lambda net, _: float(net.res_gen["p_mw"].sum()),
    "loading_max_percent": lambda net, _: _loading(net),
    "vm_min_pu": lambda net, _: _voltage(net, pd.Series.min),
    "vm_max_pu": lambda net, _: _voltage(net, pd.Series.max),
    "vm_pu": lambda net, name: _bus(net, "res_bus", "vm_pu", name),
    "va_degree": lambda net, name: _bus(net, "res_bus", "va_degree", name),
}
"""What `expected/*.csv` may ask for; the element column names a bus or a load/sgen type."""


def check_case(name: str) -> list[Expected]:
    """Solve every operating point of a case from a flat start and return all expected numbers.

    Raises
    ------
    CaseError
        When the case or a file of expected numbers is wrong. A power flow that does not converge
        gives NaN values, which are never good.
    """
    folder = case_folder(name) / "expected"
    rows: list[Expected] = []
    for path in sorted(folder.glob("*.csv")):
        case = load_case(name, path.stem)
        _solve(case)
        rows.extend(_compare(case, path))
    if not rows:
        msg = f"{folder}: no expected numbers; a reference case has expected/<point>.csv"
        raise CaseError(msg)
    return rows


def _solve(case: Case) -> None:
    try:
        pp.runpp(case.net, init="flat", numba=True)
    except pp.LoadflowNotConverged:
        for table in [t for t in case.net if t.startswith("res_") and len(case.net[t])]:
            case.net[table].loc[:, :] = math.nan


def _compare(case: Case, path: Path) -> Iterator[Expected]:
    table = pd.read_csv(path, keep_default_na=False)
    for line, row in enumerate(table.to_dict("records"), start=2):
        quantity = str(row["quantity"])
        if quantity not in QUANTITIES:
            known = ", ".join(QUANTITIES)
            what = f"quantity {quantity!r} is unknown; allowed: {known}.{nearest(quantity, QUANTITIES)}"
            msg = f"{path.name}:{line}: {what}"
            raise CaseError(msg)
        yield Expected(
            case=case.name,
            point=path.stem,
            quantity=quantity,
            element=str(row["element"]),
            expected=float(row["value"]),
            tolerance=float(row["tolerance"]),
            value=QUANTITIES[quantity](case.net, str(row["element"])),
            unit=str(row["unit"]),
            source=str(row["source"]),
        )
