"""Small components and a small grid that fulfil the protocols, good and bad, for wiring tests."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cosim.core.clock import Clock, Window
from cosim.core.component import Component, Context, Port
from cosim.core.grid import Connections, Geography, GridEvent
from cosim.core.params import Params
from cosim.plan import GRID, Command, KindPlan, Plan, SetInput, Wire
from cosim.scenario import Scenario, parse


class ToyParams(Params):
    """A steady load; `mode` says how it breaks and `at_s` when."""

    p_rated_mw: float = 1.0
    mode: str = ""
    at_s: float = 0.0


class StepParams(Params):
    """Parameter of the command `change`."""

    p_rated_mw: float = 0.0


class Toy:
    """Draws its rated power plus what it is ordered; repeats what it heard on its outputs."""

    params_type: ClassVar[type[Params]] = ToyParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("vm_pu", "voltage heard", default=1.0),
        Port("f_hz", "frequency heard", default=50.0),
        Port("p_order_mw", "ordered on top", default=0.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "drawn"),
        Port("q_mvar", "nothing"),
        Port("vm_heard_pu", "voltage heard"),
        Port("p_order_heard_mw", "order heard"),
        Port("duration_s", "length of the exchange"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"change": StepParams}

    def __init__(self, params: Sequence[ToyParams]) -> None:
        self.params = params
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def reset(self, context: Context) -> None:
        self.context = context
        self.rated_mw = np.array([p.p_rated_mw for p in self.params])
        self.heard.clear()

    def command(self, t_s: float, unit: int, name: str, params: StepParams) -> None:
        self.rated_mw[unit] = params.p_rated_mw
        self.context.emit(t_s, self.context.names[unit], "changed", f"{name} to {params.p_rated_mw:g} MW")

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        self.heard.append((t_s, dict(inputs)))
        return {
            "p_mw": self.rated_mw + inputs["p_order_mw"],
            "q_mvar": np.zeros(len(self.params)),
            "vm_heard_pu": inputs["vm_pu"] + 0.0,
            "p_order_heard_mw": inputs["p_order_mw"] + 0.0,
            "duration_s": np.full(len(self.params), dt_s),
        }


class Ramp(Toy):
    """Draws as many megawatts as seconds have passed."""

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**super().step(t_s, dt_s, inputs), "p_mw": np.full(len(self.params), t_s)}


class Noisy(Toy):
    """Draws at random."""

    def reset(self, context: Context) -> None:
        super().reset(context)
        self.random = context.streams.stream("noisy")

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**super().step(t_s, dt_s, inputs), "p_mw": self.random.random(len(self.params))}


class Grudge(Toy):
    """Hands out its own state instead of a copy, and changes it in the next step."""

    def reset(self, context: Context) -> None:
        super().reset(context)
        self.state = np.zeros(len(self.params))

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        self.state[:] = t_s
        return {**super().step(t_s, dt_s, inputs), "p_mw": self.state}


class Vandal(Toy):
    """Writes into its inputs."""

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        inputs["vm_pu"][0] = 0.0
        return super().step(t_s, dt_s, inputs)


class Broken(Toy):
    """Works until `at_s` of its first unit, then breaks in the way `mode` names."""

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        outputs = dict(super().step(t_s, dt_s, inputs))
        if t_s < self.params[0].at_s:
            return outputs
        return getattr(self, f"_{self.params[0].mode}")(outputs)

    def _raise(self, outputs: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError("the sky fell")  # noqa: EM101

    def _nan(self, outputs: dict[str, Any]) -> dict[str, Any]:
        outputs["q_mvar"][1] = np.nan
        return outputs

    def _shape(self, outputs: dict[str, Any]) -> dict[str, Any]:
        return {**outputs, "p_mw": np.zeros(7)}

    def _scalar(self, outputs: dict[str, Any]) -> dict[str, Any]:
        return {**outputs, "p_mw": 1.0}

    def _missing(self, outputs: dict[str, Any]) -> dict[str, Any]:
        del outputs["p_mw"]
        return outputs

    def _extra(self, outputs: dict[str, Any]) -> dict[str, Any]:
        return {**outputs, "p_secret_mw": outputs["p_mw"]}

    def _text(self, outputs: dict[str, Any]) -> dict[str, Any]:
        return {**outputs, "p_mw": np.array(["a"] * len(self.params))}

    def _nothing(self, outputs: dict[str, Any]) -> None:
        return None

    def _exit(self, outputs: dict[str, Any]) -> dict[str, Any]:
        raise SystemExit(0)

    def _sleep(self, outputs: dict[str, Any]) -> dict[str, Any]:
        time.sleep(1e6)
        return outputs

    def _loop(self, outputs: dict[str, Any]) -> dict[str, Any]:
        while True:
            pass

    def _deaf(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Hang like compiled code: no signal reaches it, other threads run on."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        while True:
            time.sleep(0.05)

    def _die(self, outputs: dict[str, Any]) -> dict[str, Any]:
        os._exit(7)

    def _kill(self, outputs: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return outputs

    def _interrupt(self, outputs: dict[str, Any]) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        return outputs

    def _dawdle(self, outputs: dict[str, Any]) -> dict[str, Any]:
        time.sleep(0.02)
        return outputs


class ToyGrid:
    """Voltage falls with a unit's own power, frequency with the sum of all; no solution while `dark`."""

    def __init__(self, connections: Connections, buses: int = 3, dark: Sequence[float] = ()) -> None:
        self.connections, self.dark = connections, frozenset(dark)
        self.elements = {
            "bus": tuple(f"bus_{n}" for n in range(buses)),
            "point": connections.units,
            GRID: (GRID,),
        }
        self.columns = {
            "bus": ("vm_pu", "va_degree", "p_mw", "q_mvar"),
            "point": ("vm_pu", "f_hz", "p_droop_mw", "p_mw", "q_mvar"),
            GRID: ("converged_pu", "load_mw"),
        }
        self.got: list[tuple[float, dict[str, Any], tuple[GridEvent, ...]]] = []

    def reset(self, context: Context) -> Mapping[str, Mapping[str, Any]]:
        self.context = context
        self.got.clear()
        return self._tables(np.zeros(len(self.connections.units)), 0.0)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Any], events: Sequence[GridEvent]) -> Any:
        self.got.append((t_s, dict(inputs), tuple(events)))
        for event in events:
            self.context.emit(t_s, event.element, event.action, "as scheduled")
        return self._tables(inputs["p_mw"], t_s)

    def _tables(self, p_mw: Any, t_s: float) -> Mapping[str, Mapping[str, Any]]:
        bus, unsolved = np.ones(len(self.elements["bus"])), np.nan if t_s in self.dark else 1.0
        return {
            "bus": {"vm_pu": bus * unsolved, "va_degree": bus * 0, "p_mw": bus * 0, "q_mvar": bus * 0},
            "point": {
                "vm_pu": (1.0 - 0.01 * p_mw) * unsolved,
                "f_hz": np.full(p_mw.shape, 50.0 - 0.001 * p_mw.sum()),
                "p_droop_mw": 0.0 * p_mw,
                "p_mw": p_mw + 0.0,
                "q_mvar": 0.0 * p_mw,
            },
            GRID: {"converged_pu": np.array([float(unsolved == 1.0)]), "load_mw": np.array([p_mw.sum()])},
        }

    def finish(self) -> None:
        """Nothing is due."""

    def geography(self) -> Geography:
        places = tuple(float(n) for n in range(len(self.elements["bus"])))
        return Geography(places, places, tuple(220.0 for _ in places), (), (), (), ())

    def provenance(self) -> Mapping[str, Any]:
        return {"case": "toy"}


def scenario(seed: int = 1, until_s: float = 10.0, step_s: float = 1.0) -> Scenario:
    """Return a scenario without units: the plan has them."""
    return parse(
        f"{{title: A toy, start: '2025-08-05T20:00:00', zone: Asia/Shanghai, until_s: {until_s},"
        f" seed: {seed}, clock: {{step_s: {step_s}}}, grid: {{engine: toy}}}}"
    )


def kind(
    cls: type[Component],
    *params: ToyParams,
    name: str = "",
    process: bool = False,
    commands: Sequence[Command] = (),
    sets: Sequence[SetInput] = (),
) -> KindPlan:
    """Return the plan of a kind; units are called after it and numbered."""
    called = name or cls.__name__.lower()
    units = tuple(f"{called}_{n}" for n in range(len(params)))
    return KindPlan(called, cls(params), tuple(params), units, process, tuple(commands), tuple(sets))


def to_grid(kinds: Sequence[KindPlan]) -> tuple[Wire, ...]:
    """Return the wires of units at the grid: power there, voltage and frequency back one exchange late."""
    wires, place = [], 0
    for part in kinds:
        own = tuple(range(len(part.units)))
        at = tuple(range(place, place + len(own)))
        place += len(own)
        wires += [Wire(part.kind, port, own, GRID, port, at) for port in ("p_mw", "q_mvar")]
        wires += [Wire(GRID, port, at, part.kind, port, own, delayed=True) for port in ("vm_pu", "f_hz")]
    return tuple(wires)


def plan(
    *kinds: KindPlan,
    wires: Sequence[Wire] = (),
    stages: Sequence[tuple[str, ...]] | None = None,
    until_s: float = 10.0,
    step_s: float = 1.0,
    windows: Sequence[Window] = (),
    seed: int = 1,
    grid_events: Sequence[GridEvent] = (),
    buses: int = 3,
    dark: Sequence[float] = (),
) -> Plan:
    """Return a plan with every unit of `kinds` at the grid, one stage per kind unless told otherwise."""
    units = tuple(unit for part in kinds for unit in part.units)
    connections = Connections(units, tuple("bus_0" for _ in units), tuple(None for _ in units))
    return Plan(
        scenario(seed, until_s, step_s),
        Clock(step_s, until_s, windows),
        tuple(kinds),
        tuple(stages) if stages is not None else tuple((part.kind,) for part in kinds),
        (*to_grid(kinds), *wires),
        ToyGrid(connections, buses, dark),
        connections,
        tuple(grid_events),
    )
