"""Hydrogen plants: electrolyser, tank and fuel cell behind one connection."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, DeviceOffer, Port
from cosim.core.errors import ScenarioError
from cosim.core.flexibility import Activate, Flexibility
from cosim.core.params import Params, column
from cosim.core.types import Bools, Floats
from datacenters.converter import Converter
from datacenters.hydrogen_tank import LHV_MJ_PER_KG, Tank, pressure
from datacenters.orders import Order, Orders
from datacenters.rehearsal import Prospect, Rehearsal, Rehearsing, Trace
from datacenters.stack import Stack, Stacks

S_PER_H = 3600.0
NEARLY = 1.0 - 1e-9
"""A stack is promised not quite down to its lowest load: rounding must not switch it off."""

CONVERTER_MVA_PER_MW = 1.1
"""Rating of the converter over the stack's (unconfirmed)."""

ALKALINE: dict[str, Any] = {
    "min_load_pu": 0.15,
    "ramp_pu_per_s": 0.01,
    "cold_start_s": 3000.0,
    "warm_start_s": 60.0,
}
"""Where alkaline electrolysers differ. Lowest load and bound of the cold start: IRENA (published); the range
of ramps is 0.002 to 0.2 (unconfirmed)."""


class Electrolyser(Stack):
    """Electrolyser with its rectifier; defaults are those of proton exchange membranes."""

    technology: Literal["pem", "alkaline"] = Field(
        default="pem", description="whose numbers stand where none are given"
    )
    min_load_pu: float = Field(
        default=0.05, gt=0, lt=1, description="lowest load; smaller orders switch it off (IRENA, published)"
    )
    ramp_pu_per_s: float = Field(default=0.1, gt=0, description="0.1 to 1 while warm (unconfirmed)")
    cold_start_s: float = Field(
        default=600.0,
        ge=0,
        description="from cold to its lowest load: 300 to 600 (unconfirmed), below 1200 (IRENA, published)",
    )
    warm_start_s: float = Field(default=10.0, ge=0, description="from warm standby: below 10 (unconfirmed)")
    eta_lhv_pu: float = Field(
        default=0.62,
        gt=0,
        lt=1,
        description="hydrogen over power, auxiliaries not counted: 53.7 kWh/kg, of 52 to 55 (unconfirmed)",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_its_technology(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("technology") == "alkaline":
            return {**ALKALINE, **given}
        return given


class FuelCell(Stack):
    """Fuel cell with its inverter; proton exchange membranes."""

    min_load_pu: float = Field(default=0.1, gt=0, lt=1, description="lowest load (unconfirmed)")
    ramp_pu_per_s: float = Field(
        default=0.15, gt=0, description="0 to 100 % in 5 to 10 s while warm (unconfirmed)"
    )
    cold_start_s: float = Field(default=60.0, ge=0, description="30 to 120 (unconfirmed)")
    warm_start_s: float = Field(default=1.0, ge=0, description="from warm standby (unconfirmed)")
    eta_lhv_pu: float = Field(
        default=0.50,
        gt=0,
        lt=1,
        description="power over hydrogen, auxiliaries not counted: 0.45 to 0.55 (unconfirmed)",
    )


class HydrogenParams(Params):
    """One plant: a tank, and what fills and empties it."""

    tank: Tank = Field(description="where the hydrogen is")
    electrolyser: Electrolyser | None = Field(default=None, description="makes hydrogen from power")
    fuel_cell: FuelCell | None = Field(default=None, description="makes power from hydrogen")
    converter: Converter | None = Field(
        default=None, description="what stands for it where the grid integrates dynamic models: following"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        findings: list[str] = []
        if self.electrolyser is None and self.fuel_cell is None:
            findings.append("a plant needs an electrolyser, a fuel_cell, or both")
        if self.converter is not None and self.converter.control != "following":
            findings.append(
                f"converter.control={self.converter.control!r}: stacks follow the grid's voltage"
                " (allowed: following); a battery can form it"
            )
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def offer(self) -> DeviceOffer | None:
        """Return the device of the plant: it draws and gives what the stacks do, and does not droop."""
        if self.converter is None:
            return None
        stacks = [stack for stack in (self.electrolyser, self.fuel_cell) if stack is not None]
        rated_mva = CONVERTER_MVA_PER_MW * max(stack.p_rated_mw for stack in stacks)
        return replace(self.converter.offer(rated_mva, 0.0, 0.0, 0.1), reports={})


class Side:
    """The electrolysers of all plants, or their fuel cells.

    Parameters
    ----------
    params : one of each plant, or None. stand_in : what stands, at rest, where there is none.
    h2_per_power : LHV of the hydrogen over the power of each.
    """

    def __init__(
        self, params: Sequence[Stack | None], stand_in: Stack, h2_per_power: Sequence[float]
    ) -> None:
        some = [p or stand_in for p in params]
        self._present = np.array([p is not None for p in params], dtype=bool)
        self._rated_mw, self._least_pu = column(some, "p_rated_mw"), column(some, "min_load_pu")
        self._help_mw = column(some, "auxiliary_pu") * self._rated_mw * self._present
        self._ramp_mw_per_s = column(some, "ramp_pu_per_s") * self._rated_mw
        self._h2_mw = self._rated_mw * np.array(h2_per_power)
        self.stacks = Stacks(some)

    @property
    def rated_mw(self) -> Floats:
        """Full load, 0 where there is none."""
        return np.where(self._present, self._rated_mw, 0.0)

    @property
    def least_mw(self) -> Floats:
        """Lowest load."""
        return self._least_pu * self._rated_mw

    def prospect(self, now_mw: Floats, least_mw: Floats, most_mw: Floats) -> Prospect:
        """Return what may be tried between two changes, from a power of this side."""
        delay_s = self.stacks.delay_s()
        able = np.isfinite(delay_s) & self._present & (most_mw >= least_mw)
        return Prospect(
            np.where(able, most_mw, 0.0),
            self._ramp_mw_per_s,
            np.where(now_mw > 0.0, 0.0, np.where(able, delay_s, 0.0)),
            np.where(able, least_mw, 0.0),
        )

    def advance(
        self, order_mw: Floats, live: Bools, most_kg: Floats, dt_s: float
    ) -> tuple[Floats, Floats, Floats]:
        """Follow orders as far as the tank allows.

        Returns
        -------
        Power [MW], hydrogen [kg], and power of the auxiliaries [MW]: means over the step, but the mass.
        """
        full_kg = self._h2_mw * dt_s / LHV_MJ_PER_KG
        allowed = self._present & (most_kg >= self._least_pu * full_kg)
        asked_pu = np.where(allowed, np.clip(order_mw / self._rated_mw, 0.0, 1.0), 0.0)
        load_pu, helped = self.stacks.advance(asked_pu, live, dt_s)
        stopped = load_pu * full_kg > most_kg
        self.stacks.trip(stopped)
        kg = np.where(stopped, np.maximum(most_kg, 0.0), load_pu * full_kg)
        load_pu = np.where(stopped, kg / full_kg, load_pu)
        return load_pu * self._rated_mw, kg, helped * self._help_mw


class Hydrogen(Rehearsing):
    r"""Hydrogen plants that follow an order: above 0 the electrolyser draws, below 0 the fuel cell gives.

    Hydrogen is counted with its lower heating value. The electrolyser makes :math:`\eta_e p`, the fuel cell
    uses :math:`p/\eta_f`; auxiliaries come on top at the terminals. Within a step deliveries and the fuel
    cell come first, then what others take, then the electrolyser: so nothing passes a pressure limit. A stack
    that the tank stops within a step has made or used what fitted, and is off; it starts again when a step at
    its lowest load fits. Converters work at unity power factor. At 0 pu both stacks are off at once.

    With a `converter`, in a grid that integrates dynamic models, the power drawn is that of a converter which
    follows `p_mw` and the voltage; what it cannot deliver in a dip is not booked here.
    """

    params_type: ClassVar[type[Params]] = HydrogenParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("p_order_mw", "wanted power of the stacks, > 0 makes hydrogen, < 0 uses it", 0.0),
        Port("h2_delivered_kg_per_s", "hydrogen brought by others", 0.0),
        Port("h2_taken_kg_per_s", "hydrogen wanted by others", 0.0),
        Port("vm_pu", "voltage at the connection point: at 0 the stacks are off", 1.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn, with auxiliaries, mean over the step"),
        Port("q_mvar", "reactive power drawn: none"),
        Port("p_electrolyser_mw", "drawn by the electrolyser"),
        Port("p_fuel_cell_mw", "given by the fuel cell"),
        Port("p_auxiliary_mw", "drawn by the auxiliaries of both"),
        Port("p_unmet_mw", "order less what the stacks drew and gave"),
        Port("p_h2_made_mw", "hydrogen made, lower heating value"),
        Port("p_h2_used_mw", "hydrogen used"),
        Port("p_h2_in_mw", "hydrogen brought by others, as far as it fitted"),
        Port("p_h2_out_mw", "hydrogen taken by others, as far as there was any"),
        Port("heat_mw", "heat of stacks, converters and auxiliaries"),
        Port("e_h2_mwh", "hydrogen in the tank, down to vacuum, at the end"),
        Port("h2_kg", "its mass"),
        Port("h2_bar", "its absolute pressure"),
        Port("soc_pu", "mass between the pressure limits, at the end"),
        Port("electrolyser_code", "0 cold, 1 starting, 2 producing, 3 warm; at the end"),
        Port("fuel_cell_code", "0 cold, 1 starting, 2 producing, 3 warm; at the end"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"order": Order, "activate": Activate}
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("energy", ("p_mw", "p_h2_in_mw"), ("heat_mw", "p_h2_out_mw"), "e_h2_mwh"),
        Balance("hydrogen", ("p_h2_made_mw", "p_h2_in_mw"), ("p_h2_used_mw", "p_h2_out_mw"), "e_h2_mwh"),
    )

    def __init__(self, params: Sequence[HydrogenParams]) -> None:
        tanks = [p.tank for p in params]
        self._offers = tuple(p.offer() for p in params)
        self._temp_degc, self._volume_m3 = column(tanks, "temp_degc"), column(tanks, "volume_m3")
        self._least_kg = np.array([t.holds_kg(t.p_min_bar) for t in tanks])
        self._most_kg = np.array([t.holds_kg(t.p_max_bar) for t in tanks])
        self._first_kg = np.array([t.holds_kg(t.initial_bar()) for t in tanks])
        self._make_eta = np.array([p.electrolyser.eta_lhv_pu if p.electrolyser else 1.0 for p in params])
        self._use_eta = np.array([p.fuel_cell.eta_lhv_pu if p.fuel_cell else 1.0 for p in params])
        makers, users = [p.electrolyser for p in params], [p.fuel_cell for p in params]
        self._makers = Side(makers, Electrolyser(p_rated_mw=1.0), list(self._make_eta))
        self._users = Side(users, FuelCell(p_rated_mw=1.0), list(1.0 / self._use_eta))
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Return to the initial pressure and to standby, without orders."""
        self._context, self._orders = context, Orders(len(self._volume_m3))
        self._promises, self._begun = Activations(len(self._volume_m3)), False
        self._kg = self._first_kg.copy()
        self._makers.stacks.reset()
        self._users.stacks.reset()

    def devices(self) -> tuple[DeviceOffer | None, ...]:
        """Return what stands for each plant in a grid that integrates dynamic models."""
        return self._offers

    def refusal(self, unit: int, command: Order | Activate) -> str | None:
        """Return why an order can never be followed, or None: converters work at unity power factor."""
        if isinstance(command, Activate) or command.q_mvar == 0.0:
            return None
        return f"{self._name(unit)}: q_mvar = {command.q_mvar:g}, but converters work at unity power factor"

    def command(self, t_s: float, unit: int, name: str, command: Order | Activate) -> None:
        """Make or use hydrogen at another power from `t_s` on. Raises ScenarioError for reactive power."""
        del name
        if isinstance(command, Activate):
            self._promises.give(unit, command)
            return
        text = self.refusal(unit, command)
        if text is not None:
            raise ScenarioError(text)
        self._orders.give(t_s, unit, self._name(unit), command, self._context.emit)

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return how far each plant can be moved, found by rehearsal.

        One stack gives one way: it is not switched off for a promise, and none is promised while it is cold.
        """
        order_mw = self._obeyed(inputs["p_order_mw"] + self._orders.p_mw)
        making_mw, using_mw = np.maximum(order_mw, 0.0), np.maximum(-order_mw, 0.0)
        free = ~self._promises.busy & (np.asarray(inputs["vm_pu"]) > 0.0)

        def one_way(more: Side, less: Side, gives_mw: Floats, takes_mw: Floats) -> Prospect:
            starts = (gives_mw == 0.0) & (takes_mw == 0.0)
            rises = more.prospect(
                gives_mw,
                np.where(starts, more.least_mw, 0.0),
                np.where(free & (takes_mw == 0.0), more.rated_mw - gives_mw, 0.0),
            )
            falls = less.prospect(
                takes_mw, np.zeros_like(takes_mw), np.where(free, NEARLY * takes_mw - less.least_mw, 0.0)
            )
            return rises.where(takes_mw == 0.0, falls)

        down = one_way(self._users, self._makers, using_mw, making_mw)
        up = one_way(self._makers, self._users, making_mw, using_mw)
        return Rehearsal(self, t_s, horizon_s, inputs, hydrogen_used).range(down, up)

    def _obeyed(self, order_mw: Floats) -> Floats:
        """Return orders as far as stacks can ever follow them: within rating, none below the lowest load."""
        order_mw = np.clip(order_mw, -self._users.rated_mw, self._makers.rated_mw)
        runs = (order_mw >= self._makers.least_mw) | (order_mw <= -self._users.least_mw)
        return np.where(runs, order_mw, 0.0)

    def _with_promises(
        self, order_mw: Floats, t_s: float, dt_s: float, inputs: Mapping[str, Floats]
    ) -> Floats:
        """Return the orders with what is promised; a stack that has to start for it does so beforehand."""
        if self._begun:
            self._promises.accept(self, self._context, t_s, inputs)
        way = self._promises.way(t_s)
        order_mw = self._obeyed(order_mw)
        wanted_mw = order_mw + self._promises.change_mw(t_s, dt_s)
        starts = order_mw == 0.0
        wanted_mw = np.where(starts & (way > 0.0), np.maximum(wanted_mw, self._makers.least_mw), wanted_mw)
        return np.where(starts & (way < 0.0), np.minimum(wanted_mw, -self._users.least_mw), wanted_mw)

    def _name(self, i: int) -> str:
        return self._context.names[i] if i < len(self._context.names) else f"hydrogen {i}"

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Follow the orders over `dt_s`, within the tanks' pressures."""
        order_mw, live = inputs["p_order_mw"] + self._orders.p_mw, np.asarray(inputs["vm_pu"]) > 0.0
        if self._promises.open:
            order_mw = self._with_promises(order_mw, t_s, dt_s, inputs)
        self._begun = True
        brought_kg = np.minimum(inputs["h2_delivered_kg_per_s"] * dt_s, self._most_kg - self._kg)
        spare_kg = self._kg + brought_kg - self._least_kg
        given_mw, used_kg, use_help_mw = self._users.advance(-order_mw, live, spare_kg, dt_s)
        taken_kg = np.minimum(inputs["h2_taken_kg_per_s"] * dt_s, np.maximum(spare_kg - used_kg, 0.0))
        room_kg = self._most_kg - (self._kg + brought_kg - used_kg - taken_kg)
        drawn_mw, made_kg, make_help_mw = self._makers.advance(order_mw, live, room_kg, dt_s)
        self._kg = self._kg + brought_kg + made_kg - used_kg - taken_kg
        help_mw = make_help_mw + use_help_mw
        to_mw = LHV_MJ_PER_KG / dt_s
        return {
            "p_mw": drawn_mw - given_mw + help_mw,
            "q_mvar": np.zeros_like(help_mw),
            "p_electrolyser_mw": drawn_mw,
            "p_fuel_cell_mw": given_mw,
            "p_auxiliary_mw": help_mw,
            "p_unmet_mw": order_mw - (drawn_mw - given_mw),
            "p_h2_made_mw": made_kg * to_mw,
            "p_h2_used_mw": used_kg * to_mw,
            "p_h2_in_mw": brought_kg * to_mw,
            "p_h2_out_mw": taken_kg * to_mw,
            "heat_mw": drawn_mw * (1.0 - self._make_eta) + given_mw * (1.0 / self._use_eta - 1.0) + help_mw,
            "e_h2_mwh": self._kg * LHV_MJ_PER_KG / S_PER_H,
            "h2_kg": self._kg.copy(),
            "h2_bar": pressure(self._kg / self._volume_m3, self._temp_degc),
            "soc_pu": (self._kg - self._least_kg) / (self._most_kg - self._least_kg),
            "electrolyser_code": self._makers.stacks.state(),
            "fuel_cell_code": self._users.stacks.state(),
        }


def hydrogen_used(trial: Trace, base: Trace, dt_s: float) -> dict[str, Floats]:
    """Return the hydrogen a trial uses more, or makes less, than the baseline [kg]."""
    used_mw = [(run["p_h2_used_mw"] - run["p_h2_made_mw"]).sum(axis=0) for run in (trial, base)]
    return {"h2_kg": (used_mw[0] - used_mw[1]) * dt_s / LHV_MJ_PER_KG}
