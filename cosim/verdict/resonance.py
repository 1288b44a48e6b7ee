"""What drives an oscillation: who pulses at its frequency, and which mode of the grid is near."""

from typing import TYPE_CHECKING

import numpy as np

from cosim.kpi.oscillation import lasting
from cosim.kpi.panel import tables_with
from cosim.verdict.limits import Quantity
from cosim.verdict.quantities import raw_panel, swings
from cosim.verdict.text import number
from cosim.verdict.text import quantity as quantity_text

if TYPE_CHECKING:
    from cosim.results import Results

NEAR_PU = 0.1
"""A mode that differs by less from what is seen is named as excited."""

PULSES_MW = 1.0
"""Amplitude of power [MW] from which a unit is named."""


def resonance(results: "Results", quantity: Quantity, table: str, row: int, element: str) -> str:
    """Return one sentence about the oscillation of an element that ends at exchange `row`."""
    found = raw_panel(results, quantity, table)
    if found is None:
        return ""
    f_hz = float(swings(quantity, found).frequency_hz[row, found.names.index(element)])
    t_s = float(found.t_s[row])
    said = [f"swings at {number(f_hz, 3)} Hz"]
    said += _pulsing(results, t_s, quantity.window_s, f_hz)
    said += _excited(results, f_hz)
    return "; ".join(said)


def _pulsing(results: "Results", t_s: float, window_s: float, f_hz: float) -> list[str]:
    """Name the unit whose power pulses most at a frequency, all through the window before a time."""
    largest = (PULSES_MW, "")
    for table in tables_with(results, "p_mw"):
        frame = results.series(table, "p_mw")
        times = frame.index.to_numpy(dtype=np.float64)
        kept = (times > t_s - window_s) & (times <= t_s)
        if kept.sum() < 8:
            continue
        step_s = float(np.median(np.diff(times[kept])))
        amplitude = lasting(frame.to_numpy(dtype=np.float64)[kept], f_hz, step_s)
        best = int(np.argmax(np.nan_to_num(amplitude)))
        largest = max(largest, (float(amplitude[best]), str(frame.columns[best])))
    power_mw, name = largest
    return [f"{name} pulses by ±{quantity_text(power_mw, 'MW', 3)} at that frequency"] if name else []


def _excited(results: "Results", f_hz: float) -> list[str]:
    """Name the mode of the grid nearest to a frequency, as its model told at the start."""
    modes = results.manifest.get("grid", {}).get("modes", [])
    if not modes:
        return []
    mode = min(modes, key=lambda m: abs(float(m["f_hz"]) - f_hz))
    mode_hz, damping = float(mode["f_hz"]), float(mode["damping_pu"])
    if abs(mode_hz - f_hz) > NEAR_PU * mode_hz:
        return [f"no mode of the grid is near, the nearest has {number(mode_hz, 3)} Hz"]
    who = ", ".join(str(name) for name in mode.get("machines", ()))
    return [
        f"resonance with the mode at {number(mode_hz, 3)} Hz, damping ratio {number(100 * damping, 2)} %"
        + (f" ({who})" if who else "")
    ]
