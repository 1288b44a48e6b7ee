"""The compiled Newton solver, fed with pandapower's admittances and bus types.

lightsim2grid's solver is told the matrix and the injections, nothing else: its importer of pandapower
nets is not used, because it is not faithful (0.024 pu off on a CIGRE medium-voltage net).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from lightsim2grid.algorithm import NR_KLU

from grids.numbers import Complexes, Indices


@dataclass(frozen=True)
class Solution:
    """Voltages of one solve; the last iterate where it did not converge."""

    v: Complexes
    converged: bool
    iterations: int


class Newton:
    """Newton's method for one admittance matrix; keeps its factorisation's pattern between solves.

    The solver understands several reference buses as one distributed slack. Here each holds its own
    voltage, so several are merged into one of 1 pu: column `sum_j Y[:, j] v_j`. That is exact,
    because rows of reference buses have no equation.

    Parameters
    ----------
    ref
        Reference buses.
    v_ref
        Their complex voltages [pu].
    """

    def __init__(self, ref: Indices, v_ref: Complexes, buses: int) -> None:
        self._ref = ref
        self._v_ref = v_ref
        self._size = buses
        self._merged = ref.size > 1
        self._rest = np.setdiff1d(np.arange(buses, dtype=np.int32), ref)
        self._place = np.full(buses, self._rest.size, dtype=np.int32)
        self._place[self._rest] = np.arange(self._rest.size, dtype=np.int32)
        self._weights = np.zeros(self._rest.size + 1 if self._merged else buses)
        self._slack = np.array([self._rest.size], dtype=np.int32) if self._merged else ref
        self._weights[self._slack] = 1.0
        self._solver = NR_KLU()
        self._pv = self._pq = np.zeros(0, dtype=np.int32)
        self._y: Any = None

    def set_admittance(self, y: Any) -> None:
        """Take a bus admittance matrix (csc), shape (buses, buses)."""
        if self._merged:
            slack = sp.csc_matrix((y[:, self._ref] @ self._v_ref)[self._rest][:, None])
            inner = y[self._rest][:, self._rest]
            one = sp.csc_matrix(np.ones((1, 1), dtype=np.complex128))
            nothing = sp.csc_matrix((1, self._rest.size), dtype=np.complex128)
            y = sp.bmat([[inner, slack], [nothing, one]], format="csc")
            y.sort_indices()
        self._y = y
        self._solver.reset()

    def set_types(self, pv: Indices, pq: Indices) -> None:
        """Take the buses that hold their voltage and those that do not."""
        self._pv = self._place[pv] if self._merged else pv
        self._pq = self._place[pq] if self._merged else pq
        self._solver.reset()

    def solve(self, s_pu: Complexes, start: Complexes, max_iteration: int, tolerance_pu: float) -> Solution:
        """Solve for the injections `s_pu` [pu] from the voltages `start`, both of shape (buses,)."""
        if self._pv.size + self._pq.size == 0:
            return Solution(start.copy(), converged=True, iterations=0)
        if self._merged:
            s_pu = np.append(s_pu[self._rest], 0.0)
            start = np.append(start[self._rest], 1.0)
        else:
            start = start.copy()  # the solver writes into what it is given
        good = self._solver.solve(
            self._y, start, s_pu, self._slack, self._weights, self._pv, self._pq, max_iteration, tolerance_pu
        )
        v = self._solver.get_V().copy()
        iterations = int(self._solver.get_nb_iter())
        if not good:
            self._solver.reset()
        if self._merged:
            full = np.empty(self._size, dtype=np.complex128)
            full[self._rest] = v[:-1]
            full[self._ref] = self._v_ref
            v = full
        good = bool(good) and bool(np.isfinite(v).all())
        return Solution(v, converged=good, iterations=iterations)
