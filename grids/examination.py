"""Whether a case is sound: power flow, limits, and a flat start of its dynamics; `suandian grid check`."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp

from cosim.core.errors import SuandianError
from cosim.core.types import Floats
from grids.case import Case
from grids.dynamics.device import Device
from grids.dynamics.start import FLAT_PER_S, begin
from grids.dynamics.tables import read_units

LIMIT_SLACK = 1e-6
SHOWN = 5
"""Elements named of those outside a limit."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    good: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'FAIL'}  {self.what}: {self.text}"


def examine(case: Case, step_s: float) -> list[Finding]:
    """Return what was found; what follows a power flow without solution is not looked at.

    Parameters
    ----------
    case
        The case.
    step_s
        Inner step of the dynamics that is held against the time constants [s].
    """
    net = case.net
    try:
        pp.runpp(
            net, calculate_voltage_angles=True, init="dc", max_iteration=30, trafo_model="t", numba=False
        )
    except pp.LoadflowNotConverged:
        return [Finding("power flow", good=False, text="has no solution")]
    iterations = net["_ppc"]["iterations"]
    findings = [Finding("power flow", good=True, text=f"solved in {iterations} iterations")]
    findings += [_voltages(net), *_loadings(net), _reactive(net)]
    return [*findings, _dynamics(case, step_s)]


def _named(frame: Any, wrong: Floats, value: Floats, unit: str) -> str:
    """Name the worst of those that are outside a limit."""
    order = np.argsort(-wrong)
    worst = [int(k) for k in order if wrong[k] > LIMIT_SLACK]
    names = [f"{frame['name'].iloc[k]} {value[k]:.4g} {unit}" for k in worst[:SHOWN]]
    more = f" and {len(worst) - SHOWN} more" if len(worst) > SHOWN else ""
    return ", ".join(names) + more


def _voltages(net: Any) -> Finding:
    vm = net.res_bus["vm_pu"].to_numpy(dtype=float)
    low = net.bus["min_vm_pu"].to_numpy(dtype=float) if "min_vm_pu" in net.bus else np.full(vm.size, 0.9)
    high = net.bus["max_vm_pu"].to_numpy(dtype=float) if "max_vm_pu" in net.bus else np.full(vm.size, 1.1)
    wrong = np.nan_to_num(np.maximum(np.nan_to_num(low, nan=0.9) - vm, vm - np.nan_to_num(high, nan=1.1)))
    text = f"{np.nanmin(vm):.4f} to {np.nanmax(vm):.4f} pu"
    outside = _named(net.bus, wrong, vm, "pu")
    return Finding("voltages", good=not outside, text=f"{text}; outside: {outside}" if outside else text)


def _loadings(net: Any) -> list[Finding]:
    found = []
    for table in ("line", "trafo"):
        frame = net[table]
        if not len(frame):
            continue
        loading = np.nan_to_num(net[f"res_{table}"]["loading_percent"].to_numpy(dtype=float))
        column = "max_loading_percent"
        most = frame[column].to_numpy(dtype=float) if column in frame else np.full(len(frame), 100.0)
        outside = _named(frame, loading - np.nan_to_num(most, nan=100.0), loading, "%")
        text = f"at most {loading.max():.4g} %"
        what = f"{table} loading"
        found.append(Finding(what, good=not outside, text=f"{text}; above: {outside}" if outside else text))
    return found


def _reactive(net: Any) -> Finding:
    """Look at reactive limits of generators; the power flow here does not hold them."""
    gen = net.gen
    if not len(gen) or "max_q_mvar" not in gen or "min_q_mvar" not in gen:
        return Finding("reactive limits", good=True, text="none given")
    q = np.nan_to_num(net.res_gen["q_mvar"].to_numpy(dtype=float))
    low, high = (gen[c].to_numpy(dtype=float) for c in ("min_q_mvar", "max_q_mvar"))
    slack = 1e-3 * np.maximum(1.0, np.abs(q))  # stored limits are often the stored output, rounded
    wrong = np.nan_to_num(np.maximum(low - q, q - high) - slack, nan=-1.0)
    outside = _named(gen, wrong, q, "Mvar")
    return Finding("reactive limits", good=not outside, text=f"outside: {outside}" if outside else "all held")


def _dynamics(case: Case, step_s: float) -> Finding:
    """Start the dynamics: that checks tables, flatness and the step."""
    try:
        units = read_units(case)
        if not units:
            return Finding("dynamics", good=True, text="no dynamic tables, so nothing to start")
        session = begin(case, step_s=step_s)
    except SuandianError as error:
        return Finding("dynamics", good=False, text=str(error))
    rate = np.abs(session.derivatives)
    largest = float(rate.max()) if rate.size else 0.0
    shortest = _shortest(session.system.groups)
    text = (
        f"{len(units)} units start flat: largest derivative {largest:.2g} 1/s (allowed: {FLAT_PER_S:g}); "
        f"step {step_s:g} s fits{shortest}"
    )
    return Finding("dynamics", good=True, text=text)


def _shortest(groups: Any) -> str:
    """Name the shortest time constant a step has to resolve."""
    best = (math.inf, "")
    for group in groups:
        cls: type[Device] = group.cls
        for name, values in cls.time_constants(group.block).items():
            positive = np.where(values > 0.0, values, np.inf)
            k = int(np.argmin(positive))
            best = min(best, (float(positive[k]), f"{name} of {group.elements[k]} ({group.model})"))
    return f", the shortest it resolves is {best[0]:g} s, {best[1]}" if math.isfinite(best[0]) else ""
