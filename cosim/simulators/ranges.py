"""The feasible ranges that units publish, asked for as often as the scenario, or another unit, says."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from cosim.core.clock import exact
from cosim.core.flexibility import COLUMNS, Flexibility, flexible
from cosim.core.types import Floats
from cosim.plan import KindPlan, Plan
from cosim.results import TableSpec
from cosim.simulators.board import frozen
from cosim.simulators.check import StepError
from cosim.simulators.shared import Instant

TABLE = "flexibility"


def able(plan: Plan) -> tuple[KindPlan, ...]:
    """Return the kinds that say their range, none where the scenario does not ask."""
    if plan.scenario.flexibility is None:
        return ()
    return tuple(kind for kind in plan.kinds if flexible(kind.component) is not None)


def ranges_spec(plan: Plan) -> dict[str, TableSpec]:
    """Return the table of ranges, or nothing."""
    names = tuple(unit for kind in able(plan) for unit in kind.units)
    return {TABLE: TableSpec(names, COLUMNS)} if names else {}


class Ranges:
    """Asks kinds for their ranges after the step in which it is due, and keeps what they last said.

    A range is the one at the end of the exchange, with the inputs of that exchange.
    """

    def __init__(self, plan: Plan) -> None:
        kinds = able(plan)
        starts = np.cumsum([0, *(len(kind.units) for kind in kinds)]).tolist()
        self._places = {kind.kind: slice(a, b) for kind, a, b in zip(kinds, starts, starts[1:], strict=False)}
        self.asked = bool(kinds)
        """Whether anybody is asked at all."""
        self._told = np.full((len(COLUMNS), starts[-1]), np.nan)
        spec = plan.scenario.flexibility
        self._horizon_s = 0.0 if spec is None else spec.horizon_s
        self._every = 0 if spec is None else int(exact(spec.every_s) / plan.clock.tick_s)

    def ask(self, kind: str, component: Any, at: Instant, inputs: Mapping[str, Floats]) -> None:
        """Ask a kind that has just stepped, where that is due. Raises StepError for what is no range."""
        place = self._places.get(kind)
        if place is None or at.tick % self._every:
            return
        found: Flexibility = component.flexibility(at.t_s + at.dt_s, self._horizon_s, inputs)
        for row, values in enumerate(_checked(kind, at.t_s, found, place.stop - place.start).values()):
            self._told[row, place] = values

    def tables(self) -> Mapping[str, Mapping[str, Floats]]:
        """Return what was last said, as the recorder wants it."""
        return {TABLE: dict(zip(COLUMNS, self._told, strict=True))} if self.asked else {}


class Answers:
    """What kinds say to units that ask for their ranges, kept until they are asked again.

    Parameters
    ----------
    plan
        The run.
    kinds
        Those that are asked here.
    """

    def __init__(self, plan: Plan, kinds: Collection[str]) -> None:
        self._asks = [ask for ask in plan.asks if ask.kind in kinds]
        self._due_s = {ask.source: 0.0 for ask in self._asks}
        self._units = {kind.kind: len(kind.units) for kind in plan.kinds}
        self.said: dict[str, Mapping[str, Floats]] = {}
        """What wires call the range -> `RANGE`."""

    def ask(self, kind: str, component: Any, at: Instant, inputs: Mapping[str, Floats]) -> None:
        """Ask a kind that has just stepped, where that is due. Raises StepError for what is no range."""
        end_s = at.t_s + at.dt_s
        for ask in self._asks:
            if ask.kind != kind or end_s < self._due_s[ask.source] - 1e-9:
                continue
            rests = {p.name: p.default for p in component.inputs if p.name in ask.without}
            apart = {name: np.full_like(inputs[name], value) for name, value in rests.items()}
            found: Flexibility = component.flexibility(end_s, ask.over_s, {**inputs, **apart})
            _checked(kind, at.t_s, found, self._units[kind])
            self.said[ask.source] = {port: frozen(values) for port, values in found.ends().items()}
            self._due_s[ask.source] = end_s + ask.every_s


def _checked(kind: str, t_s: float, found: Flexibility, units: int) -> Mapping[str, Floats]:
    """Return the columns of a range. Raises StepError for what is none."""
    columns = found.columns()
    for name, values in columns.items():
        if np.shape(values) != (units,) or not np.isfinite(values).all():
            text = f"flexibility: {name} is {values}, not one finite number for each unit"
            raise StepError(kind, t_s, text)
    return columns
