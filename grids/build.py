"""From a pandapower net to the arrays one topology needs: pandapower builds, we only copy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from pandapower.auxiliary import _add_auxiliary_elements, _clean_up, _init_runpp_options
from pandapower.pd2ppc import _pd2ppc
from pandapower.pf.run_dc_pf import _run_dc_pf
from pandapower.pypower.bustypes import bustypes
from pandapower.pypower.idx_brch import F_BUS, T_BUS
from pandapower.pypower.idx_bus import BASE_KV, BS, GS, PD, QD, VA
from pandapower.pypower.idx_gen import GEN_BUS, GEN_STATUS, PG, VG
from pandapower.pypower.makeYbus import branch_vectors
from pandapower.results import init_results

from cosim.core.errors import CaseError
from cosim.core.types import Bools, Floats, Ints
from grids.numbers import Complexes, Indices

REFUSED = ("svc", "tcsc", "ssc", "vsc", "b2b_vsc", "line_dc", "vsc_stacked", "vsc_bipolar")
"""Element tables this engine has no equations for."""

PF_OPTIONS: dict[str, Any] = {
    "algorithm": "nr",
    "calculate_voltage_angles": True,
    "init": "auto",
    "max_iteration": "auto",
    "tolerance_mva": 1e-8,
    "trafo_model": "t",
    "trafo_loading": "current",
    "enforce_p_lims": False,
    "enforce_q_lims": False,
    "check_connectivity": True,
    "voltage_depend_loads": True,
    "consider_line_temperature": False,
}
"""How pandapower builds the model here and when it cross-checks: its own defaults, said once."""


@dataclass
class Model:
    """One topology. Buses are pandapower's internal ones: energised, fused, auxiliary ones included."""

    base_mva: float
    row_bus: Ints
    """Row of `net.bus` -> bus, -1 where not energised."""
    vn_kv: Floats
    ref: Indices
    pv: Indices
    pq: Indices
    v_start: Complexes
    """Set-points where a machine holds the voltage, 1 pu elsewhere; angles of the linear power flow."""
    vm_set_pu: Floats
    """Set-point of each bus, nan where no machine holds it."""
    fixed_mva: Complexes
    """Injection of everything that is neither in the load nor the sgen nor the gen table."""
    branch_from: Ints
    branch_to: Ints
    branch_y: Complexes
    """`yff, yft, ytf, ytt` of each branch, shape (branches, 4)."""
    i_base_ka: Floats
    bus_y: Complexes
    """Shunt admittance at each bus."""
    rows: dict[str, Ints]
    """Element table -> branch of each row; the number of branches where out of service."""
    own_branch: Bools
    """False for branches inside an element (xward), whose flow counts as that element's power."""
    q_min_mvar: Floats
    q_max_mvar: Floats
    """Reactive range of each gen and then each ext_grid row, shape (gens + ext_grids,)."""

    @property
    def size(self) -> int:
        """Number of buses."""
        return int(self.vn_kv.size)

    def admittance(self) -> Any:
        """Return the bus admittance matrix (csc) of the branches and shunts as they are now."""
        n, f, t, y = self.size, self.branch_from, self.branch_to, self.branch_y
        own = np.arange(n)
        row = np.concatenate([f, f, t, t, own])
        column = np.concatenate([f, t, f, t, own])
        value = np.concatenate([y[:, 0], y[:, 1], y[:, 2], y[:, 3], self.bus_y])
        return sp.csc_matrix((value, (row, column)), shape=(n, n))


def two_ports(branch: Any) -> Complexes:
    """Return `yff, yft, ytf, ytt` of pypower branch rows, shape (branches, 4)."""
    if len(branch) == 0:
        return np.zeros((0, 4), dtype=np.complex128)
    ytt, yff, yft, ytf = branch_vectors(branch, len(branch))
    return np.ascontiguousarray(np.stack([yff, yft, ytf, ytt], axis=1))


def refuse_unknown(net: Any) -> None:
    """Raise CaseError when the net has elements in service this engine has no equations for."""
    found = [t for t in REFUSED if t in net and len(net[t]) and net[t]["in_service"].any()]
    if found:
        msg = f"the powerflow engine has no equations for {', '.join(found)}; switch them out of service"
        raise CaseError(msg)


def internal_arrays(net: Any) -> tuple[Any, Any]:
    """Return pandapower's `ppc` and `ppci` of the net as it is, without solving it."""
    _init_runpp_options(net, numba=False, **PF_OPTIONS)  # compiled parts load slower than they save
    _add_auxiliary_elements(net)
    init_results(net)
    try:
        ppc, ppci = _pd2ppc(net)
    finally:
        lookups = net.get("_pd2ppc_lookups")
        _clean_up(net, res=False)
        net["_pd2ppc_lookups"] = lookups
    return ppc, ppci


def _branch_rows(net: Any, ppc: Any, ppci: Any) -> tuple[dict[str, Ints], Bools]:
    alive = np.asarray(ppci["internal"]["branch_is"], dtype=bool)
    count = int(alive.sum())
    number = np.full(len(ppc["branch"]), count, dtype=np.int64)
    number[alive] = np.arange(count)
    lookup = net["_pd2ppc_lookups"]["branch"]
    ranges = dict(lookup) if isinstance(lookup, dict) else {}
    rows = {table: number[int(f) : int(t)] for table, (f, t) in ranges.items()}
    own = np.ones(count, dtype=bool)
    inside = rows.get("xward", np.zeros(0, dtype=np.int64))
    own[inside[inside < count]] = False
    return rows, own


def _row_bus(net: Any, ppci: Any) -> Ints:
    lookup = np.asarray(net["_pd2ppc_lookups"]["bus"])
    bus = lookup[net.bus.index.to_numpy()].astype(np.int64)
    return np.where((bus >= 0) & (bus < len(ppci["bus"])) & net.bus["in_service"].to_numpy(), bus, -1)


def _angles(ppci: Any) -> Floats:
    """Return the angles of the linear power flow [rad], which warm-start the first solution."""
    trial = dict(ppci)
    for table in ("bus", "gen", "branch"):
        trial[table] = ppci[table].copy()
    angle = np.deg2rad(_run_dc_pf(trial, None)["bus"][:, VA].real)
    return np.where(np.isfinite(angle), angle, 0.0)


def _machine_limits(net: Any) -> tuple[Floats, Floats]:
    lo: list[Floats] = []
    hi: list[Floats] = []
    for table in ("gen", "ext_grid"):
        frame = net[table]
        for column, into, none in (("min_q_mvar", lo, -1e9), ("max_q_mvar", hi, 1e9)):
            values = frame[column].to_numpy(dtype=float) if column in frame else np.full(len(frame), none)
            into.append(np.where(np.isfinite(values), values, none))
    return np.concatenate(lo), np.concatenate(hi)


def _fixed(net: Any, ppci: Any, row_bus: Ints) -> Complexes:
    """Return the internal injections less those of the load, sgen and gen tables [MVA]."""
    bus, gen = ppci["bus"], ppci["gen"]
    on = gen[gen[:, GEN_STATUS] > 0]
    total = -(bus[:, PD] + 1j * bus[:, QD]).astype(np.complex128)
    np.add.at(total, on[:, GEN_BUS].real.astype(np.int64), on[:, PG].real)
    row_of = {index: row for row, index in enumerate(net.bus.index)}
    for table, sign in (("load", 1.0), ("sgen", -1.0), ("gen", -1.0)):
        frame = net[table]
        at = row_bus[[row_of[b] for b in frame["bus"]]]
        alive = frame["in_service"].to_numpy(dtype=bool) & (at >= 0)
        power = nominal_mva(frame)
        if table == "gen":
            power = power.real.astype(np.complex128)
        np.add.at(total, at[alive], sign * power[alive])
    total[np.abs(total) < 1e-9] = 0.0  # rounding of the subtraction
    return np.asarray(total, dtype=np.complex128)


def nominal_mva(frame: Any) -> Complexes:
    """Return `scaling * (p + jq)` of the rows of a load, sgen or gen table [MVA]."""
    q = frame["q_mvar"].to_numpy(dtype=float) if "q_mvar" in frame else np.zeros(len(frame))
    scaling = frame["scaling"].to_numpy(dtype=float) if "scaling" in frame else np.ones(len(frame))
    power: Complexes = (frame["p_mw"].to_numpy(dtype=float) + 1j * q) * scaling
    return power


def build_model(net: Any) -> Model:
    """Return the arrays of the net's present topology.

    Raises
    ------
    CaseError
        When pandapower cannot build it, or an element type is not supported.
    """
    refuse_unknown(net)
    try:
        ppc, ppci = internal_arrays(net)
    except UserWarning as error:
        msg = f"pandapower cannot build the net: {error}"
        raise CaseError(msg) from error
    bus, gen, branch = ppci["bus"].real, ppci["gen"], ppci["branch"]
    ref, pv, pq = bustypes(ppci["bus"], gen)
    row_bus = _row_bus(net, ppci)
    on = gen[gen[:, GEN_STATUS] > 0].real
    vm_set = np.full(len(bus), np.nan)
    vm_set[on[:, GEN_BUS].astype(np.int64)] = on[:, VG]
    angle = _angles(ppci)
    angle[ref] = np.deg2rad(bus[ref, VA])
    vm = np.where(np.isfinite(vm_set), vm_set, 1.0)
    f, t = branch[:, F_BUS].real.astype(np.int64), branch[:, T_BUS].real.astype(np.int64)
    base = float(ppci["baseMVA"])
    i_base = base / np.sqrt(3.0) / bus[:, BASE_KV]
    rows, own = _branch_rows(net, ppc, ppci)
    low, high = _machine_limits(net)
    return Model(
        base_mva=base,
        row_bus=row_bus,
        vn_kv=np.ascontiguousarray(bus[:, BASE_KV]),
        ref=np.sort(ref).astype(np.int32),
        pv=np.sort(pv).astype(np.int32),
        pq=np.sort(pq).astype(np.int32),
        v_start=vm * np.exp(1j * angle),
        vm_set_pu=vm_set,
        fixed_mva=_fixed(net, ppci, row_bus),
        branch_from=f,
        branch_to=t,
        branch_y=two_ports(branch),
        i_base_ka=np.ascontiguousarray(np.stack([i_base[f], i_base[t]], axis=1)),
        bus_y=(bus[:, GS] + 1j * bus[:, BS]) / base,
        rows=rows,
        own_branch=own,
        q_min_mvar=low,
        q_max_mvar=high,
    )
