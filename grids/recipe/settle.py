"""Shunt steps and taps at rest: what their controllers would have settled at."""

import math
from typing import Any

import pandapower as pp

MARGIN_PU = 0.9
"""Share of a machine's reactive limits that is used before its set point moves."""

SET_POINT_PU = 0.001
"""Step in which a machine beyond its reactive limits is given another voltage to hold."""

MOST_ROUNDS = 150


def settle(net: Any, low_pu: float, high_pu: float) -> None:
    """Switch voltage-controlled shunts and taps until none would move; leaves the net solved.

    Shunts bring busbars into a band; where machines hold the voltage, shunts keep these inside their limits.

    Parameters
    ----------
    net
        pandapower net.
    low_pu, high_pu
        Band the shunts are set for, inside the one their own control holds.

    Raises
    ------
    RuntimeError
        When they still move after `MOST_ROUNDS` power flows.
    """
    for _ in range(MOST_ROUNDS):
        pp.runpp(net, init="flat")
        if not (_move_shunts(net, low_pu, high_pu) | _relieve_machines(net) | _move_taps(net)):
            return
    msg = f"shunts and taps of {net['name']} do not come to rest within {MOST_ROUNDS} power flows"
    raise RuntimeError(msg)


def _move_shunts(net: Any, low_pu: float, high_pu: float) -> bool:
    """Switch the banks of busbars no machine holds towards the band; returns whether any moved."""
    held = set(net.gen["bus"][net.gen["in_service"]])
    free = net.shunt[(net.shunt["control"] == "voltage") & ~net.shunt["bus"].isin(held)]
    moved = False
    for bus in free["bus"].unique():
        vm = float(net.res_bus.at[bus, "vm_pu"])
        if not low_pu <= vm <= high_pu:
            moved |= _switch(net, bus, absorb=vm > high_pu)
    return moved


def _relieve_machines(net: Any) -> bool:
    """Help the machines of each bus beyond their reactive limits; returns whether anything moved.

    A bank of the same bus takes what is beyond; where there is none left, the bus gets another set point.
    """
    on = net.gen[net.gen["in_service"]].assign(q_mvar=net.res_gen["q_mvar"])
    moved = False
    for bus, here in on.groupby("bus"):
        q = float(here["q_mvar"].sum())
        most, least = MARGIN_PU * here["max_q_mvar"].sum(), MARGIN_PU * here["min_q_mvar"].sum()
        if least <= q <= most:
            continue
        moved = True
        if not _switch(net, bus, absorb=q < least):
            vm = float(here["vm_pu"].iloc[0]) + math.copysign(SET_POINT_PU, least - q)
            net.gen.loc[net.gen["bus"] == bus, "vm_pu"] = round(vm, 4)
    return moved


def _switch(net: Any, bus: Any, *, absorb: bool) -> bool:
    """Switch one step at a bus to draw more (`absorb`) or less; off before on. Tells whether one was left."""
    banks = net.shunt[(net.shunt["bus"] == bus) & (net.shunt["control"] == "voltage")]
    draws = banks["q_mvar"] > 0.0
    off, on = (banks[draws != absorb], banks[draws == absorb])
    for chosen, by in ((off[off["step"] > 0], -1), (on[on["step"] < on["max_step"]], 1)):
        if len(chosen):
            net.shunt.at[chosen.index[0], "step"] += by
            return True
    return False


def _move_taps(net: Any) -> bool:
    moved = False
    for i, row in net.trafo[net.trafo["tap_control"] == "lv"].iterrows():
        vm = float(net.res_bus.at[row["lv_bus"], "vm_pu"])
        off = vm - float(row["vm_set_pu"])
        if abs(off) <= row["vm_deadband_pu"] / 2.0:
            continue
        # more turns on the high-voltage side lower the voltage of the other
        steps = round(100.0 * off / float(row["tap_step_percent"])) or int(math.copysign(1, off))
        tap = min(max(row["tap_pos"] + steps, row["tap_min"]), row["tap_max"])
        moved |= bool(tap != row["tap_pos"])
        net.trafo.at[i, "tap_pos"] = tap
    return moved
