"""Shunt steps and taps at rest: what their controllers would have settled at."""

import math
from typing import Any

import pandapower as pp

SENSITIVITY_PU = 0.004
"""Voltage beyond the band that one more step of a bank answers to; the loop corrects the rest."""

MARGIN_PU = 0.9
"""Share of a machine's reactive limits that is used before its set point moves."""

SET_POINT_PU = 0.001
"""Step in which a machine beyond its reactive limits is given another voltage to hold."""

MOST_ROUNDS = 150


def settle(net: Any, low_pu: float, high_pu: float) -> None:
    """Switch voltage-controlled shunts and taps until none would move; leaves the net solved.

    Shunts bring their busbars into a band; machines beyond their reactive limits get another set point.

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
        if not (_move_shunts(net, low_pu, high_pu) | _ease_machines(net) | _move_taps(net)):
            return
    msg = f"shunts and taps of {net['name']} do not come to rest within {MOST_ROUNDS} power flows"
    raise RuntimeError(msg)


def _move_shunts(net: Any, low_pu: float, high_pu: float) -> bool:
    moved = False
    for i, row in net.shunt[net.shunt["control"] == "voltage"].iterrows():
        vm = float(net.res_bus.at[row["bus"], "vm_pu"])
        beyond = min(vm - low_pu, 0.0) + max(vm - high_pu, 0.0)
        steps = math.copysign(math.ceil(abs(beyond) / SENSITIVITY_PU), beyond * row["q_mvar"])
        step = min(max(int(row["step"] + steps), 0), int(row["max_step"])) if beyond else int(row["step"])
        moved |= step != row["step"]
        net.shunt.at[i, "step"] = step
    return moved


def _ease_machines(net: Any) -> bool:
    """Move the set point of each bus whose machines are beyond their limits; tells whether any moved."""
    on = net.gen[net.gen["in_service"]].assign(q_mvar=net.res_gen["q_mvar"])
    moved = False
    for bus, here in on.groupby("bus"):
        most, least = here["max_q_mvar"].sum(), here["min_q_mvar"].sum()
        q = float(here["q_mvar"].sum())
        beyond = max(q - MARGIN_PU * most, 0.0) + min(q - MARGIN_PU * least, 0.0)
        if beyond:
            vm = float(here["vm_pu"].iloc[0]) - math.copysign(SET_POINT_PU, beyond)
            net.gen.loc[net.gen["bus"] == bus, "vm_pu"] = round(vm, 4)
            moved = True
    return moved


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
