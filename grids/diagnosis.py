"""Why a step has no solution: islands, the largest mismatch, overloads, and how far it was solvable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.types import Floats, Ints
from grids.branches import LOADING, Branches
from grids.build import Model
from grids.flow import Demand, Flow
from grids.numbers import Complexes

BISECTIONS = 10
"""Gives the solvable share within a thousandth."""
TRIALS = 8
"""Iterations tried for the last iterate worth looking at: Newton's steps grow wild once it diverges."""
NAMED = 5
BALANCED_MVA = 1e-6
"""Below this mismatch the equations are met, and it is the reactive limits that do not settle."""


@dataclass(frozen=True)
class Diagnosis:
    """What is known about a step without solution."""

    islanded: tuple[str, ...]
    """Buses without a source."""
    mismatch_bus: str
    mismatch_mva: float
    """Largest power mismatch at the last iterate."""
    overloads: tuple[tuple[str, float], ...]
    """Branch and loading in percent at the last iterate, worst first."""
    solvable_pu: float
    """Share of the change since the last solved step that is still solvable; of the whole demand where
    nothing was solved before on this topology; nan where not even no demand is solvable."""
    from_last: bool
    """Whether `solvable_pu` counts from the last solved step."""
    limited: tuple[str, ...] = ()
    """Machines at a reactive limit when the solver got stuck, with the side."""
    free: bool | None = None
    """Whether the step is solvable once machines have no reactive limits; None where none is at one."""

    def text(self) -> str:
        """Return it as a sentence for the events table."""
        parts = ["no power flow solution"]
        if np.isnan(self.solvable_pu):
            parts.append("not even without any demand: look at the network, not at the demand")
        elif self.from_last:
            parts.append(f"{100 * self.solvable_pu:.1f} % of the change since the last solution is solvable")
        else:
            parts.append(f"{100 * self.solvable_pu:.1f} % of the demand is solvable on this topology")
        if self.limited:
            few = ", ".join(self.limited[:NAMED])
            parts.append(f"at a reactive limit: {few}{_more(self.limited)}")
            parts.append(f"{'' if self.free else 'not '}solvable without reactive limits")
        if self.limited and self.mismatch_mva < BALANCED_MVA:
            parts.append("no choice of machines at their limits that was tried stays within all of them")
        else:
            parts.append(f"largest mismatch {self.mismatch_mva:.4g} MVA at {self.mismatch_bus}")
        if self.overloads:
            worst = ", ".join(f"{name} {load:.0f} %" for name, load in self.overloads[:NAMED])
            parts.append(f"overloads at the last iterate: {worst}")
        else:
            parts.append("no overload at the last iterate")
        if self.islanded:
            parts.append(f"islanded: {', '.join(self.islanded[:NAMED])}{_more(self.islanded)}")
        return "; ".join(parts)


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - NAMED} more" if len(names) > NAMED else ""


def mismatch_mva(flow: Flow, demand: Demand, v: Complexes) -> Floats:
    """Return the mismatch of each bus at voltages `v` [MVA], zero for what a bus does not have to meet."""
    model = flow.model
    s = v * np.conj(flow.y @ v) * model.base_mva + demand.power(model, np.abs(v))
    s = s - 1j * flow.reactive.limit_mvar()
    held = np.zeros(model.size, dtype=np.complex128)
    held[flow.reactive.pq] = s[flow.reactive.pq]
    held[flow.reactive.pv] = s[flow.reactive.pv].real
    return np.abs(held)


def last_iterate(flow: Flow, demand: Demand, start: Complexes) -> Complexes:
    """Return the iterate with the smallest mismatch on the way to nowhere."""
    best, least = start, np.inf
    for iterations in range(1, TRIALS + 1):
        found = flow.iterate(demand, start, iterations)
        if not np.isfinite(found).all():
            break
        size = float(np.max(mismatch_mva(flow, demand, found), initial=0.0))
        if size < least:
            best, least = found, size
    return best


def solvable_share(flow: Flow, near: Demand, far: Demand, start: Complexes) -> float:
    """Return which share of the way from `near` to `far` is solvable, by bisection from the last solution.

    nan when `near` itself is not solvable. Reactive limits are enforced on the way; the caller's bus
    types are left as they were.
    """
    reactive = flow.reactive
    types = reactive.side.copy()

    def attempt(share: float, v: Complexes) -> Complexes | None:
        found, _ = flow.solve(near.between(far, share), v)
        return found.v if found.converged else None

    try:
        v = attempt(0.0, start)
        if v is None:
            return float("nan")
        good, bad, known = 0.0, 1.0, reactive.side.copy()
        for _ in range(BISECTIONS):
            share = 0.5 * (good + bad)
            found = attempt(share, v)
            if found is None:
                bad = share
                flow.restore(known)
            else:
                good, v, known = share, found, reactive.side.copy()
        return good
    finally:
        flow.restore(types)


def solvable_free(flow: Flow, demand: Demand, start: Complexes) -> bool:
    """Return whether a demand is solvable once no machine has a reactive limit."""
    reactive = flow.reactive
    types, enabled = reactive.side.copy(), reactive.enabled
    try:
        reactive.enabled = False
        flow.restore(np.zeros_like(types))
        starts = (start, flow.model.v_start, flow.unloaded())
        return any(flow.solve(demand, v)[0].converged for v in starts)
    finally:
        reactive.enabled = enabled
        flow.restore(types)


def diagnose(
    flow: Flow,
    branches: Branches,
    demand: Demand,
    last: tuple[Demand, Complexes] | None,
    *,
    bus_name: Callable[[int], str],
    branch_names: tuple[Sequence[str], Sequence[str]],
    islanded: tuple[str, ...],
    stuck: Ints,
    machines_at: Callable[[int], Sequence[str]],
) -> Diagnosis:
    """Find out what can be said about a demand without solution.

    Parameters
    ----------
    last
        Demand and voltages of the last solution on this topology, if any.
    bus_name
        Name of a bus of the model.
    branch_names
        Names of lines and transformers.
    stuck
        Side of each bus's reactive limit when the solver got stuck: what is asked of it then.
    machines_at
        Names of the machines at a bus of the model.
    """
    model: Model = flow.model
    start = last[1] if last is not None else model.v_start
    types = flow.reactive.side.copy()
    flow.restore(stuck)
    v = last_iterate(flow, demand, start)
    mismatch = mismatch_mva(flow, demand, v)
    flow.restore(types)
    at_limit = [int(b) for b in np.flatnonzero(stuck)]
    sides = {1: "upper", -1: "lower"}
    limited = tuple(f"{name} ({sides[int(stuck[b])]})" for b in at_limit for name in machines_at(b))
    worst = int(np.argmax(mismatch)) if mismatch.size else 0
    branches.solve(v)
    nothing = np.zeros(len(branch_names[1]))
    loads = np.concatenate([branches.line()[LOADING], branches.trafo(nothing)[LOADING]])
    names = [*branch_names[0], *branch_names[1]]
    order = [int(k) for k in np.argsort(-loads) if loads[k] > 100.0]
    share, from_last = float("nan"), last is not None
    if last is not None:
        share = solvable_share(flow, last[0], demand, last[1])
    if np.isnan(share):
        from_last = False
        empty = Demand(np.zeros(model.size), np.zeros(model.size))
        share = solvable_share(flow, empty, demand, flow.unloaded())
    return Diagnosis(
        islanded=islanded,
        mismatch_bus=bus_name(worst),
        mismatch_mva=float(mismatch[worst]) if mismatch.size else 0.0,
        overloads=tuple((names[k], float(loads[k])) for k in order),
        solvable_pu=share,
        from_last=from_last,
        limited=limited,
        free=solvable_free(flow, demand, start) if limited else None,
    )
