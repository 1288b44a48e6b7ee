"""Diesel and gas gen-sets: how long they take to start, how much load they accept at once, what they burn."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, DeviceOffer, Port
from cosim.core.errors import ScenarioError
from cosim.core.flexibility import Activate, Flexibility
from cosim.core.params import Params, column
from cosim.core.types import Bools, Floats
from datacenters.engine import NO_MODEL
from datacenters.genset_params import GensetParams
from datacenters.load_steps import Climb
from datacenters.orders import Order, Orders
from datacenters.ramps import within_rating
from datacenters.rehearsal import Prospect, Rehearsal, Rehearsing, Trace

S_PER_H = 3600.0

STOPPED, STARTING, RUNNING, COOLING = range(4)


class Start(Params):
    """Event `start`: the engine starts, and is kept running."""


class Stop(Params):
    """Event `stop`: the load is dropped, the engine cools and stops."""


class Genset(Rehearsing):
    r"""Gen-sets that deliver what they are asked, as far as they run and accept it.

    Load acceptance: from load P at most the block :math:`b(P)` of `load_steps_pu` is taken at once. Then the
    ceiling rises by one block in `recovery_s`, evenly, and stays at most one block above the load. So a load
    that follows the ceiling climbs the blocks at their recovery times, whatever the step of the run. An order
    beyond the ceiling is refused in part, and `p_unmet_mw` says how much (mean over the step). Load falls at
    once. Fuel follows a Willans line, :math:`F = F_0 + sP`, exact for means.

    The first step is the scheduled state: with an order (`starts_by: order`), or `on_at_start`, the set runs
    at that order. At 0 pu its breaker is open: it delivers nothing, and goes on starting, or running without
    load. It follows the grid and forms none; speed and its dip are not in it.

    With an `engine`, in a grid that integrates dynamic models, it is a machine with governor, voltage
    regulator and synchroniser: the breaker closes once the engine is ready, the order is the governor's
    set-point, and the ceiling that of its torque. What it delivers is then that machine's, heard one exchange
    late; its reactive power is that of the voltage regulator.
    """

    params_type: ClassVar[type[Params]] = GensetParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("p_order_mw", "wanted power, > 0 delivers", 0.0),
        Port("q_order_mvar", "wanted reactive power, > 0 draws", 0.0),
        Port("vm_pu", "voltage at the connection point: at 0 the breaker is open", 1.0),
        Port("closed_code", "breaker of its machine: 0 open, 1 closed; below 0 no machine is run", NO_MODEL),
        Port("p_drawn_mw", "what its machine drew at the end of the last exchange", 0.0),
        Port("q_drawn_mvar", "reactive power it drew then", 0.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn, mean over the step: <= 0"),
        Port("q_mvar", "reactive power drawn, as far as the rating allows"),
        Port("p_delivered_mw", "power delivered, mean over the step"),
        Port("p_unmet_mw", "order less what was delivered; < 0 where the lowest load was above the order"),
        Port("p_accepted_mw", "largest load it accepts at once, at the end"),
        Port("p_fuel_mw", "fuel burnt, lower heating value"),
        Port("p_supply_mw", "fuel from the supply, where there is no tank"),
        Port("heat_mw", "heat to coolant, exhaust and air"),
        Port("e_tank_mwh", "fuel left, at the end"),
        Port("state_code", "0 stopped, 1 starting, 2 running, 3 cooling; at the end"),
        Port("breaker_code", "1 from when it is ready for load: the breaker of its machine shall be closed"),
        Port("p_setpoint_mw", "order as far as the engine accepts it: set-point of its governor"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {
        "start": Start,
        "stop": Stop,
        "order": Order,
        "activate": Activate,
    }
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("energy", ("p_fuel_mw",), ("p_delivered_mw", "heat_mw")),
        Balance("fuel", ("p_supply_mw",), ("p_fuel_mw",), "e_tank_mwh"),
    )

    def __init__(self, params: Sequence[GensetParams]) -> None:
        self._of = tuple(params)
        self._rated_mw, self._least_mw = column(params, "p_rated_mw"), column(params, "p_min_pu")
        self._least_mw = self._least_mw * self._rated_mw
        self._rated_mva = np.array([p.rated_mva() for p in params])
        self._start_s, self._cooling_s = column(params, "start_s"), column(params, "cooling_s")
        self._by_order = np.array([p.starts_by == "order" for p in params], dtype=bool)
        self._idle_mw = np.array([p.no_load_pu() for p in params]) * self._rated_mw
        self._slope = 1.0 / column(params, "eta_full_pu") - self._idle_mw / self._rated_mw
        self._tanked = np.array([p.tank_mwh is not None for p in params], dtype=bool)
        self._full_mwh = np.array([p.tank_mwh or 0.0 for p in params])
        self._climb = Climb([p.load_steps_pu for p in params], column(params, "recovery_s"))
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Return to the start: stopped or running, tanks full, without orders."""
        self._context, self._orders = context, Orders(len(self._of))
        self._promises = Activations(len(self._of))
        self._on = np.array([p.on_at_start for p in self._of], dtype=bool)
        self._first = True
        self._wait_s = np.where(self._on, 0.0, self._start_s)
        self._runs = self._on.copy()
        self._cool_s = self._cooling_s.copy()
        self._ceiling_pu = self._climb.block(np.zeros(len(self._of)))
        self._fuel_mwh = self._full_mwh.copy()

    def devices(self) -> tuple[DeviceOffer | None, ...]:
        """Return what stands for each set in a grid that integrates dynamic models."""
        return tuple(
            None if p.engine is None else p.engine.offer(p.p_rated_mw, p.rated_mva()) for p in self._of
        )

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why a unit never obeys a command: it starts and stops by its order."""
        if not self._by_order[unit] or isinstance(command, Order | Activate):
            return None
        text = "starts_by is order: it runs while p_order_mw is above 0; set starts_by: command"
        return f"{self._name(unit)}: {text}"

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Start or stop an engine at `t_s`, or give it an order.

        Raises ScenarioError where it is started or stopped and starts by its order.
        """
        text = self.refusal(unit, command)
        if text is not None:
            raise ScenarioError(text)
        if isinstance(command, Activate):
            self._promises.give(unit, command)
            return
        if isinstance(command, Order):
            self._orders.give(t_s, unit, self._name(unit), command, self._context.emit)
            return
        self._on[unit] = name == "start"
        told = "engine starts" if name == "start" else "load is dropped, engine cools and stops"
        self._context.emit(t_s, self._name(unit), name, told)

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return how far each set can be moved, found by rehearsal.

        One that runs is not stopped for a promise. One that starts by command and does not run promises
        nothing, nor does one that the grid runs as a machine.
        """
        order_mw = self._obeyed(inputs["p_order_mw"] + self._orders.p_mw)
        runs = np.where(self._by_order, order_mw > 0.0, self._on)
        free = ~self._promises.busy & (np.asarray(inputs["vm_pu"]) > 0.0)
        free &= (runs | self._by_order) & (np.asarray(inputs["closed_code"]) < 0.0)
        idle = order_mw == 0.0
        ramp = self._climb.slowest() * self._rated_mw
        none = np.zeros_like(ramp)
        down = Prospect(
            np.where(free, self._rated_mw - order_mw, 0.0),
            ramp,
            np.where(self._runs, 0.0, self._wait_s),
            np.where(idle, self._least_mw, 0.0),
        )
        up = Prospect(np.where(free & ~idle, order_mw - self._least_mw, 0.0), ramp, none, none)
        return Rehearsal(self, t_s, horizon_s, inputs, fuel_burnt).range(down, up)

    def _obeyed(self, order_mw: Floats) -> Floats:
        return np.where(order_mw > 0.0, np.clip(order_mw, self._least_mw, self._rated_mw), 0.0)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Follow the orders over `dt_s`, as far as engines run and accept load."""
        order_mw, live = inputs["p_order_mw"] + self._orders.p_mw, np.asarray(inputs["vm_pu"]) > 0.0
        q_order_mvar = inputs["q_order_mvar"] + self._orders.q_mvar
        wanted = np.where(self._by_order, order_mw > 0.0, self._on)
        if self._promises.open:
            if not self._first:
                self._promises.accept(self, self._context, t_s, inputs)
            wanted |= self._by_order & (self._promises.way(t_s) < 0.0)  # it starts for what is promised
            order_mw = self._obeyed(order_mw) - self._promises.change_mw(t_s, dt_s)
            wanted |= self._by_order & (order_mw > 0.0)
        wanted &= ~self._tanked | (self._fuel_mwh > 0.0)
        if self._first:
            self._runs |= wanted & self._by_order
            self._wait_s[self._runs] = 0.0
        ready_s, idle_s = self._turn(wanted, dt_s)
        asked_mw = self._obeyed(order_mw)
        turns = np.asarray(inputs["closed_code"]) >= 0.0
        asked_pu = np.where(wanted & live, asked_mw / self._rated_mw, 0.0)
        if self._first:
            self._ceiling_pu = np.where(self._runs, np.maximum(asked_pu, self._ceiling_pu), self._ceiling_pu)
            self._first = False
        setpoint_pu = np.where(ready_s > 0.0, np.minimum(asked_pu, self._ceiling_pu), 0.0)
        drawn_pu = -np.asarray(inputs["p_drawn_mw"]) / self._rated_mw
        load_pu = np.where(turns, np.clip(drawn_pu, 0.0, self._ceiling_pu), asked_pu)
        carried_pu_s, ceiling_pu = self._climb.follow(load_pu, self._ceiling_pu, ready_s)
        carried_pu_s = np.where(turns, drawn_pu * dt_s, carried_pu_s)
        fuel_mwh = (
            np.maximum(carried_pu_s, 0.0) * self._rated_mw * self._slope + (ready_s + idle_s) * self._idle_mw
        ) / S_PER_H
        dry = self._tanked & (fuel_mwh > self._fuel_mwh)
        share = np.where(dry, self._fuel_mwh / np.maximum(fuel_mwh, 1e-300), 1.0)
        self._run_dry(t_s, dry)
        delivered_mw = share * carried_pu_s * self._rated_mw / dt_s
        fuel_mw = share * fuel_mwh * S_PER_H / dt_s
        self._fuel_mwh = np.where(self._tanked & ~dry, self._fuel_mwh - fuel_mwh, 0.0)
        self._ceiling_pu = np.where(self._runs, ceiling_pu, self._climb.block(np.zeros(len(self._of))))
        on_load = wanted & live & (ready_s > 0.0)
        q_mvar = np.where(on_load, within_rating(q_order_mvar, delivered_mw, self._rated_mva), 0.0)
        return {
            "p_mw": -delivered_mw,
            "q_mvar": np.where(turns, inputs["q_drawn_mvar"], q_mvar),
            "p_delivered_mw": delivered_mw,
            "p_unmet_mw": order_mw - delivered_mw,
            "p_accepted_mw": np.where(self._runs & (live | turns), np.minimum(self._ceiling_pu, 1.0), 0.0)
            * self._rated_mw,
            "p_fuel_mw": fuel_mw,
            "p_supply_mw": np.where(self._tanked, 0.0, fuel_mw),
            "heat_mw": fuel_mw - delivered_mw,
            "e_tank_mwh": self._fuel_mwh.copy(),
            "state_code": self._state(wanted),
            "breaker_code": (wanted & (ready_s >= dt_s)).astype(np.float64),
            "p_setpoint_mw": setpoint_pu * self._rated_mw,
        }

    def _turn(self, wanted: Bools, dt_s: float) -> tuple[Floats, Floats]:
        """Start, run and cool the engines; return the time each is ready for load, and cooling [s]."""
        before_s = np.where(wanted, np.minimum(self._wait_s, dt_s), dt_s)
        ready_s = dt_s - before_s
        self._wait_s = np.where(wanted, self._wait_s - before_s, self._wait_s)
        self._wait_s[np.abs(self._wait_s) < 1e-9] = 0.0
        cools = ~wanted & self._runs
        idle_s = np.where(cools, np.minimum(self._cool_s, dt_s), 0.0)
        self._cool_s = np.where(wanted, self._cooling_s, self._cool_s - idle_s)
        self._runs = np.where(wanted, self._wait_s == 0.0, self._runs & (self._cool_s > 0.0))
        self._wait_s = np.where(wanted | self._runs, self._wait_s, self._start_s)
        return ready_s, idle_s

    def _run_dry(self, t_s: float, dry: Bools) -> None:
        for unit in np.flatnonzero(dry):
            self._context.emit(
                t_s, self._name(int(unit)), "out of fuel", "the tank is empty, the engine stops"
            )
        self._runs &= ~dry
        self._wait_s = np.where(dry, self._start_s, self._wait_s)

    def _state(self, wanted: Bools) -> Floats:
        by_want = np.where(wanted, RUNNING, COOLING)
        return np.where(
            self._runs, by_want, np.where(wanted & (self._wait_s > 0.0), STARTING, STOPPED)
        ).astype(float)

    def _name(self, i: int) -> str:
        return self._context.names[i] if i < len(self._context.names) else f"genset {i}"


def fuel_burnt(trial: Trace, base: Trace, dt_s: float) -> dict[str, Floats]:
    """Return the fuel a trial burns more than the baseline [MWh]."""
    return {"fuel_mwh": (trial["p_fuel_mw"] - base["p_fuel_mw"]).sum(axis=0) * dt_s / S_PER_H}
