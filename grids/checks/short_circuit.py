r"""Initial symmetrical short-circuit currents of three-phase faults after IEC 60909-0 (GB/T 15544.1).

The equivalent voltage source :math:`c\,U_n/\sqrt 3` at the fault works on the network without loads, line
capacitances, shunts and taps [1]_: :math:`I''_k = c\,U_n / (\sqrt 3\,|Z_{kk}|)` with :math:`c = 1.1`. The
impedances are corrected as the standard asks:

* network transformers by :math:`K_T = 0.95\,c / (1 + 0.6\,x_T)`;
* machines, and those that hold a step-up transformer without on-load taps (plants by plant type) as a whole,
  by :math:`K_G = K_{SO} = c / (1 + x''_d \sin\varphi_{rG})`;
* what stands for the rest of an area is a network feeder and has no factor; the area's own network lies
  between its machines and the boundary, so it feeds with as much as leaves the level at the busbars of the
  boundary at the breakers' rating.

A row of the table of buses may stand for several real busbars; currents are those of faults at the real ones
(`grids.checks.busbars`). Machines are those of the dynamic data. Converters (wind, PV, storage,
direct-current links) give nothing: a little less than there is.

References
----------
.. [1] IEC 60909-0:2016, sections 5.2, 6.3.3, 6.6.1, 6.7.2 and 7.2; pandapower `shortcircuit`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.case import Case
from grids.checks.busbars import Busbars, ring_admittance
from grids.dynamics.by_plant_type import plant_dynamics
from grids.dynamics.tables import Unit, read_units
from grids.numbers import Complexes

C_MAX = 1.1
"""Voltage factor above 1 kV."""

RATING_KA = ((500.0, 63.0), (220.0, 50.0))
"""From this nominal voltage [kV] the rated breaking current of circuit-breakers [kA].

63 and 50 kA are the usual rungs of IEC 62271-100 (GB/T 1984) there; what is installed is (unconfirmed).
"""

RATED_COS = (0.8, 1.0)
"""Bounds of a machine's rated power factor, taken as largest power over rating."""

ROUNDS, CLOSE = 200, 1e-9
"""Rounds in which shares of the surroundings settle, and change of a share that counts as none."""

FOREIGN = ("trafo3w", "impedance", "switch", "xward")
"""Element tables without an equation here."""

BY_PLANT_TYPE = "by plant type"


@dataclass(frozen=True)
class ShortCircuit:
    """Currents of one operating point, arrays of shape (buses,), rows of `net.bus`."""

    ikss_ka: Floats
    """Initial symmetrical current, the highest of a row's real busbars; nan where no machine feeds them."""
    least_ka: Floats
    """The lowest of a row's real busbars."""
    busbars: Ints
    """How many real busbars a row stands for."""
    boundary: Bools
    """A machine stands there for a part of the network outside the case."""


def short_circuit(case: Case) -> ShortCircuit:
    """Return the currents of three-phase faults at all buses.

    Raises
    ------
    CaseError
        When the dynamic tables are wrong, or a machine has none.
    ValueError
        When the net has elements without an equation here.
    """
    net = case.net
    if foreign := [table for table in FOREIGN if table in net and len(net[table])]:
        msg = f"no equations for {', '.join(foreign)}"
        raise ValueError(msg)
    busbars, base_mva = Busbars.of(net), float(net.sn_mva)
    un_kv = net.bus["vn_kv"].to_numpy(dtype=float)[busbars.row]
    y = np.zeros((busbars.size, busbars.size), dtype=np.complex128)
    _add_lines(net, y, base_mva, busbars)
    _add_trafos(net, y, base_mva, busbars)
    own, outside = _feeds(case, busbars, base_mva)
    y[np.diag_indices_from(y)] += own + outside
    current_ka = np.full(busbars.size, np.nan)
    live = _reached(y, (own + outside) != 0.0)
    if live.any():
        at = np.flatnonzero(live)
        z: Complexes = np.linalg.inv(y[np.ix_(at, at)]).astype(np.complex128)
        rating_pu = np.array([math.sqrt(3.0) * kv * rating_ka(kv) / base_mva / C_MAX for kv in un_kv[at]])
        _hold_back(z, outside[at], rating_pu)
        current_ka[at] = C_MAX / np.abs(np.diag(z)) * base_mva / (math.sqrt(3.0) * un_kv[at])
    boundary = np.add.reduceat(outside != 0.0, busbars.first) > 0
    most, least = (reduce.reduceat(current_ka, busbars.first) for reduce in (np.fmax, np.fmin))
    return ShortCircuit(most, least, busbars.count, boundary)


def _feeds(case: Case, busbars: Busbars, base_mva: float) -> tuple[Complexes, Complexes]:
    """Return the admittances of machines at each node [pu]: the case's own, and those of its surroundings."""
    beyond = elements_beyond(case.net)
    own, outside = np.zeros((2, busbars.size), dtype=np.complex128)
    for unit, bus in _machines(case):
        x_pu, factor = _reactance(case, unit, unit.element in beyond)
        impedance = factor * (float(getattr(unit.params, "ra_pu", 0.0)) + 1j * x_pu)
        feeds = float(getattr(unit.params, "sn_mva")) / base_mva / impedance  # noqa: B009
        count, first = int(busbars.count[bus]), int(busbars.first[bus])
        (outside if unit.element in beyond else own)[first : first + count] += feeds / count
    return own, outside


def elements_beyond(net: Any) -> set[str]:
    """Return the names of machines and sources that stand for the network outside a case."""
    beyond = {str(name) for name in net["ties"]["element"]} | {str(name) for name in net.ext_grid["name"]}
    return beyond if len(net["ties"]) else beyond - set(net.gen["name"][net.gen["sn_mva"] > 0.0])


def _hold_back(z: Complexes, outside: Complexes, most_pu: Floats) -> None:
    """Reduce what the surroundings feed until no busbar of the boundary is above `most_pu`, in place.

    One after the other: :math:`|1/z_{kk} - (1 - f) y_k| = Y_{max}` for the share :math:`f` of its feed
    :math:`y_k`, between 0 and 1; less at one lets another have more, so the round is repeated.

    Parameters
    ----------
    z
        Impedance matrix with all feeds at their full size [pu], shape (nodes, nodes).
    outside
        Full feeds of the surroundings [pu], shape (nodes,).
    most_pu
        Admittance of a fault at the breakers' rating, shape (nodes,).
    """
    share = np.ones(outside.size)
    for _ in range(ROUNDS):
        change = 0.0
        for k in np.flatnonzero(outside).tolist():
            feed = outside[k]
            rest = 1.0 / z[k, k] - share[k] * feed
            a, b = abs(feed) ** 2, (rest * np.conj(feed)).real
            c = abs(rest) ** 2 - most_pu[k] ** 2
            kept = 0.0 if c >= 0.0 else min((math.sqrt(b * b - a * c) - b) / a, 1.0)
            step = (kept - share[k]) * feed
            change, share[k] = max(change, abs(kept - share[k])), kept
            if step:
                z -= np.outer(z[:, k], z[k, :]) * (step / (1.0 + step * z[k, k]))
        if change < CLOSE:
            return


def rating_ka(un_kv: float) -> float:
    """Return the rated breaking current of circuit-breakers at a nominal voltage; infinite below 220 kV."""
    return next((ka for kv, ka in RATING_KA if un_kv >= kv), math.inf)


def _machines(case: Case) -> list[tuple[Unit, int]]:
    """Return the machines of the dynamic data in service, and the row of `net.bus` of each."""
    net = case.net
    place: dict[str, int] = {}
    for table in ("gen", "ext_grid"):
        on = net[table][net[table]["in_service"]]
        rows = net.bus.index.get_indexer(on["bus"])
        place.update(zip((str(name) for name in on["name"]), rows.tolist(), strict=True))
    return [
        (unit, place[unit.element])
        for unit in read_units(case)
        if unit.element in place and hasattr(unit.params, "xd1_pu")
    ]


def _reactance(case: Case, unit: Unit, outside: bool) -> tuple[float, float]:
    """Return sub-transient reactance [pu of the machine's rating] and correction factor."""
    x_pu = float(getattr(unit.params, "xd2_pu", 0.0) or getattr(unit.params, "xd1_pu"))  # noqa: B009
    if outside:
        return x_pu, 1.0
    gen = case.net.gen[case.net.gen["name"] == unit.element].iloc[0]
    cos = min(max(float(gen["max_p_mw"]) / float(gen["sn_mva"]), RATED_COS[0]), RATED_COS[1])
    sin = math.sqrt(1.0 - cos**2)
    own_pu = x_pu
    if unit.where == BY_PLANT_TYPE:
        own_pu -= plant_dynamics()[str(gen["plant_type"])].xt_pu
    return x_pu, C_MAX / (1.0 + own_pu * sin)


def _ends(net: Any, table: str, one: str, other: str) -> tuple[Any, Ints, Ints]:
    on = net[table][net[table]["in_service"]]
    return on, net.bus.index.get_indexer(on[one]), net.bus.index.get_indexer(on[other])


def _add(y: Complexes, f: Ints, t: Ints, series: Complexes, ratio: Floats) -> None:
    """Add branches with ideal transformers `ratio : 1` at their first ends."""
    np.add.at(y, (f, f), series / ratio**2)
    np.add.at(y, (t, t), series)
    np.add.at(y, (f, t), -series / ratio)
    np.add.at(y, (t, f), -series / ratio)


def _add_lines(net: Any, y: Complexes, base_mva: float, busbars: Busbars) -> None:
    line, f, t = _ends(net, "line", "from_bus", "to_bus")
    base_ohm = net.bus["vn_kv"].to_numpy(dtype=float)[f] ** 2 / base_mva
    ohm = (line["r_ohm_per_km"] + 1j * line["x_ohm_per_km"]) * line["length_km"]
    each = np.repeat(np.arange(len(line)), line["parallel"].to_numpy(dtype=np.int64))
    series = (base_ohm / ohm.to_numpy(dtype=np.complex128))[each]
    _add(y, *busbars.circuits(f[each], t[each]), series, np.ones(each.size))
    one, other, row = busbars.rings()
    _add(y, one, other, ring_admittance(net, busbars, base_mva, row), np.ones(row.size))


def _add_trafos(net: Any, y: Complexes, base_mva: float, busbars: Busbars) -> None:
    trafo, hv, lv = _ends(net, "trafo", "hv_bus", "lv_bus")
    z, r, sn_mva, hv_kv, lv_kv = (
        trafo[name].to_numpy(dtype=float)
        for name in ("vk_percent", "vkr_percent", "sn_mva", "vn_hv_kv", "vn_lv_kv")
    )
    x_pu = np.sign(z) * np.sqrt(z**2 - r**2) / 100.0
    factor = np.where(z > 0.0, 0.95 * C_MAX / (1.0 + 0.6 * x_pu), 1.0)
    bus_kv = net.bus["vn_kv"].to_numpy(dtype=float)
    impedance = factor * (r / 100.0 + 1j * x_pu) * base_mva / sn_mva * (lv_kv / bus_kv[lv]) ** 2
    ratio = hv_kv / bus_kv[hv] / (lv_kv / bus_kv[lv])
    each = np.repeat(np.arange(len(trafo)), trafo["parallel"].to_numpy(dtype=np.int64))
    _add(y, busbars.dealt(hv[each]), busbars.dealt(lv[each]), 1.0 / impedance[each], ratio[each])


def _reached(y: Complexes, fed: Bools) -> Bools:
    """Return which buses a machine feeds."""
    reached, before = fed.copy(), 0
    while int(reached.sum()) > before:
        before = int(reached.sum())
        reached = reached | np.any((y != 0.0)[:, reached], axis=1)
    return reached
