r"""Whether the data of standard line types can be those of an overhead line at their voltage.

Reactance and capacitance lie within the range of the voltage (`grids/data/line_ranges.csv`), and waves
travel along the line at nearly the speed of light, :math:`v = 1/\sqrt{L'C'}` [1]_: an error in one of the
two that the ranges let pass makes them faster than light, or much slower.

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, sections 6.1.3 and 6.1.4, table 6.1.
"""

import csv
import math
from functools import cache
from pathlib import Path

from grids.case import Case
from grids.checks.finding import Finding, State, listed

LIGHT_KM_PER_S = 299_792.458
SPEED_PU = (0.93, 1.0)
"""Speed of waves along overhead lines over that of light: conductors have an inductance inside, too."""

RANGES = Path(__file__).parents[1] / "data" / "line_ranges.csv"
RANGES_HZ = 50.0


@cache
def _ranges() -> tuple[dict[str, float], ...]:
    with RANGES.open(encoding="utf-8") as file:
        words = ("evidence", "source")
        return tuple({k: float(v) for k, v in row.items() if k not in words} for row in csv.DictReader(file))


def line_faults(name: str, vn_kv: float, x_ohm_per_km: float, c_nf_per_km: float, f_hz: float) -> list[str]:
    """Return what cannot be of a type of line, each with column, value and what is allowed."""
    found = []
    known = next((row for row in _ranges() if row["from_kv"] < vn_kv <= row["to_kv"]), None)
    if known is not None:
        values = {
            "x_ohm_per_km": (x_ohm_per_km, "x", "ohm_per_km", f_hz / RANGES_HZ),
            "c_nf_per_km": (c_nf_per_km, "c", "nf_per_km", 1.0),
        }
        for column, (value, key, unit, factor) in values.items():
            least, most = (known[f"{key}_{end}_{unit}"] * factor for end in ("least", "most"))
            if not least <= value <= most:
                found.append(
                    f"{name}: {column}={value:g} (allowed at {vn_kv:g} kV: {least:.3g} to {most:.3g})"
                )
    inductance_h, capacitance_f = x_ohm_per_km / (2.0 * math.pi * f_hz), c_nf_per_km * 1e-9
    product = inductance_h * capacitance_f
    speed_pu = 1.0 / math.sqrt(product) / LIGHT_KM_PER_S if product > 0.0 else math.inf
    if not SPEED_PU[0] <= speed_pu <= SPEED_PU[1]:
        data = f"x_ohm_per_km={x_ohm_per_km:g} and c_nf_per_km={c_nf_per_km:g}"
        allowed = f"allowed: {SPEED_PU[0]:g} to {SPEED_PU[1]:g}"
        found.append(f"{name}: {data} let waves run at {speed_pu:.3g} of the speed of light ({allowed})")
    return found


def check_lines(case: Case) -> Finding:
    """Return whether the standard types a case uses, with what its rows change of them, can be."""
    net, f_hz = case.net, float(case.meta["f_nominal_hz"])
    vn_kv = net.bus["vn_kv"]
    used = {
        (str(row["std_type"]), float(vn_kv.loc[row["from_bus"]]), row["x_ohm_per_km"], row["c_nf_per_km"])
        for row in net.line.to_dict("records")
        if isinstance(row.get("std_type"), str) and row["std_type"]
    }
    faults = [fault for kind, kv, x, c in sorted(used) for fault in line_faults(kind, kv, x, c, f_hz)]
    text = (
        f"types of lines that cannot be: {listed(faults)}" if faults else f"{len(used)} types of lines can be"
    )
    return Finding("line data", State.of(not faults), text, float(len(faults)), 0.0)
