"""Short-circuit levels of an operating point against ratings of circuit-breakers and usual ranges."""

import numpy as np

from cosim.core.errors import CaseError
from grids.checks.base import BACKBONE_KV, HIGH_KV, Solved
from grids.checks.finding import Finding, State, listed
from grids.checks.short_circuit import rating_ka, short_circuit
from grids.dynamics.tables import read_units

CHECK = "short circuit"
LEAST_KA = 20.0
"""Usual least level at 500 kV busbars in China (unconfirmed); most is the breakers' rating."""


def check_levels(solved: Solved) -> list[Finding]:
    """Return the range of currents at 220 kV and above; a note where it leaves the usual one.

    Which breakers are installed is not confirmed, and a busbar of a case may stand for several that are
    run apart, so nothing is refused. Boundary busbars are not compared.
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
    current = np.where(own, found.ikss_ka, np.nan)
    levels = [
        f"{kv:g} kV {np.nanmin(current[un_kv == kv]):.1f} to {np.nanmax(current[un_kv == kv]):.1f} kA"
        for kv in sorted(set(un_kv[own].tolist()), reverse=True)
    ]
    over = current / np.array([rating_ka(kv) for kv in un_kv])
    names = [str(name) for name in solved.net.bus["name"]]
    above = [f"{names[k]} {current[k]:.0f} kA" for k in np.argsort(-over).tolist() if over[k] > 1.0]
    weak = [
        f"{names[k]} {current[k]:.1f} kA"
        for k in np.argsort(current).tolist()
        if un_kv[k] == BACKBONE_KV and current[k] < LEAST_KA
    ]
    text = ", ".join(levels)
    if above:
        text += f"; {len(above)} of {int(own.sum())} busbars above the breakers' rating: {listed(above)}"
    if weak:
        text += f"; below {LEAST_KA:g} kA: {listed(weak)}"
    state = State.NOTE if above or weak else State.GOOD
    return [Finding(CHECK, state, text, float(np.nanmax(over)), 1.0)]
