"""Chillers of a plant: a share of the ideal machine, or the measured curves of a real one."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.data import table
from datacenters.kernels import chillers as kernel

KELVIN_AT_0_DEGC = 273.15


@dataclass(frozen=True)
class Record:
    """Performance curves of a machine over leaving chilled and entering condenser water [°C] and part load.

    `cap` and `eir` are capacity and power per heat over their reference values, biquadratic; `plr` is
    quadratic. Each holds within the ranges it was fitted in.
    """

    name: str
    cop_pu: float
    leaving_degc: float
    entering_degc: float
    leaving_range_degc: tuple[float, float]
    entering_range_degc: tuple[float, float]
    plr_min_pu: float
    cap: tuple[float, ...]
    eir: tuple[float, ...]
    plr: tuple[float, ...]

    def normalised(self) -> "Record":
        """Return the record with all three curves 1 at its own reference point.

        A curve as published may miss 1 there (York YT 1090 kW: power by 25.6 %).
        """
        at = (self.leaving_degc, self.entering_degc)
        return replace(
            self,
            cap=_over(self.cap, _biquadratic(self.cap, *at)),
            eir=_over(self.eir, _biquadratic(self.eir, *at)),
            plr=_over(self.plr, sum(self.plr)),
        )


def _biquadratic(c: tuple[float, ...], x: float, y: float) -> float:
    return float(kernel.biquadratic(np.array(c), 0, x, y))


def _over(coefficients: tuple[float, ...], value: float) -> tuple[float, ...]:
    return tuple(c / value for c in coefficients)


def records() -> tuple[str, ...]:
    """Return the names of the built-in records."""
    return tuple(table("chillers"))


def record(name: str) -> Record:
    """Return a built-in record as published."""
    row = table("chillers")[name]
    return Record(
        name,
        float(row["cop_pu"]),
        float(row["leaving_degc"]),
        float(row["entering_degc"]),
        (float(row["leaving_min_degc"]), float(row["leaving_max_degc"])),
        (float(row["entering_min_degc"]), float(row["entering_max_degc"])),
        float(row["plr_min_pu"]),
        tuple(float(row[f"cap_{i}"]) for i in range(6)),
        tuple(float(row[f"eir_{i}"]) for i in range(6)),
        tuple(float(row[f"plr_{i}"]) for i in range(3)),
    )


class Chiller(Params):
    """The chillers of a plant, all alike."""

    model: str = Field(
        default="carnot",
        description="`carnot`, for loops of any temperature, or curves of a machine, valid up to about 10 °C"
        " leaving, by the name of their record, such as `doe2_centrifugal_5_50`",
    )
    cop_pu: float = Field(default=5.0, gt=1, lt=15, description="carnot: COP at the calibration point")
    evaporator_degc: float = Field(
        default=5.0, gt=-10, lt=30, description="carnot: evaporation there, source: LBNL Carnot_TEva"
    )
    condenser_degc: float = Field(
        default=30.0, gt=10, lt=70, description="carnot: condensation there, source: LBNL Carnot_TEva"
    )
    max_cop_pu: float = Field(
        default=12.0, gt=1, description="carnot: largest COP at small lifts (unconfirmed)"
    )
    evaporator_approach_k: float = Field(
        default=3.0,
        ge=0,
        le=15,
        description="carnot: leaving water above evaporation, source: LBNL liquid-cooled example",
    )
    condenser_approach_k: float = Field(
        default=12.0,
        ge=0,
        le=30,
        description="carnot: condensation above what cools the condenser (unconfirmed)",
    )
    sink_approach_k: float = Field(
        default=4.0,
        ge=0,
        le=20,
        description="curves: entering condenser water above wet bulb, above dry bulb of a dry cooler",
    )
    part_load: tuple[float, float, float] = Field(
        default=(1.0, 0.0, 0.0),
        description="carnot: a, b, c of its share of the ideal at part load x: a + b·x + c·x², 1 at full",
    )

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        if value != "carnot" and value not in table("chillers"):
            msg = f"unknown chiller {value!r}; there are carnot, {', '.join(records())}"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        findings: list[str] = []
        if self.condenser_degc <= self.evaporator_degc:
            findings.append(
                f"condenser_degc={self.condenser_degc:g} must be above"
                f" evaporator_degc={self.evaporator_degc:g}"
            )
        a, b, c = self.part_load
        load = np.linspace(0.0, 1.0, 101)
        least = float(np.min(a + (b + c * load) * load))
        if abs(a + b + c - 1.0) > 1e-6 or least <= 0.0:
            findings.append(
                f"part_load={list(self.part_load)} is {a + b + c:g} at full load and at least {least:g}"
                " below: it must be 1 and above 0"
            )
        if findings:
            raise ValueError("; ".join(findings))
        return self


def carnot_pu(cop_pu: float, evaporator_degc: float, condenser_degc: float) -> float:
    """Return the share of the Carnot efficiency a chiller reaches, from one known point."""
    return cop_pu * (condenser_degc - evaporator_degc) / (evaporator_degc + KELVIN_AT_0_DEGC)


def record_row(curves: Record, capacity_mw: float) -> Floats:
    """Return the row of `kernels.chillers` for curves as they are, scaled to a capacity."""
    row = np.zeros(kernel.N_CHILLER)
    row[kernel.FORM], row[kernel.CAPACITY_MW] = kernel.EIR, capacity_mw
    row[kernel.EIR_REFERENCE] = 1.0 / curves.cop_pu
    row[kernel.CAP_0 : kernel.LEAVING_MIN_DEGC] = (*curves.cap, *curves.eir, *curves.plr)
    row[kernel.LEAVING_MIN_DEGC : kernel.PLR_MIN] = (*curves.leaving_range_degc, *curves.entering_range_degc)
    row[kernel.PLR_MIN] = curves.plr_min_pu
    return row


def chiller_row(chiller: Chiller, capacity_mw: float) -> Floats:
    """Return the row of `kernels.chillers` for chillers that take `capacity_mw` at their reference point."""
    if chiller.model != "carnot":
        row = record_row(record(chiller.model).normalised(), capacity_mw)
        row[kernel.SINK_APPROACH_K] = chiller.sink_approach_k
        return row
    row = np.zeros(kernel.N_CHILLER)
    row[kernel.FORM], row[kernel.CAPACITY_MW] = kernel.CARNOT, capacity_mw
    row[kernel.CARNOT_PU] = carnot_pu(chiller.cop_pu, chiller.evaporator_degc, chiller.condenser_degc)
    row[kernel.COP_MAX] = chiller.max_cop_pu
    row[kernel.EVAPORATOR_K] = chiller.evaporator_approach_k
    row[kernel.CONDENSER_K] = chiller.condenser_approach_k
    row[kernel.PLR_0 : kernel.PLR_2 + 1] = chiller.part_load
    return row
