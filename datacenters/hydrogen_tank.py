"""Hydrogen in a pressure tank: density of the real gas, mass between two pressures."""

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.params import Params
from cosim.core.types import Floats

LHV_MJ_PER_KG = 119.96
"""Lower heating value: what all hydrogen is counted with; water leaves as vapour."""

KELVIN = 273.15
GAS_J_PER_MOL_K = 8.314472
KG_PER_MOL = 2.01588e-3
MPA_PER_BAR = 0.1
NEWTON_STEPS = 50
NEWTON_RTOL = 1e-12

# [1], table 1
_A = np.array(
    [
        0.05888460, -0.06136111, -0.002650473, 0.002731125, 0.001802374, -0.001150707, 0.9588528e-4,
        -0.1109040e-6, 0.1264403e-9,
    ]
)  # fmt: skip
_B = np.array([1.325, 1.87, 2.5, 2.8, 2.938, 3.14, 3.37, 3.75, 4.0])
_C = np.array([1.0, 1.0, 2.0, 2.0, 2.42, 2.63, 3.0, 4.0, 5.0])


def compressibility(pressure_bar: Floats, temp_degc: Floats) -> Floats:
    r"""Return :math:`Z = 1 + \sum a_i (100/T)^{b_i} p^{c_i}` of hydrogen, T in K and p in MPa [1]_.

    Within 0.01 % of the standard's density from -53 °C up to 700 bar.

    References
    ----------
    .. [1] E. W. Lemmon, M. L. Huber, J. W. Leachman, J. Res. NIST 113 (2008) 341, eq. 3 and table 1.
    """
    cold = 100.0 / (np.asarray(temp_degc) + KELVIN)
    p_mpa = np.asarray(pressure_bar) * MPA_PER_BAR
    return np.asarray(1.0 + (_A * cold[..., None] ** _B * p_mpa[..., None] ** _C).sum(axis=-1))


def density(pressure_bar: Floats, temp_degc: Floats) -> Floats:
    """Return the density of hydrogen [kg/m³] at an absolute pressure."""
    kelvin = np.asarray(temp_degc) + KELVIN
    ideal = np.asarray(pressure_bar) * 1e5 * KG_PER_MOL / (GAS_J_PER_MOL_K * kelvin)
    return np.asarray(ideal / compressibility(pressure_bar, temp_degc))


def pressure(kg_per_m3: Floats, temp_degc: Floats) -> Floats:
    """Return the absolute pressure [bar] of hydrogen of some density: p = ρ R T Z(p) / M, by Newton."""
    kelvin = np.asarray(temp_degc) + KELVIN
    ideal_bar = kg_per_m3 * GAS_J_PER_MOL_K * kelvin / KG_PER_MOL * 1e-5
    by_cold = _A * (100.0 / kelvin)[..., None] ** _B
    bar = np.asarray(ideal_bar)
    for _ in range(NEWTON_STEPS):
        terms = by_cold * (bar * MPA_PER_BAR)[..., None] ** _C
        gap = bar - ideal_bar * (1.0 + terms.sum(axis=-1))
        slope = 1.0 - ideal_bar * (terms * _C).sum(axis=-1) / bar
        bar = bar - gap / slope
        if (np.abs(gap) <= NEWTON_RTOL * bar).all():
            break
    return np.asarray(bar)


class Tank(Params):
    """Pressure tanks that act as one, at constant temperature."""

    volume_m3: float = Field(gt=0, description="inner volume of all tanks")
    p_max_bar: float = Field(
        default=30.0,
        gt=0,
        le=700,
        description="absolute pressure it is filled to; electrolysers deliver up to 50 bar without compressor"
        " (IRENA, published)",
    )
    p_min_bar: float = Field(default=5.0, gt=0, description="pressure it is emptied to (unconfirmed)")
    p_initial_bar: float | None = Field(
        default=None, gt=0, description="pressure at the start; by default midway"
    )
    temp_degc: float = Field(default=15.0, ge=-50, le=100, description="of the gas, always")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.p_min_bar >= self.p_max_bar:
            msg = f"p_min_bar={self.p_min_bar:g} is not below p_max_bar={self.p_max_bar:g}"
            raise ValueError(msg)
        if not self.p_min_bar <= self.initial_bar() <= self.p_max_bar:
            msg = (
                f"p_initial_bar={self.initial_bar():g} is not between p_min_bar={self.p_min_bar:g}"
                f" and p_max_bar={self.p_max_bar:g}"
            )
            raise ValueError(msg)
        return self

    def initial_bar(self) -> float:
        """Return the pressure at the start."""
        return 0.5 * (self.p_min_bar + self.p_max_bar) if self.p_initial_bar is None else self.p_initial_bar

    def holds_kg(self, pressure_bar: float) -> float:
        """Return the mass at an absolute pressure."""
        return self.volume_m3 * float(density(np.array(pressure_bar), np.array(self.temp_degc)))
