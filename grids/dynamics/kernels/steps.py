"""What a time loop is made of, whatever models it has: stages, centres of inertia, guards, records.

Heun and Runge-Kutta in the exponential form of Cox and Matthews [1]_: a state with rate `lam` = -1/T
relaxes exactly, one with `lam` = 0 is integrated by the classical scheme.

References
----------
.. [1] S. M. Cox, P. C. Matthews, "Exponential time differencing for stiff systems", *J. Comput. Phys.*
   176, 2002.
"""

from typing import NamedTuple

import numpy as np

from cosim.core.jit import jit_lent
from cosim.core.types import Floats, Ints
from grids.numbers import Complexes

HEUN, RK4 = 2, 4
DONE, NO_SOLUTION, UNHEALTHY, ACT, REFACTOR = 0, 1, 2, 3, 4
STEPS, SOLVES, STAGES, CULPRIT = 0, 1, 2, 3
"""Rows of `Work.tally`."""

MAX_SOLVES = 25
"""Solves in one stage before the run stops to renew the Jacobian; well-posed stages take one to three."""
PATIENCE = 4.0
"""Mean solves a stage above which the Jacobian is renewed."""
WINDOW = 64
"""Stages over which that mean is taken."""


class Wiring(NamedTuple):
    """Which state is what; renewed whenever units or branches are switched."""

    cut: Ints
    """First state of each model, shape (models + 1,)."""
    rotor_angle: Ints
    rotor_speed: Ints
    rotor_island: Ints
    rotor_m_s: Floats
    """States, island and inertia of what turns; inertia zero once tripped."""
    angle: Ints
    angle_island: Ints
    """States that are angles, and their islands."""
    port_island: Ints
    """Island of each port, -1 where dead."""
    dead: Ints
    """Ports without a voltage."""
    reference: Floats
    """Angle the centre of inertia of each island is kept at [rad]."""
    lower: Floats
    upper: Floats
    """Fixed bounds of every state."""
    bounded: Ints
    """States that have one."""


class Work(NamedTuple):
    """Space the loop works in, kept between calls because `v` is the first guess of the next solve."""

    v: Complexes
    fresh: Complexes
    settled: Complexes
    """Voltages at the start of the step, to come back to where a stage has no solution."""
    current: Complexes
    now: Complexes
    spare: Floats
    w: Floats
    """Speed of the centre of inertia each port belongs to [pu]."""
    coi: Floats
    """Speed of each island's centre of inertia [pu]."""
    k: Floats
    """Derivatives of the stages, shape (4, states)."""
    stage: Floats
    """States of the stages, shape (4, states)."""
    tally: Ints
    """Steps, solves, stages, culprit: rows `STEPS` and so on."""
    tolerance: Floats
    """Square of the largest change of a voltage at which non-linear injections have settled [pu²]."""


class Record(NamedTuple):
    """Stored points, one a row."""

    t_s: Floats
    x: Floats
    s: Floats
    v: Complexes
    theta: Floats
    """Angle each island has turned away from the synchronous frame [rad]."""
    coi: Floats


@jit_lent
def copy_row(source: Floats, target: Floats) -> None:
    """Copy element by element: a slice assignment costs seconds to compile."""
    for i in range(source.size):
        target[i] = source[i]


@jit_lent
def copy_complex(source: Complexes, target: Complexes) -> None:
    """Copy element by element."""
    for i in range(source.size):
        target[i] = source[i]


@jit_lent
def clear(target: Complexes) -> None:
    """Write zeros."""
    for i in range(target.size):
        target[i] = 0.0


@jit_lent
def darken(wiring: Wiring, current: Complexes) -> None:
    """Take away what units put into buses no source feeds: their row of the matrix is 1, so V = 0."""
    for k in range(wiring.dead.size):
        current[wiring.dead[k]] = 0.0


@jit_lent
def centres(wiring: Wiring, work: Work, x: Floats) -> None:
    r"""Write the speed of each centre of inertia, :math:`\sum M\omega/\sum M`, and of each port's."""
    total = work.spare
    for i in range(work.coi.size):
        work.coi[i], total[i] = 0.0, 0.0
    for k in range(wiring.rotor_speed.size):
        i, m = wiring.rotor_island[k], wiring.rotor_m_s[k]
        if m > 0.0 and i >= 0:
            work.coi[i] += m * x[wiring.rotor_speed[k]]
            total[i] += m
    for i in range(work.coi.size):
        work.coi[i] = work.coi[i] / total[i] if total[i] > 0.0 else 1.0
    for k in range(work.w.size):
        i = wiring.port_island[k]
        work.w[k] = work.coi[i] if i >= 0 else 1.0


@jit_lent
def rotate(wiring: Wiring, work: Work, x: Floats, theta: Floats) -> None:
    r"""Turn every island back so that its centre of inertia stands where it started.

    A complex admittance does not care, but the embedded Jacobian of the loads holds only near the
    angle it was taken at: it has terms that turn with :math:`e^{2j\theta}`.
    """
    for i in range(theta.size):
        turned, total = 0.0, 0.0
        for k in range(wiring.rotor_angle.size):
            if wiring.rotor_island[k] == i and wiring.rotor_m_s[k] > 0.0:
                turned += wiring.rotor_m_s[k] * x[wiring.rotor_angle[k]]
                total += wiring.rotor_m_s[k]
        if total == 0.0:
            continue
        shift = turned / total - wiring.reference[i]
        theta[i] += shift
        for k in range(wiring.angle.size):
            if wiring.angle_island[k] == i:
                x[wiring.angle[k]] -= shift
        back = complex(np.cos(shift), -np.sin(shift))
        for k in range(work.v.size):
            if wiring.port_island[k] == i:
                work.v[k] *= back


@jit_lent
def healthy(wiring: Wiring, work: Work, x: Floats, slowest: float, fastest: float) -> bool:
    """Say whether all states are finite and all speeds plausible; the culprit's state is counted."""
    for k in range(wiring.rotor_speed.size):
        i = wiring.rotor_speed[k]
        if wiring.rotor_m_s[k] > 0.0 and not slowest < x[i] < fastest:
            work.tally[CULPRIT] = i
            return False
    for i in range(x.size):
        if not np.isfinite(x[i]):
            work.tally[CULPRIT] = i
            return False
    return True


@jit_lent
def store(t_s: float, row: int, work: Work, x: Floats, s: Floats, theta: Floats, record: Record) -> None:
    """Write one row of the record."""
    record.t_s[row] = t_s
    copy_row(x, record.x[row])
    copy_row(s, record.s[row])
    for k in range(work.v.size):
        record.v[row, k] = work.v[k]
    copy_row(theta, record.theta[row])
    copy_row(work.coi, record.coi[row])


@jit_lent
def clamp(wiring: Wiring, x: Floats) -> None:
    """Hold the states that have fixed bounds within them."""
    for k in range(wiring.bounded.size):
        j = wiring.bounded[k]
        x[j] = min(max(x[j], wiring.lower[j]), wiring.upper[j])


@jit_lent
def heun(i: int, wiring: Wiring, work: Work, scheme: Floats, x: Floats) -> None:
    """Write what follows stage `i` of a Heun step: the next stage, or after the last the new `x`.

    `scheme` has the rows `lam, h phi_1, h phi_2`, shape (3, states).
    """
    k1, k2, a = work.k[0], work.k[1], work.stage[1]
    lam, first, second = scheme[0], scheme[1], scheme[2]
    if i == 0:
        for j in range(x.size):
            a[j] = x[j] + first[j] * k1[j]
        clamp(wiring, a)
        return
    for j in range(x.size):
        x[j] = a[j] + second[j] * (k2[j] - k1[j] - lam[j] * (a[j] - x[j]))
    clamp(wiring, x)


@jit_lent
def rk4(i: int, wiring: Wiring, work: Work, scheme: Floats, x: Floats) -> None:
    """Write what follows stage `i` of a Runge-Kutta step: the next stage, or after the last the new `x`.

    `scheme` has the rows `lam, e, e_half, q, f1, f2, f3`, shape (7, states).
    """
    k1, k2, k3, k4 = work.k[0], work.k[1], work.k[2], work.k[3]
    a, b, c = work.stage[1], work.stage[2], work.stage[3]
    lam, e, e_half, q = scheme[0], scheme[1], scheme[2], scheme[3]
    f1, f2, f3 = scheme[4], scheme[5], scheme[6]
    if i == 0:
        for j in range(x.size):
            a[j] = x[j] + q[j] * k1[j]
        clamp(wiring, a)
    elif i == 1:
        for j in range(x.size):
            b[j] = e_half[j] * x[j] + q[j] * (k2[j] - lam[j] * a[j])
        clamp(wiring, b)
    elif i == 2:
        for j in range(x.size):
            g1, g3 = k1[j] - lam[j] * x[j], k3[j] - lam[j] * b[j]
            c[j] = e_half[j] * a[j] + q[j] * (2.0 * g3 - g1)
        clamp(wiring, c)
    else:
        for j in range(x.size):
            g1, g2 = k1[j] - lam[j] * x[j], k2[j] - lam[j] * a[j]
            g3, g4 = k3[j] - lam[j] * b[j], k4[j] - lam[j] * c[j]
            x[j] = e[j] * x[j] + f1[j] * g1 + 2.0 * f2[j] * (g2 + g3) + f3[j] * g4
        clamp(wiring, x)
