"""Batteries at their AC terminals: follow an order, or keep a site's ramp within a limit."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, DeviceOffer, DroopOffer, Link, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.flexibility import Activate, Flexibility
from cosim.core.params import Params, column
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Floats
from datacenters.ageing import VALID_CHARGE_PER_H, VALID_DEGC, VALID_DISCHARGE_PER_H, LfpAgeing
from datacenters.battery_flexibility import Cells, battery_range, cells_mw
from datacenters.converter import Converter
from datacenters.kernels import battery as kernel
from datacenters.orders import Order, Orders

ENERGIES = [kernel.E_MIN, kernel.E_MAX, kernel.E_TARGET]
"""Kernel parameters that shrink with the capacity."""


class BatteryParams(Params):
    """Nameplate and task of one battery, at its AC terminals."""

    mode: Literal["follow_order", "ramp_smoothing"] = Field(
        default="follow_order", description="do what p_order_mw says, or smooth the units it names"
    )
    smooths: tuple[str, ...] = Field(default=(), description="units whose power together is smoothed")
    ramp_limit_mw_per_min: float | None = Field(
        default=None, gt=0, description="fastest change of site and battery together (ramp_smoothing)"
    )
    return_h: float = Field(
        default=1.0, gt=0, le=168, description="time constant of bringing the charge back (ramp_smoothing)"
    )
    p_rated_mw: float = Field(gt=0, description="largest charging or discharging power of the converter")
    e_rated_mwh: float = Field(gt=0, description="usable energy between 0 and 1 soc_pu")
    eta_charge_pu: float = Field(
        default=0.94, gt=0, le=1, description="terminals to cells; 0.85-0.90 round trip (unconfirmed)"
    )
    eta_discharge_pu: float = Field(
        default=0.94, gt=0, le=1, description="cells to terminals; 0.85-0.90 round trip (unconfirmed)"
    )
    soc_initial_pu: float = Field(default=0.5, ge=0, le=1, description="charge at the start")
    soc_min_pu: float = Field(default=0.05, ge=0, lt=1, description="charge it stops discharging at")
    soc_max_pu: float = Field(default=0.95, gt=0, le=1, description="charge it stops charging at")
    soc_target_pu: float | None = Field(
        default=None, ge=0, le=1, description="charge smoothing returns to; by default the initial one"
    )
    standby_pu: float = Field(
        default=0.002, ge=0, lt=0.1, description="controls and air conditioning, always drawn, of rated power"
    )
    s_rated_mva: float | None = Field(
        default=None, gt=0, description="converter rating, active power first; by default 1.1 p_rated_mw"
    )
    ramp_pu_per_s: float = Field(
        default=10.0, gt=0, description="fastest change of converter power, of rated (unconfirmed)"
    )
    droop_mw_per_hz: float = Field(default=0.0, ge=0, description="fast frequency response; 0 offers none")
    droop_deadband_hz: float = Field(default=0.033, ge=0, description="no response within it")
    droop_time_constant_s: float = Field(default=0.2, gt=0, description="lag of the response")
    ageing: bool = Field(
        default=False, description="cells lose capacity with time and use (lithium iron phosphate)"
    )
    lost_calendar_pu: float = Field(
        default=0.0, ge=0, lt=0.5, description="capacity already lost with time, of e_rated_mwh (ageing)"
    )
    lost_cycle_pu: float = Field(
        default=0.0, ge=0, lt=0.5, description="capacity already lost with use, of e_rated_mwh (ageing)"
    )
    converter: Converter | None = Field(
        default=None, description="what stands for it where the grid integrates dynamic models"
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        findings: list[str] = []
        if not self.soc_min_pu <= self.soc_initial_pu <= self.soc_max_pu:
            findings.append(
                f"soc_initial_pu={self.soc_initial_pu:g} is not between soc_min_pu={self.soc_min_pu:g} "
                f"and soc_max_pu={self.soc_max_pu:g}"
            )
        if self.soc_min_pu >= self.soc_max_pu:
            findings.append(f"soc_min_pu={self.soc_min_pu:g} is not below soc_max_pu={self.soc_max_pu:g}")
        if not self.soc_min_pu <= self.target_pu() <= self.soc_max_pu:
            findings.append(f"soc_target_pu={self.target_pu():g} is outside soc_min_pu and soc_max_pu")
        if self.rated_mva() < self.p_rated_mw:
            findings.append(f"s_rated_mva={self.rated_mva():g} is less than p_rated_mw={self.p_rated_mw:g}")
        if self.mode == "ramp_smoothing" and (self.ramp_limit_mw_per_min is None or not self.smooths):
            findings.append("mode ramp_smoothing needs smooths (unit names) and ramp_limit_mw_per_min")
        if self.mode == "follow_order" and self.smooths:
            findings.append("smooths is given, but mode is follow_order: set mode: ramp_smoothing")
        if not self.ageing and self.soh_pu() < 1.0:
            findings.append("lost_calendar_pu and lost_cycle_pu need ageing: true")
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def soh_pu(self) -> float:
        """Return the capacity at the start over that of new cells."""
        return 1.0 - self.lost_calendar_pu - self.lost_cycle_pu

    def target_pu(self) -> float:
        """Return the charge that smoothing returns to."""
        return self.soc_initial_pu if self.soc_target_pu is None else self.soc_target_pu

    def rated_mva(self) -> float:
        """Return the converter's rating."""
        return 1.1 * self.p_rated_mw if self.s_rated_mva is None else self.s_rated_mva

    def usable_mwh(self) -> float:
        """Return what the terminals can give from soc_max_pu down to soc_min_pu."""
        return self.e_rated_mwh * self.soh_pu() * (self.soc_max_pu - self.soc_min_pu) * self.eta_discharge_pu


def kernel_parameters(p: BatteryParams) -> Floats:
    """Return the battery's row of kernel parameters, in the kernel's order."""
    row = [
        p.p_rated_mw, p.eta_charge_pu, p.eta_discharge_pu,
        p.soc_min_pu * p.e_rated_mwh, p.soc_max_pu * p.e_rated_mwh, p.target_pu() * p.e_rated_mwh,
        p.standby_pu * p.p_rated_mw, p.rated_mva(), p.ramp_pu_per_s * p.p_rated_mw,
        float(p.mode == "ramp_smoothing"), (p.ramp_limit_mw_per_min or 0.0) / 60.0, p.return_h,
        p.droop_mw_per_hz,
    ]  # fmt: skip
    return np.array(row)


def _offers(p: BatteryParams) -> tuple[DroopOffer | DeviceOffer, ...]:
    droop = DroopOffer(p.droop_deadband_hz, p.droop_time_constant_s)
    offers: tuple[DroopOffer | DeviceOffer, ...] = (droop,) if p.droop_mw_per_hz > 0.0 else ()
    if p.converter is None:
        return offers
    rated = (p.rated_mva(), p.droop_mw_per_hz, p.droop_deadband_hz, p.droop_time_constant_s)
    return (*offers, p.converter.offer(*rated))


class Battery:
    """Batteries that hold their power over a step, within rating, ramp and charge.

    `p_mw` is what is drawn by schedule; what the grid takes from the droop offer it adds itself and
    reports as `p_droop_mw` one exchange later, when it is booked: clipped to what was offered, over the
    length of the exchange it was delivered in. Standby power comes on top of the order. The first step
    is the scheduled state: no ramp limit applies to it. At 0 pu, on an island without source, it exchanges
    nothing and keeps its charge.
    """

    params_type: ClassVar[type[Params]] = BatteryParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("p_order_mw", "wanted converter power, > 0 charges (follow_order)", 0.0),
        Port("p_site_mw", "power of the units it smooths (ramp_smoothing)", 0.0),
        Port("p_droop_mw", "mean droop the grid took in the last exchange, > 0 consumed more", 0.0),
        Port("q_order_mvar", "wanted reactive power", 0.0),
        Port("vm_pu", "voltage at the connection point: at 0 the converter is blocked", 1.0),
        Port("p_drawn_mw", "what its model drew at the end of the last exchange; nan: it has none", np.nan),
        Port("f_hz", "frequency: has no effect here, the grid acts on the droop offer", 50.0),
        Port("temp_cell_degc", "temperature of the cells (ageing)", 25.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn by schedule with standby, without droop; held over the step"),
        Port("q_mvar", "reactive power drawn: the order, as far as the rating allows beside p"),
        Port("p_cells_mw", "power into the cells, with the droop booked"),
        Port("loss_mw", "converter, cell and standby losses: drawn and booked, less into cells"),
        Port("e_stored_mwh", "energy in the cells, at the end"),
        Port("soc_pu", "energy over what the cells hold at their age, at the end"),
        Port("p_droop_booked_mw", "droop delivered in the last exchange, spread over this one"),
        Port("p_unmet_mw", "converter power wanted and not delivered: rating, ramp or charge"),
        Port("p_together_mw", "site and battery together, without droop"),
        Port("droop_mw_per_hz", "droop offered for this exchange"),
        Port("droop_up_mw", "how much more the grid may make it consume"),
        Port("droop_down_mw", "how much less"),
        Port("soh_pu", "what the cells hold over e_rated_mwh, at the end"),
        Port("lost_calendar_pu", "capacity lost with time, of e_rated_mwh"),
        Port("lost_cycle_pu", "capacity lost with use, of e_rated_mwh"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"order": Order, "activate": Activate}
    links: ClassVar[tuple[Link, ...]] = (Link("smooths", takes={"p_mw": "p_site_mw"}),)
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("energy", ("p_mw", "p_droop_booked_mw"), ("loss_mw",), "e_stored_mwh"),
    )

    def __init__(self, params: Sequence[BatteryParams]) -> None:
        self._of = tuple(params)
        self._params = np.array([kernel_parameters(p) for p in params]).reshape(-1, kernel.N_PARAMS)
        self._rated_mwh = column(params, "e_rated_mwh")
        self._limits_mwh = self._params[:, ENERGIES].copy()
        self._ages = np.array([p.ageing for p in params], dtype=bool)
        self._first = np.zeros((len(params), kernel.N_STATES))
        self._first[:, kernel.ENERGY] = [p.soc_initial_pu * p.e_rated_mwh * p.soh_pu() for p in params]
        self._inputs = np.empty((kernel.N_INPUTS, len(params)))
        self._places = places_of([port.name for port in self.outputs])
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Return to the initial charge; nothing has been ordered and no droop offered yet."""
        self._context, self._orders = context, Orders(len(self._of))
        self._promises = Activations(len(self._of))
        self._state = self._first.copy()
        self._dt_last_s = 0.0
        self._longest_s = 0.0
        self._lost_pu = np.array([column(self._of, f"lost_{by}_pu") for by in ("calendar", "cycle")])
        self._params[:, ENERGIES] = self._limits_mwh * (1.0 - self._lost_pu.sum(axis=0))[:, None]
        ages = self._ages
        calendar_pu, cycle_pu = self._lost_pu[:, ages]
        self._ageing = LfpAgeing(calendar_pu, cycle_pu, column(self._of, "soc_initial_pu")[ages])
        self._outside = np.zeros(int(ages.sum()), dtype=bool)

    def refusal(self, unit: int, command: Order | Activate) -> str | None:
        """Return why a battery can never follow an order for power: it smooths, or None."""
        if self._of[unit].mode == "follow_order" or command.p_mw == 0.0:
            return None
        return f"{self._name(unit)}: mode is ramp_smoothing, p_mw = {command.p_mw:g} needs mode: follow_order"

    def unfit(self, longest_s: float) -> list[str]:
        """Return the batteries that cannot give their rated power for one step from full, and why."""
        return [
            f"{self._name(i)}: e_rated_mwh={p.e_rated_mwh:g} cannot feed p_rated_mw={p.p_rated_mw:g} "
            f"for one step of {longest_s:g} s: {p.usable_mwh():.3g} MWh are usable between soc_max_pu and "
            f"soc_min_pu, {p.p_rated_mw * longest_s / 3600.0:.3g} are needed"
            for i, p in enumerate(self._of)
            if p.usable_mwh() * 3600.0 < p.p_rated_mw * longest_s
        ]

    def command(self, t_s: float, unit: int, name: str, command: Order | Activate) -> None:
        """Hold another power from `t_s` on, or for a time. Raises ScenarioError where the battery smooths."""
        del name
        text = self.refusal(unit, command)
        if text is not None:
            raise ScenarioError(text)
        if isinstance(command, Activate):
            self._promises.give(unit, command)
            return
        self._orders.give(t_s, unit, self._name(unit), command, self._context.emit)

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return how far each battery can be moved for a horizon; one that smooths cannot.

        Nothing is kept back for the droop it offers.
        """
        del t_s
        par, energy_mwh, ages = self._params, self._state[:, kernel.ENERGY], self._ages
        rated_mw = par[:, kernel.RATED_MW]
        p_mw = np.clip(inputs["p_order_mw"] + self._orders.p_mw, -rated_mw, rated_mw)
        able = (par[:, kernel.SMOOTHS] == 0.0) & (np.asarray(inputs["vm_pu"]) > 0.0) & ~self._promises.busy
        found, low_mw, high_mw = battery_range(par, energy_mwh, p_mw, able, horizon_s)
        if not ages.any():
            return found
        held_pu = 1.0 - self._lost_pu[:, ages].sum(axis=0)
        held_mwh = self._rated_mwh[ages] * held_pu
        temp_degc = np.asarray(inputs["temp_cell_degc"])[ages]
        cells = Cells(energy_mwh[ages] / held_mwh, held_mwh, held_pu, temp_degc)
        lost = np.zeros((3, ages.size))
        for row, to_mw in enumerate((p_mw, low_mw, high_mw)):
            lost[row, ages] = cells.aged_pu(self._ageing, horizon_s, cells_mw(par, to_mw)[ages])
        return found.with_costs({"ageing_pu": lost[1] - lost[0]}, {"ageing_pu": lost[2] - lost[0]})

    def devices(self) -> tuple[tuple[DroopOffer | DeviceOffer, ...], ...]:
        """Return the static part of each battery's droop offer, and its converter's model."""
        return tuple(_offers(p) for p in self._of)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Book the last exchange's droop, then hold one power over `dt_s`.

        Raises ScenarioError when a battery cannot give its rated power for one step from full.
        """
        if dt_s > self._longest_s:
            collected(self.unfit(dt_s), ScenarioError)
            self._longest_s = dt_s
        for row, port in enumerate(self.inputs[: kernel.N_INPUTS]):
            self._inputs[row] = inputs[port.name]
        self._inputs[kernel.ORDER_MW] += self._orders.p_mw
        if self._promises.open:
            self._keep_promises(t_s, dt_s, inputs)
        self._inputs[kernel.ORDER_MVAR] += self._orders.q_mvar
        outputs = np.empty((len(self.outputs), len(self._of)))
        before_mwh = self._state[:, kernel.ENERGY].copy()
        kernel.advance_batteries(dt_s, self._dt_last_s, self._params, self._inputs, self._state, outputs)
        if self._ages.any():
            self._age(t_s, dt_s, before_mwh, np.asarray(inputs["temp_cell_degc"])[self._ages], outputs)
        soh_pu = 1.0 - self._lost_pu.sum(axis=0)
        outputs[kernel.SOC] = outputs[kernel.STORED_MWH] / (self._rated_mwh * soh_pu)
        outputs[kernel.N_OUTPUTS], outputs[kernel.N_OUTPUTS + 1 :] = soh_pu, self._lost_pu
        self._dt_last_s = dt_s
        return Shelf(self._places, outputs)

    def _keep_promises(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> None:
        """Answer what is asked for, and add what is promised to the orders."""
        if self._dt_last_s > 0.0:
            self._promises.accept(self, self._context, t_s, inputs)
        order_mw, rated_mw = self._inputs[kernel.ORDER_MW], self._params[:, kernel.RATED_MW]
        self._inputs[kernel.ORDER_MW] = np.clip(order_mw, -rated_mw, rated_mw)
        self._inputs[kernel.ORDER_MW] += self._promises.change_mw(t_s, dt_s)

    def _age(self, t_s: float, dt_s: float, before_mwh: Floats, temp_degc: Floats, outputs: Floats) -> None:
        """Lose capacity over the step, and with it the charge that it held: a loss of the cells."""
        ages, hours = self._ages, dt_s / kernel.S_PER_H
        held_pu = 1.0 - self._lost_pu[:, ages].sum(axis=0)
        held_mwh = self._rated_mwh[ages] * held_pu
        after_mwh = self._state[ages, kernel.ENERGY]
        before_pu, after_pu = before_mwh[ages] / held_mwh, after_mwh / held_mwh
        self._lost_pu[:, ages] = self._ageing.advance(dt_s, before_pu, after_pu, temp_degc, held_pu)
        left_pu = 1.0 - self._lost_pu[:, ages].sum(axis=0)
        for row, limit_mwh in zip(ENERGIES, self._limits_mwh[ages].T, strict=True):
            self._params[ages, row] = limit_mwh * left_pu
        left_mwh = after_pu * self._rated_mwh[ages] * left_pu
        self._state[ages, kernel.ENERGY] = outputs[kernel.STORED_MWH, ages] = left_mwh
        outputs[kernel.LOSS_MW, ages] += (after_mwh - left_mwh) / hours
        rate_per_h = (after_mwh - before_mwh[ages]) / self._rated_mwh[ages] / hours
        self._tell_extrapolation(t_s, rate_per_h, temp_degc)

    def _tell_extrapolation(self, t_s: float, rate_per_h: Floats, temp_degc: Floats) -> None:
        """Write one event for each battery when it first leaves the range the ageing model is fitted on."""
        cold_or_hot = (temp_degc < VALID_DEGC[0]) | (temp_degc > VALID_DEGC[1])
        fast = (rate_per_h > VALID_CHARGE_PER_H) | (-rate_per_h > VALID_DISCHARGE_PER_H)
        leaves = (cold_or_hot | fast) & ~self._outside
        self._outside |= leaves
        for k in np.flatnonzero(leaves):
            text = (
                f"cells at {temp_degc[k]:.1f} °C, {rate_per_h[k]:+.2f} of their capacity per hour: ageing is"
                f" fitted for {VALID_DEGC[0]:g} to {VALID_DEGC[1]:g} °C, up to {VALID_CHARGE_PER_H:g}"
                f" charging and {VALID_DISCHARGE_PER_H:g} discharging, and extrapolated beyond"
            )
            unit = int(np.flatnonzero(self._ages)[k])
            self._context.emit(t_s, self._name(unit), "ageing extrapolated", text)

    def _name(self, i: int) -> str:
        return self._context.names[i] if i < len(self._context.names) else f"battery {i}"
