"""A pandapower net without the elements a case has no table for, where they have an exact equivalent."""

from typing import Any

import numpy as np
import pandapower as pp
from pandapower.toolbox import fuse_buses
from pandapower.topology import unsupplied_buses

from grids.formats.tables import UNRATED_KA


def simplified(net: Any) -> list[str]:
    """Replace couplers, impedances and three-winding transformers in place; return what was done.

    * Closed switches between buses make one bus of two; open ones, and open ends of branches, go.
    * A symmetrical impedance between buses of one voltage is a line of 1 km.
    * Buses without connection to a slack go, with what stands at them.
    """
    said = [*_couplers(net), *_open_ends(net), *_impedances(net)]
    for table in ("line", "trafo"):
        above = net[table]["df"] > 1.0  # a case has derating alone
        limit = net[table].get("max_loading_percent", 100.0)
        net[table]["max_loading_percent"] = limit * net[table]["df"].where(above, 1.0)
        net[table].loc[above, "df"] = 1.0
    unrated = net.line["max_i_ka"].isna()
    net.line.loc[unrated, "max_i_ka"] = UNRATED_KA
    said += [f"{int(unrated.sum())} lines have no rating"] if unrated.any() else []
    dead = sorted(unsupplied_buses(net))
    if dead:
        names = ", ".join(str(net.bus.at[b, "name"]) for b in dead)
        pp.toolbox.drop_buses(net, dead)
        said.append(f"{len(dead)} buses without connection to a slack are left out: {names}")
    return said


def _couplers(net: Any) -> list[str]:
    switches = net.switch[net.switch["et"] == "b"]
    if not len(switches):
        return []
    closed = switches[switches["closed"].astype(bool)]
    stands_for = {int(b): int(b) for b in net.bus.index}
    for one, other in zip(closed["bus"], closed["element"], strict=True):
        keep, gone = stands_for[int(one)], stands_for[int(other)]
        if keep != gone:
            fuse_buses(net, keep, gone)
            stands_for = {bus: keep if now == gone else now for bus, now in stands_for.items()}
    net.switch = net.switch[net.switch["et"] != "b"]
    opened = len(switches) - len(closed)
    return [f"{len(closed)} closed couplers make one bus each, {opened} open ones are left out"]


def _open_ends(net: Any) -> list[str]:
    tables = {"l": "line", "t": "trafo", "t3": "trafo3w"}
    opened = net.switch[~net.switch["closed"].astype(bool)]
    for kind, element in zip(opened["et"], opened["element"], strict=True):
        net[tables[kind]].loc[element, "in_service"] = False
    net.switch = net.switch.drop(net.switch.index)
    return [f"{len(opened)} branches with an open end are out of service"] if len(opened) else []


def _impedances(net: Any) -> list[str]:
    table = net.impedance
    if not len(table):
        return []
    vn = net.bus["vn_kv"]
    kv = vn.loc[table["from_bus"]].to_numpy()
    plain = np.isclose(kv, vn.loc[table["to_bus"]].to_numpy())
    for one, other in (("rft_pu", "rtf_pu"), ("xft_pu", "xtf_pu"), ("bf_pu", "bt_pu"), ("gf_pu", "gt_pu")):
        plain &= np.isclose(table[one], table[other])
    plain &= (table["gf_pu"] == 0.0) & (table["bf_pu"] >= 0.0)
    for row, v_kv in zip(table[plain].to_dict("records"), kv[plain], strict=True):
        z_ohm = v_kv**2 / row["sn_mva"]
        pp.create_line_from_parameters(
            net,
            int(row["from_bus"]),
            int(row["to_bus"]),
            length_km=1.0,
            r_ohm_per_km=row["rft_pu"] * z_ohm,
            x_ohm_per_km=row["xft_pu"] * z_ohm,
            c_nf_per_km=2.0 * row["bf_pu"] / z_ohm / (2.0 * np.pi * net.f_hz) * 1e9,
            max_i_ka=UNRATED_KA,
            name=str(row["name"]),
            in_service=bool(row["in_service"]),
        )
    net.impedance = table[~plain]
    return [f"{int(plain.sum())} impedances are lines of 1 km without a rating"]
