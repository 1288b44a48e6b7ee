"""The feasible ranges that units publish, asked for as often as the scenario says."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cosim.core.clock import exact
from cosim.core.flexibility import COLUMNS, Flexibility, flexible
from cosim.core.types import Floats
from cosim.plan import KindPlan, Plan
from cosim.results import TableSpec
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
        for row, (name, values) in enumerate(found.columns().items()):
            if np.shape(values) != (place.stop - place.start,) or not np.isfinite(values).all():
                text = f"flexibility: {name} is {values}, not one finite number for each unit"
                raise StepError(kind, at.t_s, text)
            self._told[row, place] = values

    def tables(self) -> Mapping[str, Mapping[str, Floats]]:
        """Return what was last said, as the recorder wants it."""
        return {TABLE: dict(zip(COLUMNS, self._told, strict=True))} if self.asked else {}
