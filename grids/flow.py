"""One topology, solved again and again: warm-started Newton with reactive limits."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import spsolve

from cosim.core.types import Floats, Ints
from grids.build import Model
from grids.kernels.powerflow import hold, inject, settle
from grids.numbers import Complexes
from grids.reactive import ReactiveLimits, Switch
from grids.solver import Newton, Solution

MAX_ITERATIONS = 15
MAX_SWITCHINGS = 200
"""Rounds of reactive switching in one solve: a few where all switch together, more one by one."""
SETTLED_PU = 1e-11
"""Change of voltage at which loads that depend on it have settled: a thousandth of what is promised."""
MAX_ROUNDS = 60
"""Rounds for loads that depend on voltage; each shrinks the error about tenfold."""


@dataclass(frozen=True)
class Demand:
    """What is drawn at each bus, shape (buses,), consumption > 0.

    `current_*` and `impedance_*` are the parts that follow V and V², as given at 1 pu.
    """

    p_mw: Floats
    q_mvar: Floats
    current_mva: Complexes | None = None
    impedance_mva: Complexes | None = None

    def power(self, model: Model, vm_pu: Floats) -> Complexes:
        """Return what is drawn [MVA] at the given voltages."""
        s: Complexes = self.p_mw + 1j * self.q_mvar - model.fixed_mva
        if self.current_mva is not None and self.impedance_mva is not None:
            s += self.current_mva * (vm_pu - 1.0) + self.impedance_mva * (vm_pu**2 - 1.0)
        return s

    def between(self, other: "Demand", share: float) -> "Demand":
        """Return the demand a share of the way from this one to the other."""

        def mix(a: Floats, b: Floats) -> Floats:
            return a + share * (b - a)

        if self.current_mva is None or other.current_mva is None:
            return Demand(mix(self.p_mw, other.p_mw), mix(self.q_mvar, other.q_mvar))
        return other  # voltage-dependent nets are not followed on the way


class Flow:
    """Solver, admittances and reactive limits of one topology."""

    def __init__(
        self, model: Model, source_bus: Ints, reactive: ReactiveLimits, tolerance_mva: float
    ) -> None:
        self.model = model
        self.reactive = reactive
        self.source_bus = source_bus
        self._tolerance_pu = tolerance_mva / model.base_mva
        self.needed: Complexes = np.zeros(model.size, dtype=np.complex128)
        """Of the last solution: what every bus generates beyond its given powers [MVA]."""
        self.vm_pu: Floats = np.ones(model.size)
        """Of the last solution: voltages."""
        self._drawn: Complexes = np.zeros(model.size, dtype=np.complex128)
        self._no_limit: Floats = np.zeros(model.size)
        self._newton = Newton(model.ref, model.v_start[model.ref], model.size)
        self.refresh()
        self.retype()

    def refresh(self) -> None:
        """Take the model's admittances anew, after a tap or shunt moved."""
        self.y = self.model.admittance()
        self._newton.set_admittance(self.y)

    def retype(self) -> None:
        """Take the bus types anew, after a reactive limit switched."""
        self._newton.set_types(self.reactive.pv, self.reactive.pq)

    def once(self, demand: Demand, start: Complexes) -> Solution:
        """Solve with the bus types as they are."""
        model, n = self.model, self.model.size
        v, before = np.empty(n, dtype=np.complex128), np.empty(n)
        hold(start, self.reactive.pv, model.vm_set_pu, v, before)
        limit = self.reactive.limit_mvar() if self.reactive.any_limited else self._no_limit
        if demand.current_mva is None:
            self._drawn, s_pu = np.empty(n, dtype=np.complex128), np.empty(n, dtype=np.complex128)
            inject(demand.p_mw, demand.q_mvar, model.fixed_mva, limit, model.base_mva, self._drawn, s_pu)
            return self._newton.solve(s_pu, v, MAX_ITERATIONS, self._tolerance_pu)
        iterations = 0
        for _ in range(MAX_ROUNDS):
            self._drawn = demand.power(model, before)
            s_pu = (1j * limit - self._drawn) / model.base_mva
            found = self._newton.solve(s_pu, v, MAX_ITERATIONS, self._tolerance_pu)
            iterations += found.iterations
            if not found.converged:
                return Solution(found.v, found.converged, iterations)
            after = np.abs(found.v)
            if np.max(np.abs(after - before)) < SETTLED_PU:
                return Solution(found.v, converged=True, iterations=iterations)
            v, before = found.v, after
        return Solution(found.v, converged=False, iterations=iterations)

    def iterate(self, demand: Demand, start: Complexes, iterations: int) -> Complexes:
        """Return the voltages after so many iterations, converged or not."""
        limit = 1j * self.reactive.limit_mvar()
        s_pu = (limit - demand.power(self.model, np.abs(start))) / self.model.base_mva
        return self._newton.solve(s_pu, start, iterations, self._tolerance_pu).v

    def unloaded(self) -> Complexes:
        """Return the voltages without any power drawn: linear, so always there (phase shifts included)."""
        model = self.model
        v = model.v_start.copy()
        rest = np.setdiff1d(np.arange(model.size), model.ref)
        if rest.size:
            right = -(self.y[rest][:, model.ref] @ v[model.ref])
            found = np.atleast_1d(spsolve(self.y[rest][:, rest], right))
            good = np.isfinite(found) & (np.abs(found) > 0.5) & (np.abs(found) < 1.5)
            v[rest] = np.where(good, found, v[rest])
        return v

    def restore(self, side: Ints) -> None:
        """Return to a former state of the reactive limits."""
        if not np.array_equal(side, self.reactive.side):
            self.reactive.attach(self.model, self.source_bus, side)
            self.retype()

    def _settle(self, v: Complexes) -> None:
        """Read off a solution what its buses generate; zero within the tolerance but where machines hold."""
        y, n = self.y, self.model.size
        self.vm_pu, self.needed = np.empty(n), np.empty(n, dtype=np.complex128)
        settle(v, y.indptr, y.indices, y.data, self._drawn, self.model.base_mva, self.vm_pu, self.needed)

    def solve(self, demand: Demand, start: Complexes) -> tuple[Solution, list[Switch]]:
        """Solve, switching buses at reactive limits until none wants to; returns what switched."""
        self.reactive.rest()
        done: list[Switch] = []
        found = self.once(demand, start)
        iterations = found.iterations
        for _ in range(MAX_SWITCHINGS):
            if not found.converged:
                break
            self._settle(found.v)
            switches = self.reactive.review(self.needed.imag.copy(), self.vm_pu)
            if not switches:
                break
            done += switches
            self.retype()
            found = self.once(demand, found.v)
            iterations += found.iterations
        else:  # nobody looked at the last round's machines: that is no solution
            return Solution(found.v, converged=False, iterations=iterations), done
        return Solution(found.v, found.converged, iterations), done
