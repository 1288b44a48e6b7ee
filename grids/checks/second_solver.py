r"""power-grid-model solves the same operating point from the case's own tables.

Nothing of pandapower's admittances is used: lines go over as resistance, reactance and capacitance,
transformers as the :math:`\Pi` of their T equivalent, shunts as admittances, and loads, sgens and machines
as powers. The solver has no bus that holds its voltage (in the releases for Python 3.11), so machines
deliver the reactive power our solution found. That alone has a second solution at stressed points, so an
anchor stands beside each machine: its set-point, at our angle, behind a reactance. Where both programs
agree the anchors carry nothing, and that is looked at, too.

The T of a transformer, with half the short-circuit impedance :math:`z` on each side of the magnetising
admittance :math:`y`, is the :math:`\Pi` with series impedance and both shunts [1]_

.. math:: z_\Pi = z + z^2 y / 4, \qquad y_\Pi / 2 = y / (2 + z y / 2)

References
----------
.. [1] A. E. Kennelly, "The equivalence of triangles and three-pointed stars in conducting networks",
   Electrical World and Engineer 34, 1899; power-grid-model documentation, `generic_branch`.
"""

from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.checks.base import Solved
from grids.checks.finding import Finding, State
from grids.numbers import Complexes

CHECK = "second solver"
AGREEMENT_PU = 1e-6
"""Largest difference of complex voltages [pu]."""

STIFF_VA = 1e24
"""Short-circuit power behind the source: nothing drops across its impedance."""

ANCHOR_PU = 0.1
"""Reactance of a machine's anchor, on its rating."""

IDLE_MVA = 1e-2
"""Largest power an anchor may carry."""

HELD_PU = 1e-7
"""A machine this far from its set-point is at a reactive limit."""

MISMATCH_PU = 1e-10
MOST_ITERATIONS = 50

FOREIGN = ("trafo3w", "impedance", "ward", "xward", "dcline", "storage", "motor", "asymmetric_load", "switch")
"""Element tables that are not handed over."""


def check_second_solver(solved: Solved) -> Finding:
    """Return how far power-grid-model's voltages are from ours; a note where it cannot be asked."""
    try:
        import power_grid_model as pgm  # noqa: PLC0415 - the extra `check` installs it
        from power_grid_model.errors import PowerGridError  # type: ignore[attr-defined] # noqa: PLC0415
    except ImportError:
        return Finding(CHECK, State.NOTE, "not compared: power-grid-model is not installed (suandian[check])")
    if lacking := _not_handed_over(solved):
        return Finding(CHECK, State.NOTE, f"not compared: no conversion of {', '.join(lacking)}")
    try:
        theirs, anchors_mva = _solve(pgm, solved)
    except PowerGridError as error:
        text = " ".join(str(error).split())
        return Finding(CHECK, State.BAD, f"power-grid-model finds no solution: {text}")
    apart = np.abs(theirs - solved.v)
    worst = int(np.nanargmax(apart))
    gap_pu = float(apart[worst])
    text = f"voltages within {gap_pu:.2g} pu of power-grid-model's (allowed: {AGREEMENT_PU:g})"
    if gap_pu > AGREEMENT_PU:
        text += f", worst at {solved.net.bus['name'].iloc[worst]}"
    if anchors_mva > IDLE_MVA:
        text += f"; machines miss {anchors_mva:.3g} MVA"
    good = gap_pu <= AGREEMENT_PU and anchors_mva <= IDLE_MVA
    return Finding(CHECK, State.of(good), text, gap_pu, AGREEMENT_PU)


def _not_handed_over(solved: Solved) -> list[str]:
    net = solved.net
    found = [f"{len(net[table])} {table}" for table in FOREIGN if table in net and len(net[table])]
    if solved.inside.elements.shares is not None:
        found.append("loads that follow the voltage")
    trafo = net.trafo
    kind = trafo["tap_changer_type"].fillna("").astype(str)
    moved = _tap_steps(trafo) != 0.0
    angle = trafo["tap_step_degree"].fillna(0.0).to_numpy(dtype=float) != 0.0
    odd = moved & (angle | ~kind.isin(["Ratio", ""]).to_numpy())
    if odd.any():
        found.append(f"{int(odd.sum())} trafo with taps that shift the angle")
    return found


def _tap_steps(trafo: Any) -> Floats:
    steps = trafo["tap_pos"].to_numpy(dtype=float) - trafo["tap_neutral"].to_numpy(dtype=float)
    return np.asarray(np.nan_to_num(steps), dtype=np.float64)


def _solve(pgm: Any, solved: Solved) -> tuple[Complexes, float]:
    """Return the voltage of each row of `net.bus` [pu], nan where dark, and the most of an anchor [MVA]."""
    data, node = _network(pgm, solved)
    model = pgm.PowerGridModel(data, system_frequency=float(solved.case.meta["f_nominal_hz"]))
    result = model.calculate_power_flow(
        symmetric=True,
        error_tolerance=MISMATCH_PU,
        max_iterations=MOST_ITERATIONS,
        calculation_method=pgm.CalculationMethod.newton_raphson,
    )
    v = np.full(solved.v.size, np.nan, dtype=np.complex128)
    nodes, sources = result[pgm.ComponentType.node], result[pgm.ComponentType.source]
    v[node] = nodes["u_pu"] * np.exp(1j * nodes["u_angle"])
    slacks = int(solved.net.ext_grid["in_service"].sum())
    return v, float(np.max(1e-6 * sources["s"][slacks:], initial=0.0))


def _network(pgm: Any, solved: Solved) -> tuple[dict[Any, Any], Ints]:
    """Return the input of power-grid-model, whose node ids are rows of `net.bus`, and these rows."""
    net, kinds = solved.net, pgm.ComponentType
    node = np.flatnonzero(np.isfinite(solved.v))
    alive = np.isfinite(solved.v)
    nodes = _table(pgm, kinds.node, node.size, 0)
    nodes["id"] = node
    nodes["u_rated"] = 1e3 * net.bus["vn_kv"].to_numpy(dtype=float)[node]
    data = {kinds.node: nodes}
    first = solved.v.size
    for kind, made in (
        (kinds.line, _lines(solved, alive)),
        (kinds.generic_branch, _trafos(solved, alive)),
        (kinds.shunt, _shunts(solved, alive)),
        (kinds.source, _joined(_sources(solved, alive), _anchors(solved, alive))),
        (kinds.sym_load, _powers(solved, alive)),
    ):
        size = next(iter(made.values())).size
        rows = _table(pgm, kind, size, first)
        for name, values in made.items():
            rows[name] = values
        first += size
        if size:
            data[kind] = rows
    return data, node


def _table(pgm: Any, kind: Any, size: int, first: int) -> Any:
    rows = pgm.initialize_array(pgm.DatasetType.input, kind, size)
    rows["id"] = np.arange(first, first + size)
    for name in ("from_status", "to_status", "status"):
        if name in rows.dtype.names:
            rows[name] = 1
    return rows


def _on(solved: Solved, table: str, alive: Bools, *ends: str) -> tuple[Any, list[Ints]]:
    """Return what is in service between energised buses, and the rows of `net.bus` of each end."""
    frame = solved.net[table]
    rows = [solved.rows(table, end) for end in ends]
    on = frame["in_service"].to_numpy(dtype=bool) & np.all([alive[row] for row in rows], axis=0)
    return frame[on], [row[on] for row in rows]


def _column(frame: Any, name: str) -> Floats:
    return np.asarray(frame[name].to_numpy(dtype=float), dtype=np.float64)


def _lines(solved: Solved, alive: Bools) -> dict[str, Any]:
    line, (start, end) = _on(solved, "line", alive, "from_bus", "to_bus")
    circuits = _column(line, "parallel")
    km = _column(line, "length_km")
    c1 = _column(line, "c_nf_per_km") * km * 1e-9 * circuits
    g1 = _column(line, "g_us_per_km") * km * 1e-6 * circuits
    omega_c = 2.0 * np.pi * float(solved.case.meta["f_nominal_hz"]) * c1
    return {
        "from_node": start,
        "to_node": end,
        "r1": _column(line, "r_ohm_per_km") * km / circuits,
        "x1": _column(line, "x_ohm_per_km") * km / circuits,
        "c1": c1,
        "tan1": np.divide(g1, omega_c, out=np.zeros_like(g1), where=omega_c > 0.0),
    }


def _trafos(solved: Solved, alive: Bools) -> dict[str, Any]:
    trafo, (hv, lv) = _on(solved, "trafo", alive, "hv_bus", "lv_bus")
    tap = 1.0 + _tap_steps(trafo) * np.nan_to_num(_column(trafo, "tap_step_percent")) / 100.0
    side = trafo["tap_side"].fillna("").to_numpy()
    hv_kv = _column(trafo, "vn_hv_kv") * np.where(side == "hv", tap, 1.0)
    lv_kv = _column(trafo, "vn_lv_kv") * np.where(side == "lv", tap, 1.0)
    rated_mva = _column(trafo, "sn_mva") * _column(trafo, "parallel")
    base_ohm = lv_kv**2 / rated_mva
    z, r = _column(trafo, "vk_percent") / 100.0, _column(trafo, "vkr_percent") / 100.0
    impedance = (r + 1j * np.sign(z) * np.sqrt(z**2 - r**2)) * base_ohm
    iron_mw = 1e-3 * _column(trafo, "pfe_kw") * _column(trafo, "parallel")
    drawn_mva = _column(trafo, "i0_percent") / 100.0 * rated_mva
    magnetising = (iron_mw - 1j * np.sqrt(np.maximum(drawn_mva**2 - iron_mw**2, 0.0))) / lv_kv**2
    series = impedance + impedance**2 * magnetising / 4.0
    shunt = 2.0 * magnetising / (2.0 + impedance * magnetising / 2.0)
    bus_kv = _column(solved.net.bus, "vn_kv")
    return {
        "from_node": hv,
        "to_node": lv,
        "r1": series.real,
        "x1": series.imag,
        "g1": shunt.real,
        "b1": shunt.imag,
        "k": (hv_kv / bus_kv[hv]) / (lv_kv / bus_kv[lv]),
        "theta": np.deg2rad(_column(trafo, "shift_degree")),
    }


def _shunts(solved: Solved, alive: Bools) -> dict[str, Any]:
    shunt, (bus,) = _on(solved, "shunt", alive, "bus")
    per_kv2 = _column(shunt, "step") / _column(shunt, "vn_kv") ** 2
    return {
        "node": bus,
        "g1": _column(shunt, "p_mw") * per_kv2,
        "b1": -_column(shunt, "q_mvar") * per_kv2,
    }


def _sources(solved: Solved, alive: Bools) -> dict[str, Any]:
    grid, (bus,) = _on(solved, "ext_grid", alive, "bus")
    return {
        "node": bus,
        "u_ref": _column(grid, "vm_pu"),
        "u_ref_angle": np.deg2rad(_column(grid, "va_degree")),
        "sk": np.full(len(grid), STIFF_VA),
    }


def _powers(solved: Solved, alive: Bools) -> dict[str, Any]:
    """Return all given powers as loads; machines with the reactive power they generate in our solution."""
    parts: list[tuple[Ints, Floats, Floats]] = []
    q_gen = np.asarray(solved.tables["gen"]["q_mvar"][: len(solved.net.gen)])
    for table, sign in (("load", 1.0), ("sgen", -1.0), ("gen", -1.0)):
        frame, (bus,) = _on(solved, table, alive, "bus")
        scale = _column(frame, "scaling") if "scaling" in frame else np.ones(len(frame))
        if table == "gen":
            q_mvar = q_gen[solved.net.gen.index.get_indexer(frame.index)]
        else:
            q_mvar = scale * _column(frame, "q_mvar")
        parts.append((bus, sign * scale * _column(frame, "p_mw"), sign * q_mvar))
    return _loads(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _loads(bus: Ints, p_mw: Floats, q_mvar: Floats) -> dict[str, Any]:
    kind = np.zeros(bus.size, dtype=np.int8)  # constant power
    return {"node": bus, "type": kind, "p_specified": 1e6 * p_mw, "q_specified": 1e6 * q_mvar}


def _anchors(solved: Solved, alive: Bools) -> dict[str, Any]:
    """Return a source beside each machine that holds its voltage."""
    gen, (bus,) = _on(solved, "gen", alive, "bus")
    set_pu = _column(gen, "vm_pu")
    held = np.abs(np.abs(solved.v[bus]) - set_pu) < HELD_PU
    return {
        "node": bus[held],
        "u_ref": set_pu[held],
        "u_ref_angle": np.angle(solved.v[bus[held]]),
        "sk": 1e6 * _column(gen, "sn_mva")[held] / ANCHOR_PU,
    }


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: np.concatenate([one[name], other[name]]) for name in one}
