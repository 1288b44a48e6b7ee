"""Promises: changes of power that were ordered, as far as they were accepted, and how they go on."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.component import Context
from cosim.core.flexibility import Activate, Flexibility, Flexible
from cosim.core.types import Bools, Floats

PROMISE, CLIPPED = "promise", "order_clipped"
"""Kinds of events. The data of a promise say all that is needed to settle it."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Promise:
    """A change of power: up at an even ramp, held, back at the same ramp."""

    unit: int
    start_s: float
    p_mw: float
    ramp_s: float
    hold_s: float
    baseline_mw: float

    @property
    def end_s(self) -> float:
        """When the power is back."""
        return self.start_s + 2.0 * self.ramp_s + self.hold_s

    def mean_mw(self, t_s: float, dt_s: float) -> float:
        """Return the mean change from `t_s` to `t_s + dt_s`, exactly."""
        begins, back_s = t_s - self.start_s, self.ramp_s + self.hold_s
        area_s = _ramp_area(begins + dt_s, self.ramp_s) - _ramp_area(begins, self.ramp_s)
        area_s -= _ramp_area(begins + dt_s - back_s, self.ramp_s) - _ramp_area(begins - back_s, self.ramp_s)
        return self.p_mw * area_s / dt_s


def _ramp_area(x_s: float, ramp_s: float) -> float:
    """Return the integral to x of a ramp from 0 at 0 to 1 at `ramp_s`, which then stays at 1 [s]."""
    if x_s <= 0.0:
        return 0.0
    if x_s < ramp_s:
        return 0.5 * x_s * x_s / ramp_s
    return x_s - 0.5 * ramp_s


class Activations:
    """The promises of the units of one component.

    A component answers to `activate` by `give`, and in `step`, while `open`, calls `accept` once it has
    stepped before, and adds `change_mw` to what it would do otherwise.
    """

    def __init__(self, units: int) -> None:
        self._units = units
        self._asked: list[tuple[int, Activate]] = []
        self._running: list[Promise] = []
        self.open = False
        """Whether anything is asked for or promised: nothing has to be done in a step otherwise."""

    @classmethod
    def of(cls, promises: Sequence[Promise], units: int) -> "Activations":
        """Return these promises as they are, for a rehearsal."""
        found = cls(units)
        found._running, found.open = list(promises), bool(promises)
        return found

    @property
    def busy(self) -> Bools:
        """Which units keep a promise now, shape (units,)."""
        found = np.zeros(self._units, dtype=bool)
        found[[promise.unit for promise in self._running]] = True
        return found

    def way(self, t_s: float) -> Floats:
        """Return -1, 1 or 0: which way each unit is to be, from the order on until power goes back."""
        found = np.zeros(self._units)
        for promise in self._running:
            if t_s < promise.start_s + promise.ramp_s + promise.hold_s and promise.p_mw != 0.0:
                found[promise.unit] = math.copysign(1.0, promise.p_mw)
        return found

    def target_mw(self, t_s: float, dt_s: float) -> Floats:
        """Return the mean power a step shall have, shape (units,): nan for units without a promise."""
        found = np.full(self._units, np.nan)
        for promise in self._running:
            if promise.p_mw != 0.0:
                found[promise.unit] = promise.baseline_mw + promise.mean_mw(t_s, dt_s)
        return found

    def give(self, unit: int, order: Activate) -> None:
        """Take an order in, to be answered at the next step."""
        self._asked.append((unit, order))
        self.open = True

    def accept(self, model: Flexible, context: Context, t_s: float, inputs: Mapping[str, Floats]) -> None:
        """Promise what is asked for, as far as the range at `t_s` reaches, and tell both."""
        asked, self._asked = self._asked, []
        ranges = {order.duration_s: model.flexibility(t_s, order.duration_s, inputs) for _, order in asked}
        for unit, order in asked:
            found = ranges[order.duration_s].only(~self.busy)
            name = context.names[unit] if unit < len(context.names) else f"unit {unit}"
            promise = promised(found, t_s, unit, order)
            for kind, text, data in _told(found, order, promise):
                context.emit(t_s, name, kind, text, data)
            if promise.p_mw != 0.0:
                self._running.append(promise)

    def change_mw(self, t_s: float, dt_s: float) -> Floats:
        """Return the mean change over a step, shape (units,), and let go of promises that are over."""
        total_mw = np.zeros(self._units)
        for promise in self._running:
            total_mw[promise.unit] += promise.mean_mw(t_s, dt_s)
        self._running = [promise for promise in self._running if promise.end_s > t_s + dt_s]
        self.open = bool(self._running or self._asked)
        return total_mw


def promised(found: Flexibility, t_s: float, unit: int, order: Activate) -> Promise:
    """Return what is promised of an order: as much of it as the range allows."""
    side = found.side(order.p_mw)
    given_mw, least_mw = min(abs(order.p_mw), float(side.p_mw[unit])), float(side.least_mw[unit])
    if given_mw < least_mw * (1.0 - ROUNDING):
        given_mw = 0.0
    fastest = float(side.ramp_mw_per_s[unit])
    ramp = fastest if order.ramp_mw_per_s is None else min(order.ramp_mw_per_s, fastest)
    ramp_s = given_mw / ramp if given_mw > 0.0 else 0.0
    start_s = t_s + float(side.delay_s[unit])
    change_mw = -given_mw if order.p_mw < 0.0 else given_mw
    baseline_mw = float(found.baseline_mw[unit])
    return Promise(unit, start_s, change_mw, ramp_s, order.duration_s, baseline_mw)


def _told(found: Flexibility, order: Activate, promise: Promise) -> Iterator[tuple[str, str, str]]:
    """Yield kind, text and data of the events that answer an order."""
    unit, side = promise.unit, found.side(order.p_mw)
    if abs(promise.p_mw) < abs(order.p_mw) * (1.0 - ROUNDING):
        least_mw = float(side.least_mw[unit])
        why = f", the least it can move is {least_mw:g}" if abs(order.p_mw) < least_mw else ""
        asked = f"{order.p_mw:g} MW for {order.duration_s:g} s are asked"
        yield CLIPPED, f"{asked}, {promise.p_mw:g} MW are promised{why}", ""
    data = {
        "asked_mw": order.p_mw,
        "promised_mw": promise.p_mw,
        "baseline_mw": promise.baseline_mw,
        "start_s": promise.start_s,
        "ramp_s": promise.ramp_s,
        "duration_s": promise.hold_s,
        "costs": {cost: float(values[unit]) for cost, values in side.costs.items()},
    }
    text = f"{promise.p_mw:g} MW from {promise.baseline_mw:g} MW for {promise.hold_s:g} s"
    yield PROMISE, text, json.dumps(data)
