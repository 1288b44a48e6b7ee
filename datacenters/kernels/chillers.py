"""Kernels of chillers: capacity and power from the water they make and what cools their condenser.

Two forms behind one door: performance curves of a measured machine (EnergyPlus `Chiller:Electric:EIR`), or a
share of the Carnot efficiency for loops warmer than any curve. Rows are made by `datacenters.chillers`.
"""

from cosim.core.jit import jit
from cosim.core.types import Floats

CARNOT, EIR = range(2)

# EIR: three curves, their ranges; Carnot: share of the ideal, largest COP, approaches and part load (PLR_0..)
(
    FORM, CAPACITY_MW, EIR_REFERENCE, SINK_APPROACH_K,
    CAP_0, CAP_1, CAP_2, CAP_3, CAP_4, CAP_5, EIR_0, EIR_1, EIR_2, EIR_3, EIR_4, EIR_5, PLR_0, PLR_1, PLR_2,
    LEAVING_MIN_DEGC, LEAVING_MAX_DEGC, ENTERING_MIN_DEGC, ENTERING_MAX_DEGC, PLR_MIN,
    CARNOT_PU, COP_MAX, EVAPORATOR_K, CONDENSER_K,
) = range(28)  # fmt: skip
N_CHILLER = 28


@jit
def carnot_cop(share_pu: float, cop_max: float, evaporator_degc: float, condenser_degc: float) -> float:
    r"""Return :math:`COP = \eta_c T_e/(T_c - T_e)`, bounded by the largest COP [1]_.

    References
    ----------
    .. [1] LBNL Modelica Buildings, `Fluid.Chillers.Carnot_TEva`.
    """
    lift_k = condenser_degc - evaporator_degc
    if lift_k <= 0.0:
        return cop_max
    return min(share_pu * (evaporator_degc + 273.15) / lift_k, cop_max)


@jit
def biquadratic(row: Floats, first: int, x: float, y: float) -> float:
    """Return c0 + c1·x + c2·x² + c3·y + c4·y² + c5·x·y with the six coefficients from `first` on."""
    by_x = row[first] + (row[first + 1] + row[first + 2] * x) * x
    return by_x + (row[first + 3] + row[first + 4] * y + row[first + 5] * x) * y


@jit
def chiller_capacity_mw(row: Floats, leaving_degc: float, entering_degc: float) -> float:
    """Return the most heat a chiller takes [MW]: its capacity, for curves times capFT."""
    if row[FORM] == CARNOT:
        return row[CAPACITY_MW]
    leaving = min(max(leaving_degc, row[LEAVING_MIN_DEGC]), row[LEAVING_MAX_DEGC])
    entering = min(max(entering_degc, row[ENTERING_MIN_DEGC]), row[ENTERING_MAX_DEGC])
    return row[CAPACITY_MW] * max(biquadratic(row, CAP_0, leaving, entering), 0.0)


@jit
def chiller_mw(row: Floats, heat_mw: float, leaving_degc: float, entering_degc: float) -> float:
    r"""Return the power a chiller draws to take `heat_mw` [MW].

    Curves: :math:`P = Q_{ref}/COP_{ref}\; capFT\; eirFT(T_{lvg}, T_{ent})\; eirFPLR(PLR)` with temperatures
    kept in the range each record was fitted in, which is not extrapolated; below its least part load the
    machine cycles [1]_. Carnot: heat over COP and the part-load factor; evaporation lies below the leaving
    water, condensation above the entering fluid.

    References
    ----------
    .. [1] EnergyPlus Engineering Reference, `Chiller:Electric:EIR`.
    """
    if heat_mw <= 0.0:
        return 0.0
    if row[FORM] == CARNOT:
        cop = carnot_cop(
            row[CARNOT_PU], row[COP_MAX], leaving_degc - row[EVAPORATOR_K], entering_degc + row[CONDENSER_K]
        )
        load = heat_mw / row[CAPACITY_MW]
        return heat_mw / (cop * (row[PLR_0] + (row[PLR_1] + row[PLR_2] * load) * load))
    leaving = min(max(leaving_degc, row[LEAVING_MIN_DEGC]), row[LEAVING_MAX_DEGC])
    entering = min(max(entering_degc, row[ENTERING_MIN_DEGC]), row[ENTERING_MAX_DEGC])
    capacity = row[CAPACITY_MW] * biquadratic(row, CAP_0, leaving, entering)
    load = heat_mw / capacity
    part = max(load, row[PLR_MIN])
    by_load = row[PLR_0] + (row[PLR_1] + row[PLR_2] * part) * part
    by_temperature = biquadratic(row, EIR_0, leaving, entering)
    return capacity * row[EIR_REFERENCE] * by_temperature * by_load * min(load / row[PLR_MIN], 1.0)
