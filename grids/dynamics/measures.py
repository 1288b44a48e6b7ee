"""What an engineer reads off a trajectory: nadir, RoCoF, damping, recovery, critical clearing time."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cosim.core.errors import ScenarioError, SolveError
from cosim.core.types import Floats
from grids.case import Case
from grids.dynamics.devices.zip import ZipParams
from grids.dynamics.events import Event
from grids.dynamics.run import Run, simulate
from grids.dynamics.start import IMPEDANCE


def _after(series: "pd.Series[float]", from_s: float) -> "pd.Series[float]":
    kept = series[series.index >= from_s].dropna()
    if kept.empty:
        msg = f"no point of the trajectory lies after {from_s:g} s"
        raise ScenarioError(msg)
    return kept


def nadir(f_hz: "pd.Series[float]", from_s: float = 0.0) -> tuple[float, float]:
    """Return when the lowest value is reached [s], and the value."""
    kept = _after(f_hz, from_s)
    return float(kept.index[int(kept.argmin())]), float(kept.min())


def zenith(f_hz: "pd.Series[float]", from_s: float = 0.0) -> tuple[float, float]:
    """Return when the highest value is reached [s], and the value."""
    kept = _after(f_hz, from_s)
    return float(kept.index[int(kept.argmax())]), float(kept.max())


def settling(series: "pd.Series[float]", band: float, from_s: float = 0.0) -> tuple[float, float]:
    """Return when the trajectory enters a band around its last value for good [s], and that value."""
    kept = _after(series, from_s)
    last = float(kept.iloc[-1])
    outside = np.flatnonzero(np.abs(kept.to_numpy() - last) > band)
    enters = 0 if outside.size == 0 else min(outside[-1] + 1, len(kept) - 1)
    return float(kept.index[enters]), last


def rocof(f_hz: "pd.Series[float]", window_s: float = 0.5, from_s: float = 0.0) -> float:
    """Return the steepest mean slope over a sliding window, with its sign [Hz/s].

    Raises
    ------
    ScenarioError
        When the trajectory is shorter than the window.
    """
    kept = _after(f_hz, from_s)
    t = kept.index.to_numpy(dtype=float)
    starts = t[t <= t[-1] - window_s + 1e-9]
    if starts.size == 0:
        msg = f"the trajectory after {from_s:g} s is shorter than the window of {window_s:g} s"
        raise ScenarioError(msg)
    value = kept.to_numpy(dtype=float)
    _, once = np.unique(t[::-1], return_index=True)  # of two points at an event the later one counts
    t, value = t[::-1][once], value[::-1][once]
    slope = (np.interp(starts + window_s, t, value) - np.interp(starts, t, value)) / window_s
    return float(slope[np.argmax(np.abs(slope))])


def ring_down(series: "pd.Series[float]", from_s: float, until_s: float) -> tuple[float, float]:
    r"""Return frequency [Hz] and damping ratio of the dominant oscillation, by Prony's method [1]_.

    The signal is resampled, a linear prediction model is fitted through its singular values, and of its
    modes the one with the largest energy counts.

    References
    ----------
    .. [1] J. F. Hauer, C. J. Demeure, L. L. Scharf, "Initial results in Prony analysis of power system
       response signals", *IEEE Trans. Power Syst.* 5(1), 1990.
    """
    kept = series[(series.index >= from_s) & (series.index <= until_s)].dropna()
    if len(kept) < 20:
        msg = f"{len(kept)} points between {from_s:g} and {until_s:g} s are too few to find an oscillation"
        raise ScenarioError(msg)
    t = np.linspace(kept.index[0], kept.index[-1], min(len(kept), 400))
    y = np.interp(t, kept.index.to_numpy(dtype=float), kept.to_numpy(dtype=float))
    return _prony(y - y.mean(), float(t[1] - t[0]))


def _prony(y: Floats, dt_s: float) -> tuple[float, float]:
    order = len(y) // 3
    hankel = np.lib.stride_tricks.sliding_window_view(y[:-1], order)
    u, s, vt = np.linalg.svd(hankel, full_matrices=False)
    rank = max(2, int((s > 1e-3 * s[0]).sum()))
    weights = vt[:rank].T @ ((u[:, :rank].T @ y[order:]) / s[:rank])
    roots = np.roots(np.concatenate([[1.0], -weights[::-1]]))
    basis = roots[None, :] ** np.arange(len(y))[:, None]
    sane = np.isfinite(basis).all(axis=0) & (np.abs(roots) > 0.5) & (np.abs(roots) < 1.2)
    roots, basis = roots[sane], basis[:, sane]
    amplitude = np.linalg.lstsq(basis, y.astype(np.complex128), rcond=None)[0]
    energy = (np.abs(basis) ** 2).sum(axis=0) * np.abs(amplitude) ** 2
    energy[np.abs(np.angle(roots)) < 1e-6] = 0.0
    pole = np.log(roots[np.argmax(energy)]) / dt_s
    return float(abs(pole.imag) / (2 * np.pi)), float(-pole.real / abs(pole))


def voltage_recovery(vm_pu: "pd.Series[float]", level_pu: float, from_s: float) -> float:
    """Return how long after `from_s` the voltage is back above a level for good [s]; inf if it never is."""
    kept = _after(vm_pu, from_s)
    below = np.flatnonzero(kept.to_numpy() < level_pu)
    if below.size == 0:
        return 0.0
    if below[-1] == len(kept) - 1:
        return float("inf")
    return float(kept.index[below[-1] + 1] - from_s)


def in_step(run: Run, limit_degree: float = 180.0) -> bool:
    """Say whether no two machines of the run ever are farther apart than the limit."""
    delta = run.delta_degree
    return bool((delta.max(axis=1) - delta.min(axis=1)).max() < limit_degree)


def critical_clearing(
    case: Case,
    disturbance: Callable[[float], Sequence[Event]],
    *,
    until_s: float,
    longest_s: float = 1.0,
    tolerance_s: float = 1e-4,
    step_s: float = 1 / 240,
    loads: ZipParams = IMPEDANCE,
    good: Callable[[Run], bool] = in_step,
) -> float:
    """Return the longest clearing time a run survives [s], by bisection.

    Parameters
    ----------
    case
        Grid with dynamic tables.
    disturbance
        Clearing time -> events of the run.
    until_s
        Length of each run [s].
    longest_s
        Upper end of the search; inf is returned when even it is survived.
    tolerance_s
        Width at which the bisection stops.
    step_s, loads
        As `simulate`.
    good
        What counts as survived: by default, no two machines 180° apart.

    Raises
    ------
    ScenarioError
        When not even the shortest clearing is survived.
    """

    def survives(clearing_s: float) -> bool:
        try:
            return good(simulate(case, disturbance(clearing_s), until_s=until_s, step_s=step_s, loads=loads))
        except SolveError:  # out of step, or collapsed: both are losses here
            return False

    low, high = tolerance_s, longest_s
    if survives(high):
        return float("inf")
    if not survives(low):
        msg = f"the run is lost even when cleared after {low:g} s"
        raise ScenarioError(msg)
    while high - low > tolerance_s:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if survives(middle) else (low, middle)
    return low
