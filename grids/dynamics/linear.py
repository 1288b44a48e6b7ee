"""The system linearised where it stands: eigenvalues, damping ratios, participation factors."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cosim.core.errors import SolveError
from cosim.core.types import Floats
from grids.dynamics.session import Session
from grids.numbers import Complexes

STEP = 1e-5
"""Half-width of the central differences: error about 1e-10 of the derivative, rounding about 1e-10."""
TIGHT_PU = 1e-11
"""Change of voltage at which the network counts as solved while differences are taken."""


@dataclass(frozen=True)
class Modes:
    """Modes of a linearised system, slowest oscillation first, real ones behind."""

    eigenvalue_per_s: Complexes
    states: tuple[str, ...]
    """Names of the states: element, model, state."""
    matrix: Floats
    """State matrix [1/s], shape (states, states)."""
    participation: Floats
    """Share of each state in each mode, columns sum to 1; shape (states, modes)."""

    @property
    def frequency_hz(self) -> Floats:
        """Frequency of each mode [Hz], 0 for a real one."""
        return np.asarray(np.abs(self.eigenvalue_per_s.imag) / (2 * np.pi))

    @property
    def damping_pu(self) -> Floats:
        r"""Damping ratio of each mode, :math:`-\sigma/\sqrt{\sigma^2+\omega^2}`."""
        size = np.abs(self.eigenvalue_per_s)
        return np.asarray(-self.eigenvalue_per_s.real / np.where(size > 0, size, 1.0))

    def table(self, most: int = 3) -> pd.DataFrame:
        """Return one row per oscillation: frequency, damping, and the states that take part most."""
        rows = []
        for i in np.flatnonzero(self.eigenvalue_per_s.imag > 1e-6):
            share = self.participation[:, i]
            top = np.argsort(share)[::-1][:most]
            who = ", ".join(f"{self.states[k]} {share[k]:.2f}" for k in top)
            rows.append((i, self.frequency_hz[i], self.damping_pu[i], self.eigenvalue_per_s[i], who))
        frame = pd.DataFrame(rows, columns=["mode", "f_hz", "damping_pu", "eigenvalue_per_s", "participants"])
        return frame.set_index("mode")

    def electromechanical(self) -> "Modes":
        """Return the oscillations in which speeds and angles of rotors have the largest share."""
        swing = np.array([name.endswith((" omega", " delta")) for name in self.states])
        share = self.participation[swing].sum(axis=0)
        keep = np.flatnonzero((self.eigenvalue_per_s.imag > 1e-3) & (share > 0.5))
        return Modes(self.eigenvalue_per_s[keep], self.states, self.matrix, self.participation[:, keep])


def linearise(session: Session) -> Modes:
    """Return the modes of the closed system (network included) at the session's present state.

    Derivatives are central differences of the full right-hand side with the network solved anew each
    time. States that pass through (a time constant of zero) and units out of service are left out.

    Raises
    ------
    SolveError
        When the network has no solution next to the present state.
    """
    system, before = session.system, session.state()
    work = session.solution.work
    loose = float(work.tolerance[0])
    work.tolerance[0] = TIGHT_PU**2
    n = system.x.size
    matrix = np.zeros((n, n))
    try:
        for k in range(n):
            ends = []
            for sign in (1.0, -1.0):
                system.x[k] = before.x[k] + sign * STEP
                session.observe()
                ends.append(work.k[0].copy())
            system.x[k] = before.x[k]
            matrix[:, k] = (ends[0] - ends[1]) / (2 * STEP)
    finally:
        work.tolerance[0] = loose
        session.restore(before)
    if not np.isfinite(matrix).all():
        msg = "the linearised system has derivatives that are not finite"
        raise SolveError(msg)
    moving = np.flatnonzero(np.abs(matrix).any(axis=1))
    return modes(matrix[np.ix_(moving, moving)], tuple(system.state_name(int(i)) for i in moving))


def modes(matrix: Floats, states: tuple[str, ...]) -> Modes:
    r"""Return the modes of a state matrix; participation is :math:`|w_{ki}v_{ki}|`, normed [1]_.

    References
    ----------
    .. [1] P. Kundur, *Power System Stability and Control*, 1994, section 12.2.
    """
    value, right = np.linalg.eig(matrix)
    share = np.abs(right * np.linalg.pinv(right).T)
    share /= share.sum(axis=0)
    order = np.lexsort((value.real, np.where(np.abs(value.imag) > 1e-9, np.abs(value.imag), np.inf)))
    return Modes(np.asarray(value[order], dtype=np.complex128), states, matrix, share[:, order])
