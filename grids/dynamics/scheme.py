"""Coefficients of the integrators, and the check that a step resolves the case."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.types import Floats
from grids.dynamics.kernels.steps import HEUN, RK4
from grids.dynamics.system import Group

Method = Literal["heun", "rk4"]

CODES: dict[str, int] = {"heun": HEUN, "rk4": RK4}

STIFF = 4.0
"""A lag shorter than so many steps is integrated exactly instead of by the classical scheme."""

RESOLVE: dict[str, float] = {"heun": 3.0, "rk4": 1.5}
"""Steps a time constant must at least hold; stability ends at 0.5 (Heun) and 0.36 (RK4) [measured 3.6]."""


def rates(groups: Iterable[Group], size: int, step_s: float) -> Floats:
    """Return the rate -1/T [1/s] of the lags too short for the classical scheme, 0 elsewhere, (states,)."""
    lam = np.zeros(size)
    for group in groups:
        for name, t_s in group.cls.lags(group.block).items():
            short = (t_s > 0.0) & (t_s < STIFF * step_s)
            lam[group.state(name)] = np.where(short, -1.0 / np.where(short, t_s, 1.0), 0.0)
    return lam


def coefficients(lam: Floats, h_s: float, method: Method) -> Floats:
    """Return what `heun` or `rk4` of the loop take, shape (3, states) or (7, states)."""
    z = lam * h_s
    bent = z != 0.0
    safe = np.where(bent, z, 1.0)
    if method == "heun":
        first = np.where(bent, np.expm1(safe) / safe, 1.0)
        second = np.where(bent, (np.expm1(safe) - safe) / safe**2, 0.5)
        return np.array([lam, h_s * first, h_s * second])
    e, half = np.exp(safe), np.exp(safe / 2)
    q = np.where(bent, (half - 1.0) / safe, 0.5)
    f1 = np.where(bent, (-4.0 - safe + e * (4.0 - 3.0 * safe + safe**2)) / safe**3, 1.0 / 6.0)
    f2 = np.where(bent, (2.0 + safe + e * (safe - 2.0)) / safe**3, 1.0 / 6.0)
    f3 = np.where(bent, (-4.0 - 3.0 * safe - safe**2 + e * (4.0 - safe)) / safe**3, 1.0 / 6.0)
    one = np.ones_like(lam)
    return np.array(
        [lam, np.where(bent, e, one), np.where(bent, half, one), h_s * q, h_s * f1, h_s * f2, h_s * f3]
    )


def check_step(groups: Iterable[Group], step_s: float, method: Method) -> None:
    """Refuse a step the shortest time constant does not allow.

    Raises
    ------
    ScenarioError
        Naming element, parameter, value and the largest step.
    """
    worst = (np.inf, "")
    for group in groups:
        for name, t_s in group.cls.time_constants(group.block).items():
            for k, value in enumerate(t_s):
                if 0.0 < value < worst[0]:
                    worst = (float(value), f"{group.elements[k]} ({group.model}) {name}={value:g}")
    if step_s > worst[0] / RESOLVE[method]:
        allowed = worst[0] / RESOLVE[method]
        msg = f"step_s={step_s:g} is too large for {worst[1]}: {method} allows {allowed:.3g} s here"
        raise ScenarioError(msg)
