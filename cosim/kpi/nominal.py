"""The frequency a grid is built for: what deviations of frequency are counted from."""

from typing import TYPE_CHECKING

import numpy as np

from cosim.core.types import Floats
from cosim.core.units import unit_of
from cosim.kpi.places import geography

if TYPE_CHECKING:
    from cosim.results import Results

USUAL_HZ = (50.0, 60.0)
"""Nominal frequencies of public grids; a run whose model does not say takes the one it began nearest to."""


def is_frequency(column: str) -> bool:
    """Whether a column is a frequency: `f_min_hz` is, `rocof_hz_per_s` is not."""
    unit = unit_of(column)
    return unit is not None and unit.symbol == "Hz"


def nominal_hz(results: "Results", table: str, names: tuple[str, ...]) -> Floats:
    """Return the nominal frequency [Hz] of elements of a table, of shape (elements,).

    The model says it of every row of `area`. Elsewhere, and for a model that does not say, it is the
    known one nearest to the element's first frequency; NaN where there is neither.
    """
    said = [float(f) for f in geography(results).get("f_nominal_hz") or ()]
    if table == "area":
        known = dict(zip(results.elements("area"), said, strict=False))
        if all(name in known for name in names):
            return np.array([known[name] for name in names], dtype=np.float64)
    column = next((c for c in ("f_hz", "f_min_hz", "f_max_hz") if c in results.columns(table)), None)
    if column is None:
        return np.full(len(names), said[0] if said else np.nan)
    frame = results.series(table, column)[list(names)]
    return np.array([nearest_hz(frame[name].to_numpy(dtype=np.float64), said) for name in names])


def nearest_hz(f_hz: Floats, said: list[float]) -> float:
    """Return which of the nominal frequencies (or of 50 and 60 Hz) the first known value is nearest to."""
    finite = f_hz[np.isfinite(f_hz)]
    if not finite.size:
        return said[0] if said else float("nan")
    return min(said or USUAL_HZ, key=lambda f: abs(f - float(finite[0])))


def of_the_grid_hz(results: "Results") -> float:
    """Return the nominal frequency of the first area, NaN for a run without areas."""
    names = results.elements("area")[:1] if "area" in results.tables else ()
    return float(nominal_hz(results, "area", names)[0]) if names else float("nan")
