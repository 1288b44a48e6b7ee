"""A component kind as a process of its own: the far end, a plain mosaik simulator over TCP.

Started by the near end, `cosim.simulators.remote`, as `python -m cosim.simulators.process HOST:PORT`.
Arrays travel as lists.
"""

import importlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import mosaik_api_v3
import numpy as np

from cosim.core.component import Component, Context, commands_of, ledgers_of
from cosim.core.streams import Streams
from cosim.simulators.board import frozen

MODEL, ENTITY = "Units", "units"
INPUTS, COMMANDS, OUTPUTS, EVENTS, LEDGERS = "inputs", "commands", "outputs", "events", "ledgers"

META = {
    "api_version": "3.0",
    "type": "time-based",
    "models": {MODEL: {"public": True, "params": [], "attrs": [INPUTS, COMMANDS, OUTPUTS, EVENTS, LEDGERS]}},
}


def import_path(cls: type) -> str:
    """Return where a class is imported from, as `module:name`."""
    return f"{cls.__module__}:{cls.__qualname__}"


def _imported(path: str) -> type[Component]:
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    cls: type[Component] = found
    return cls


class KindProcess(mosaik_api_v3.Simulator):  # type: ignore[misc]  # mosaik_api_v3 has no usable types
    """One component, stepped from afar."""

    def __init__(self) -> None:
        super().__init__(META)
        self._events: list[tuple[float, str, str, str, str]] = []
        self._outputs: dict[str, Any] = {}

    def init(self, sid: str, time_resolution: float = 1.0, **setup: Any) -> Any:
        """Construct and reset the component from what the near end sends."""
        del sid
        self._tick_s = time_resolution
        cls = _imported(setup["component"])
        params = [cls.params_type.model_validate(values) for values in setup["params"]]
        self._component = cls(params)
        self._commands = commands_of(cls)
        zone = setup["zone"]
        start = datetime.fromisoformat(setup["start"])
        self._component.reset(
            Context(
                start.astimezone(ZoneInfo(zone)) if zone else start,
                Streams(setup["seed"]),
                tuple(setup["units"]),
                self._note,
            )
        )
        return self.meta

    def _note(self, t_s: float, unit: str, kind: str, text: str, data: str = "", /) -> None:
        self._events.append((t_s, unit, kind, text, data))

    def create(self, num: int, model: str, **params: Any) -> list[dict[str, Any]]:
        """Create the one entity."""
        del num, params
        return [{"eid": ENTITY, "type": model}]

    def step(self, time: int, inputs: dict[str, dict[str, dict[str, Any]]], max_advance: int) -> int:
        """Hand over commands and do one step; `inputs` has come from exactly one source."""
        del max_advance
        ((sent,), (due,)) = (inputs[ENTITY][name].values() for name in (INPUTS, COMMANDS))
        t_s, dt_s = sent["t_s"], sent["dt_s"]
        component: Any = self._component
        for unit, name, params in due:
            component.command(t_s, unit, name, self._commands[name].model_validate(params))
        ports = {port: frozen(np.array(values, dtype=np.float64)) for port, values in sent["ports"].items()}
        self._outputs = {
            port: np.asarray(values).tolist() for port, values in component.step(t_s, dt_s, ports).items()
        }
        following: int = sent["following"]
        del time
        return following

    def get_data(self, outputs: Any) -> dict[str, dict[str, Any]]:
        """Return outputs and the events since the last call, and ledgers where they are asked for."""
        events, self._events = self._events, []
        found = {OUTPUTS: self._outputs, EVENTS: events}
        if LEDGERS in outputs[ENTITY]:
            found[LEDGERS] = {
                name: {column: np.asarray(values).tolist() for column, values in ledger.items()}
                for name, ledger in ledgers_of(self._component).items()
            }
        return {ENTITY: found}


if __name__ == "__main__":
    mosaik_api_v3.start_simulation(KindProcess(), "One Suandian component kind")
