"""Short-circuit levels of an operating point against ratings of circuit-breakers and usual ranges."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cosim.core.errors import CaseError
from cosim.core.types import Bools
from grids.case import Case
from grids.checks.base import BACKBONE_KV, HIGH_KV, Solved
from grids.checks.finding import Finding, State, listed
from grids.checks.short_circuit import ShortCircuit, rating_ka, short_circuit
from grids.dynamics.tables import read_units

CHECK = "short circuit"
LEAST_KA = 20.0
"""Lower end of the range of levels of main 500 kV busbars in China (unconfirmed): told, not asked."""


def check_levels(solved: Solved) -> list[Finding]:
    """Return the range of currents of faults at the real busbars of 220 kV and above.

    A province fails with a level above the breakers' rating; other cases get a note. Levels below `LEAST_KA`
    at 500 kV and above are a note, as ends of corridors are weak. Busbars of the boundary are not compared.
    """
    try:
        if not read_units(solved.case):
            return []
        found = short_circuit(solved.case)
    except (CaseError, ValueError) as error:
        return [Finding(CHECK, State.NOTE, f"not looked at: {error}")]
    un_kv = solved.net.bus["vn_kv"].to_numpy(dtype=float)
    own = (un_kv >= HIGH_KV) & np.isfinite(found.ikss_ka) & ~found.boundary
    if not own.any():
        return []
    return [_judged(solved.net, found, own, is_province=solved.is_province)]


def _judged(net: Any, found: ShortCircuit, own: Bools, *, is_province: bool) -> Finding:
    un_kv, names = net.bus["vn_kv"].to_numpy(dtype=float), [str(name) for name in net.bus["name"]]
    current = np.where(own, found.ikss_ka, np.nan)
    levels = [
        f"{kv:g} kV {np.nanmin(current[un_kv == kv]):.1f} to {np.nanmax(current[un_kv == kv]):.1f} kA"
        for kv in sorted(set(un_kv[own].tolist()), reverse=True)
    ]
    text = ", ".join(levels)
    if (several := found.busbars[own] > 1).any():
        text += f" at {int(found.busbars[own].sum())} busbars, for which {several.size} rows stand"
    over = current / np.array([rating_ka(kv) for kv in un_kv])
    above = [int(k) for k in np.argsort(-over) if over[k] > 1.0]
    main = own & (un_kv >= BACKBONE_KV)
    weak = [k for k in np.argsort(current).tolist() if un_kv[k] >= BACKBONE_KV and current[k] < LEAST_KA]
    if above:
        which = listed([f"{names[k]} {current[k]:.1f} kA" for k in above])
        text += f"; {len(above)} above the breakers' rating: {which}"
    if weak:
        which = listed([f"{names[k]} {current[k]:.1f} kA" for k in weak])
        text += f"; {len(weak)} of {int(main.sum())} below {LEAST_KA:g} kA: {which}"
    told = State.NOTE if above or weak else State.GOOD
    state = State.BAD if above and is_province else told
    return Finding(CHECK, state, text, float(np.nanmax(over)), 1.0)


def above_rating_ka(cases: Sequence[Case]) -> dict[str, float]:
    """Return the highest current [kA] over operating points of each bus above the breakers' rating.

    The one furthest above comes first. Busbars of the boundary are not compared.

    Raises
    ------
    CaseError, ValueError
        As `short_circuit` does.
    """
    bus = cases[0].net.bus
    found = [short_circuit(case) for case in cases]
    most = np.fmax.reduce([np.where(one.boundary, 0.0, one.ikss_ka) for one in found])
    over = most / np.array([rating_ka(kv) for kv in bus["vn_kv"]])
    return {str(bus["name"].iloc[k]): float(most[k]) for k in np.argsort(-over) if over[k] > 1.0}


def level_records(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return the lowest and highest current of each bus of 220 kV and above over operating points.

    Nothing where there are no machines, or elements without an equation.
    """
    try:
        found = [short_circuit(case) for case in cases if read_units(case)]
    except (CaseError, ValueError):
        return []
    if not found:
        return []
    bus = cases[0].net.bus
    most = np.fmax.reduce([one.ikss_ka for one in found])
    least = np.fmin.reduce([one.least_ka for one in found])
    return [
        {
            "name": str(bus["name"].iloc[k]),
            "vn_kv": float(bus["vn_kv"].iloc[k]),
            "busbars_count": int(found[0].busbars[k]),
            "spacing_km": float(bus["spacing_km"].iloc[k]) if "spacing_km" in bus else float("nan"),
            "least_ka": float(least[k]),
            "most_ka": float(most[k]),
            "rating_ka": rating_ka(float(bus["vn_kv"].iloc[k])),
            "boundary": bool(found[0].boundary[k]),
        }
        for k in np.argsort(-bus["vn_kv"].to_numpy(dtype=float), kind="stable").tolist()
        if bus["vn_kv"].iloc[k] >= HIGH_KV
    ]
