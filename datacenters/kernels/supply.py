"""Kernels of the electrical chain of halls: what passes it, what it loses, what batteries give.

Arrays are indexed by the names below: `params[row, hall]`, `outputs[row, hall]`. MW, MWh and s.
"""

from cosim.core.jit import jit
from cosim.core.types import Floats

# parameters
(
    UPS_FIXED_MW, UPS_LINEAR_PU, UPS_SQUARE_PER_MW, TRAFO_FIXED_MW, TRAFO_SQUARE_PER_MW, TAN_PHI,
    APART, GUARDED, STORED, FULL_MWH, CHARGE_MW, ETA_CHARGE, LEVEL_MW, RESERVE_MWH,
) = range(14)  # fmt: skip
N_PARAMS = 14

# outputs
(
    P_MW, Q_MVAR, LOSS_MW, PUE_PU, FACILITY_MW, CAPACITOR_MW, CAPACITOR_MWH, ORDER_MW, ORDER_MVAR,
    RACKS_MW, RACKS_MVAR, PLANT_MW, PLANT_MVAR, GIVEN_MW, ENERGY_MWH,
) = range(15)  # fmt: skip
N_OUTPUTS = 15

CONNECTED = 0.999
"""Share of the supply from which a hall counts as wholly supplied: it then recharges and restarts."""
HOUR_S = 3600.0


@jit
def feed(
    dt_s: float, params: Floats, connected_pu: Floats, vm_pu: Floats, energy_mwh: Floats, taken_mw: Floats,
    spent: Floats, share_pu: Floats, lit: Floats, behind_pu: Floats,
) -> None:  # fmt: skip
    """Write the share of each hall on the grid, whether it runs (1 or 0) and its voltage behind the supply.

    A hall runs while the grid carries all of it, or a battery whose charge carries the rest of what it
    took in the last step to the end of this one. A battery that does not is `spent` (1 or 0) until the grid
    carries all again.
    """
    for i in range(vm_pu.size):
        share = 1.0
        if params[GUARDED, i] > 0.0:
            share = connected_pu[i]
            if share < 0.0:
                share = 0.0
            elif share > 1.0:
                share = 1.0
        if vm_pu[i] == 0.0:
            share = 0.0
        whole = share >= CONNECTED
        short_mwh = (1.0 - share) * taken_mw[i] * dt_s / HOUR_S
        if whole:
            spent[i] = 0.0
        elif energy_mwh[i] <= 0.0 or energy_mwh[i] < short_mwh:
            spent[i] = 1.0
        runs = whole or (params[STORED, i] > 0.0 and spent[i] == 0.0)
        share_pu[i] = share
        lit[i] = 1.0 if runs else 0.0
        behind_pu[i] = 0.0
        if runs:
            behind_pu[i] = vm_pu[i] if share > 0.0 else 1.0


@jit
def losses(
    params: Floats, i: int, lit: float, all_mw: float, plant_mw: float, spread_mw2: float
) -> tuple[float, float]:  # fmt: skip
    r"""Return what supply and transformer lose [MW]: :math:`\ell = a + bP + c\,(P^2 + \sigma^2)`.

    `plant_mw` of `all_mw` does not pass the supply; :math:`\sigma^2` is the variance over the step. A dark
    hall's supply loses nothing.
    """
    ups_mw = 0.0
    if lit > 0.0:
        p_mw = all_mw - plant_mw
        square = params[UPS_SQUARE_PER_MW, i] * (p_mw * p_mw + spread_mw2)
        ups_mw = params[UPS_FIXED_MW, i] + params[UPS_LINEAR_PU, i] * p_mw + square
    if lit == 0.0 and all_mw <= 0.0:
        return ups_mw, 0.0
    p_mw = all_mw + ups_mw
    return ups_mw, params[TRAFO_FIXED_MW, i] + params[TRAFO_SQUARE_PER_MW, i] * (p_mw * p_mw + spread_mw2)


@jit
def battery(
    params: Floats, i: int, energy_mwh: float, demand_mw: float, share_pu: float, dt_s: float
) -> tuple[float, float, float]:  # fmt: skip
    r"""Return what is drawn beside the share, what the battery gives, and what charging loses [MW].

    With the share :math:`c` of what a hall takes, :math:`P`, on the grid, recharging :math:`R` and peaks
    shaved :math:`H`, the grid gives :math:`cP + R - H` and the battery :math:`(1-c)P + H - \eta R`.
    """
    if params[STORED, i] == 0.0:
        return 0.0, 0.0, 0.0
    given_mw = demand_mw * (1.0 - share_pu)
    recharge_mw, shaved_mw, eta = 0.0, 0.0, params[ETA_CHARGE, i]
    if share_pu >= CONNECTED:
        level_mw = params[LEVEL_MW, i]
        able_mw = max(energy_mwh - params[RESERVE_MWH, i], 0.0) * HOUR_S / dt_s
        shaved_mw = min(max(demand_mw - level_mw, 0.0), able_mw)
        room_mw = max(params[FULL_MWH, i] - energy_mwh, 0.0) * HOUR_S / dt_s / eta
        recharge_mw = min(params[CHARGE_MW, i], room_mw, max(level_mw - demand_mw, 0.0))
    given_mw += shaved_mw - recharge_mw * eta
    return recharge_mw - shaved_mw, given_mw, recharge_mw * (1.0 - eta)


@jit
def carry(
    dt_s: float, params: Floats, it_mw: Floats, it_square_mw2: Floats, it_end_mw: Floats, cooling_mw: Floats,
    cooling_end_mw: Floats, mover_mw: Floats, capacitor_mw: Floats, capacitor_mwh: Floats,
    share_pu: Floats, lit: Floats, energy_mwh: Floats, taken_mw: Floats, outputs: Floats,
) -> None:  # fmt: skip
    """Write the outputs of a step of all halls; in place what batteries hold and what halls took, (halls,).

    What is drawn arrives as means over the step, also of the square of IT power, and values at its end.
    """
    for i in range(it_mw.size):
        apart = params[APART, i] > 0.0
        plant_mw = cooling_mw[i] - mover_mw[i] if apart else 0.0
        all_mw = it_mw[i] + cooling_mw[i] + capacitor_mw[i]
        spread_mw2 = it_square_mw2[i] - it_mw[i] * it_mw[i]
        ups_mw, trafo_mw = losses(params, i, lit[i], all_mw, plant_mw, spread_mw2)
        chain_mw = ups_mw + trafo_mw
        apart_mw = 0.0
        if apart and all_mw + ups_mw > 0.0:
            apart_mw = plant_mw * (1.0 + trafo_mw / (all_mw + ups_mw))
        demand_mw = all_mw + chain_mw - apart_mw
        if lit[i] > 0.0:
            taken_mw[i] = demand_mw
        extra_mw, given_mw, charging_mw = battery(
            params, i, energy_mwh[i], demand_mw, share_pu[i], dt_s
        )  # fmt: skip
        energy_mwh[i] -= given_mw * dt_s / HOUR_S
        drawn_pu = share_pu[i] if params[STORED, i] > 0.0 else 1.0
        end_mw = it_end_mw[i] + cooling_end_mw[i]
        plant_end_mw = cooling_end_mw[i] - mover_mw[i] if apart else 0.0
        ups_end_mw, trafo_end_mw = losses(params, i, lit[i], end_mw, plant_end_mw, 0.0)
        pue_pu = 0.0
        if lit[i] > 0.0 and it_end_mw[i] > 0.0:
            pue_pu = (end_mw + ups_end_mw + trafo_end_mw) / it_end_mw[i]
        tan_phi = params[TAN_PHI, i]
        outputs[P_MW, i] = drawn_pu * demand_mw + extra_mw + apart_mw
        outputs[Q_MVAR, i] = (drawn_pu * demand_mw + apart_mw) * tan_phi
        outputs[LOSS_MW, i], outputs[PUE_PU, i] = chain_mw + charging_mw, pue_pu
        outputs[FACILITY_MW, i] = it_mw[i] + cooling_mw[i] + chain_mw
        outputs[CAPACITOR_MW, i], outputs[CAPACITOR_MWH, i] = capacitor_mw[i], capacitor_mwh[i]
        outputs[ORDER_MW, i] = demand_mw + extra_mw + apart_mw
        outputs[ORDER_MVAR, i] = (demand_mw + apart_mw) * tan_phi
        outputs[RACKS_MW, i], outputs[RACKS_MVAR, i] = demand_mw + extra_mw, demand_mw * tan_phi
        outputs[PLANT_MW, i], outputs[PLANT_MVAR, i] = apart_mw, apart_mw * tan_phi
        outputs[GIVEN_MW, i], outputs[ENERGY_MWH, i] = given_mw, energy_mwh[i]
