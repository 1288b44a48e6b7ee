"""Tap changers and switched shunts: one step at a time, after a delay, outside a dead-band.

Both act on simulated time: the clock of a device runs while its voltage is outside the band and starts
anew when the voltage comes back or the device has moved.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from pandapower.build_branch import _calc_branch_values_from_trafo_df
from pandapower.pypower.idx_brch import (
    BR_B,
    BR_B_ASYM,
    BR_G,
    BR_G_ASYM,
    BR_R,
    BR_STATUS,
    BR_X,
    SHIFT,
    TAP,
    branch_cols,
)

from cosim.core.types import Bools, Floats, Ints
from grids.build import Model, internal_arrays, two_ports
from grids.elements import bus_rows
from grids.kernels.powerflow import outside
from grids.numbers import Complexes

CLOCK_S = 1e-9
"""Rounding of the clocks: steps of 0.1 s add up to a delay of 30 s."""


@dataclass(frozen=True)
class Move:
    """One step of a tap changer or shunt bank."""

    table: str
    row: int
    position: float


def _column(frame: Any, name: str, default: float) -> Floats:
    if name not in frame:
        return np.full(len(frame), default)
    values = frame[name].to_numpy(dtype=float)
    return np.where(np.isfinite(values), values, default)


class Regulator:
    """The clocks of devices that each watch one voltage.

    `up[k]` is the direction of the position that raises the watched voltage: +1 or -1.
    """

    def __init__(self, table: str, rows: Ints, watch_row: Ints, low: Floats, high: Floats) -> None:
        self.table: tuple[str, ...] = (table,) * rows.size
        self.rows = rows
        self.watch_row = watch_row
        self.low_pu = low
        self.high_pu = high
        self.delay_s: Floats = np.zeros(rows.size)
        self.up: Floats = np.ones(rows.size)
        self.least: Floats = np.zeros(rows.size)
        self.most: Floats = np.zeros(rows.size)
        self.start: Floats = np.zeros(rows.size)

    def joined(self, other: "Regulator") -> "Regulator":
        """Return all devices of both."""
        made = Regulator("", self.rows, self.watch_row, self.low_pu, self.high_pu)
        made.table = (*self.table, *other.table)
        for name in ("rows", "watch_row", "low_pu", "high_pu", "delay_s", "up", "least", "most", "start"):
            setattr(made, name, np.concatenate([getattr(self, name), getattr(other, name)]))
        made.reset()
        return made

    def reset(self) -> None:
        """Return to the positions of the operating point, all clocks at zero."""
        self.position: Floats = self.start.copy()
        self.clock_s: Floats = np.zeros(self.rows.size)
        self._idle = True

    def attach(self, row_bus: Ints, acting: Bools) -> None:
        """Take a topology: what is out of service or watches a dead bus does nothing.

        Parameters
        ----------
        row_bus
            Bus of each row of `net.bus`, -1 where dead.
        acting
            Which devices are in service, shape (devices,).
        """
        bus = np.where(acting, row_bus[self.watch_row], -1)
        self._at = np.maximum(bus, 0)
        self._low = np.where(bus >= 0, self.low_pu, -np.inf)
        self._high = np.where(bus >= 0, self.high_pu, np.inf)

    def watch(self, vm_pu: Floats, dt_s: float) -> None:
        """Let the clocks run over one interval with the bus voltages it ends with."""
        idle = not outside(vm_pu, self._at, self._low, self._high)
        if idle and self._idle:
            return
        self._idle = idle
        self.clock_s = np.where(self._wanted(vm_pu) != 0, self.clock_s + dt_s, 0.0)

    def act(self, vm_pu: Floats) -> list[Move]:
        """Move every device whose clock has run out by one step towards its band."""
        if self._idle:
            return []
        wanted = self._wanted(vm_pu)
        self.clock_s[wanted == 0] = 0.0
        target = self.position + wanted * self.up
        free = (target >= self.least) & (target <= self.most)
        self.clock_s = np.where(free, self.clock_s, np.minimum(self.clock_s, self.delay_s))
        ran_out = self.clock_s >= np.maximum(self.delay_s, CLOCK_S) - CLOCK_S
        due = np.flatnonzero((wanted != 0) & free & ran_out)
        # a device without delay moves once per exchange
        self.clock_s[due] = np.where(self.delay_s[due] > 0.0, self.clock_s[due] - self.delay_s[due], 0.0)
        self.position[due] = target[due]
        return [Move(self.table[k], int(self.rows[k]), float(target[k])) for k in due]

    def _wanted(self, vm_pu: Floats) -> Ints:
        """Return +1 where the voltage must rise, -1 where it must fall, 0 within the band."""
        vm = vm_pu[self._at]
        return np.subtract(vm < self._low, vm > self._high, dtype=np.int64)


def tap_regulator(net: Any) -> Regulator:
    """Return the transformers with `tap_control`: they keep `vm_set_pu` within `vm_deadband_pu` each way."""
    trafo = net.trafo
    control = trafo["tap_control"].fillna("").astype(str) if "tap_control" in trafo else None
    chosen = np.zeros(len(trafo), dtype=bool) if control is None else control.isin(["hv", "lv"]).to_numpy()
    has_tap = np.isfinite(_column(trafo, "tap_pos", np.nan))
    chosen &= has_tap & (_column(trafo, "tap_step_percent", 0.0) != 0.0)
    rows = np.flatnonzero(chosen)
    own = trafo.iloc[rows]
    side = np.array([""] * 0) if control is None else control.to_numpy()[rows]
    buses = np.where(side == "hv", own["hv_bus"], own["lv_bus"])
    target, half = _column(own, "vm_set_pu", 1.0), _column(own, "vm_deadband_pu", 0.02)
    made = Regulator("trafo", rows, bus_rows(net, buses), target - half, target + half)
    made.delay_s = _column(own, "delay_s", 30.0)
    # a longer winding on one side raises the voltage there and lowers it on the other
    same = own["tap_side"].to_numpy() == side
    made.up = np.where(same, 1.0, -1.0) * np.sign(_column(own, "tap_step_percent", 0.0))
    made.least, made.most = _column(own, "tap_min", -np.inf), _column(own, "tap_max", np.inf)
    made.start = _column(own, "tap_pos", 0.0)
    return made


def shunt_regulator(net: Any) -> Regulator:
    """Return the shunts with `control: voltage`: they switch steps to stay within low and high."""
    shunt = net.shunt
    control = shunt["control"].fillna("").astype(str) if "control" in shunt else None
    chosen = np.zeros(len(shunt), dtype=bool) if control is None else (control == "voltage").to_numpy()
    rows = np.flatnonzero(chosen)
    own = shunt.iloc[rows]
    low, high = _column(own, "vm_low_pu", -np.inf), _column(own, "vm_high_pu", np.inf)
    made = Regulator("shunt", rows, bus_rows(net, own["bus"]), low, high)
    made.delay_s = _column(own, "delay_s", 30.0)
    made.up = np.where(_column(own, "q_mvar", 0.0) > 0.0, -1.0, 1.0)  # a reactor lowers, a capacitor raises
    made.most = _column(own, "max_step", 1.0)
    made.start = _column(own, "step", 0.0)
    return made


class TapTable:
    """Two-port admittances of transformers by tap position, computed by pandapower once each."""

    def __init__(self, net: Any) -> None:
        self._net = copy.deepcopy(net)
        self._ppc: Any = None
        self._known: dict[tuple[int, float], Complexes] = {}

    def two_port(self, row: int, position: float) -> Complexes:
        """Return `yff, yft, ytf, ytt` of a transformer at a tap position."""
        key = (row, position)
        if key not in self._known:
            self._known[key] = self._compute(row, position)
        return self._known[key]

    def _compute(self, row: int, position: float) -> Complexes:
        net = self._net
        if self._ppc is None:
            self._ppc, _ = internal_arrays(net)
        frame = net.trafo.iloc[[row]].copy()
        frame["tap_pos"] = position
        values = _calc_branch_values_from_trafo_df(net, self._ppc, frame)
        branch = np.zeros((1, branch_cols), dtype=np.complex128)
        places = (BR_R, BR_X, BR_G, BR_B, BR_G_ASYM, BR_B_ASYM, TAP, SHIFT)
        for place, value in zip(places, values, strict=True):
            branch[:, place] = value
        branch[:, BR_STATUS] = 1.0
        return np.asarray(two_ports(branch)[0], dtype=np.complex128)


def apply_tap(net: Any, model: Model, table: TapTable, move: Move) -> None:
    """Write a moved tap into the net and, where the transformer is in service, into the model."""
    net.trafo.iloc[move.row, net.trafo.columns.get_loc("tap_pos")] = move.position
    branch = model.rows["trafo"][move.row]
    if branch < model.branch_from.size:
        model.branch_y[branch] = table.two_port(move.row, move.position)


def apply_shunt(net: Any, model: Model, move: Move) -> None:
    """Write a switched shunt into the net and, where its bus is energised, into the model."""
    shunt = net.shunt
    before = float(shunt["step"].iloc[move.row])
    shunt.iloc[move.row, shunt.columns.get_loc("step")] = int(move.position)
    own = shunt.iloc[move.row]
    bus = model.row_bus[bus_rows(net, [own["bus"]])[0]]
    if bus < 0 or not bool(own["in_service"]):
        return
    ratio = (model.vn_kv[bus] / float(own["vn_kv"])) ** 2
    step_mva = (float(own["p_mw"]) - 1j * float(own["q_mvar"])) * ratio
    model.bus_y[bus] += step_mva * (move.position - before) / model.base_mva
