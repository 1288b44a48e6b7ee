"""Whether the voltages a file stores solve its network."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from cosim.core.types import Floats
from grids.formats.source import SourceGrid
from grids.numbers import Complexes

ROUNDING_PU = 2e-5
"""Files store five decimals of the voltage."""
SLACK_PU = 5e-3
"""Mismatch of a power-flow solution with the usual tolerance, on the system's base."""


def stored_mismatch(grid: SourceGrid, made_mw: Mapping[int, float]) -> tuple[float, int]:
    """Return the largest mismatch [pu] beyond rounding, and its bus.

    A file whose mismatch is above `SLACK_PU` holds voltages that are not a solution (a start, or an older
    state), and they say nothing about what its machines hold.

    Parameters
    ----------
    grid
        Network, machines not needed.
    made_mw
        Active power of the machines at each bus that has any, nan at the swing. Their reactive power is
        free.
    """
    numbers = list(grid.buses)
    row = {number: k for k, number in enumerate(numbers)}
    v = np.array([b.vm_pu * np.exp(1j * np.deg2rad(b.va_degree)) for b in grid.buses.values()])
    y = _admittance(grid, row)
    mva: Complexes = v * np.conj(y @ v) * grid.base_mva
    for load in grid.loads:
        mva[row[load.bus]] += complex(load.p_mw, load.q_mvar) * load.in_service
    for injection in grid.injections:
        mva[row[injection.bus]] -= complex(injection.p_mw, injection.q_mvar) * injection.in_service
    for bus, p_mw in made_mw.items():
        if bus in row:
            mva[row[bus]] = 0.0 if np.isnan(p_mw) else mva[row[bus]].real - p_mw
    rounding: Floats = ROUNDING_PU * np.asarray(abs(y).sum(axis=1)).ravel()
    excess = np.abs(mva) / grid.base_mva - rounding
    worst = int(np.argmax(excess))
    return float(excess[worst]), numbers[worst]


def _admittance(grid: SourceGrid, row: Mapping[int, int]) -> Any:
    live = [b for b in grid.branches if b.in_service]
    f, t = ([row[getattr(b, end)] for b in live] for end in ("one", "other"))
    series = np.array([1.0 / complex(b.r_pu, b.x_pu) for b in live])
    charging = np.array([0.5j * b.b_pu for b in live])
    m = np.array([b.tap_one * np.exp(1j * np.deg2rad(b.shift_degree)) for b in live])
    n = np.array([b.tap_other for b in live])
    own = [row[s.bus] for s in grid.shunts if s.in_service]
    shunt = [complex(s.p_mw, -s.q_mvar) / grid.base_mva for s in grid.shunts if s.in_service]
    values = np.concatenate(
        [
            (series + charging) / np.abs(m) ** 2,
            (series + charging) / n**2,
            -series / np.conj(m) / n,
            -series / m / n,
            np.array(shunt, dtype=np.complex128),
        ]
    )
    places = ([*f, *t, *f, *t, *own], [*f, *t, *t, *f, *own])
    size = len(row)
    return sp.csr_matrix((values, places), shape=(size, size))
