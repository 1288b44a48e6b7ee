"""A pandapower net without the elements a case has no table for, where they have an exact equivalent."""

import math
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
from pandapower.toolbox import fuse_buses
from pandapower.topology import unsupplied_buses

from grids.formats.tables import UNRATED_KA


def simplified(net: Any) -> list[str]:
    """Replace couplers, impedances and three-winding transformers in place; return what was done.

    * Closed switches between buses make one bus of two; open ones, and open ends of branches, go.
    * A symmetrical impedance between buses of one voltage is a line of 1 km.
    * A transformer of three windings is a star of three with two, its iron at the side of high voltage.
    * Buses without connection to a slack go, with what stands at them.
    """
    said = [*_couplers(net), *_open_ends(net), *_impedances(net), *_three_windings(net)]
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


LEGS = ("hv", "mv", "lv")
PAIRS = {"hv": ("hv", "mv"), "mv": ("mv", "lv"), "lv": ("hv", "lv")}
"""Which windings the short-circuit voltages of a side are between."""


def _three_windings(net: Any) -> list[str]:
    table = net.trafo3w
    for row in table.to_dict("records"):
        _star(net, row)
    net.trafo3w = table.drop(table.index)
    return [f"{len(table)} transformers of three windings are stars"] if len(table) else []


def _star(net: Any, row: dict[str, Any]) -> None:
    r"""Put three transformers of two windings for one of three.

    With :math:`z_{ab}` the impedance between two windings on one base,
    :math:`z_a = (z_{ab} + z_{ca} - z_{bc})/2` (P. Kundur, *Power System Stability and Control*, section 6.2).
    """
    base = float(row["sn_hv_mva"])
    z: dict[frozenset[str], complex] = {}
    for side, pair in PAIRS.items():
        least = min(float(row[f"sn_{winding}_mva"]) for winding in pair)
        vk, vkr = (float(row[f"{name}_{side}_percent"]) for name in ("vk", "vkr"))
        z[frozenset(pair)] = complex(vkr, math.sqrt(max(vk**2 - vkr**2, 0.0))) * base / least
    total = sum(z.values()) / 2.0
    star = pp.create_bus(net, float(row["vn_hv_kv"]), name=f"{row['name']} star")
    for leg in LEGS:
        own = total - z[frozenset(set(LEGS) - {leg})]
        sn_mva = float(row[f"sn_{leg}_mva"])
        ends = (row["hv_bus"], star) if leg == "hv" else (star, row[f"{leg}_bus"])
        iron = leg == "hv"
        made = pp.create_transformer_from_parameters(
            net,
            *(int(end) for end in ends),
            sn_mva=sn_mva,
            vn_hv_kv=float(row["vn_hv_kv"]),
            vn_lv_kv=float(row[f"vn_{leg}_kv"]),
            vk_percent=math.copysign(abs(own), own.imag) * sn_mva / base,
            vkr_percent=own.real * sn_mva / base,
            pfe_kw=float(row["pfe_kw"]) if iron else 0.0,
            i0_percent=float(row["i0_percent"]) if iron else 0.0,
            shift_degree=0.0 if iron else float(_given(row, f"shift_{leg}_degree", 0.0)),
            name=f"{row['name']} {leg}",
            in_service=bool(row["in_service"]),
        )
        if row.get("tap_side") == leg and _given(row, "tap_pos", None) is not None:
            taps = {name: row[name] for name in row if name.startswith("tap_") and name in net.trafo}
            at_star = bool(_given(row, "tap_at_star_point", default=False))
            side = "hv" if (leg == "hv") != at_star else "lv"
            for name, value in {**taps, "tap_side": side}.items():
                net.trafo.loc[made, name] = value


def _given(row: dict[str, Any], name: str, default: Any) -> Any:
    value = row.get(name)
    return default if value is None or pd.isna(value) else value
