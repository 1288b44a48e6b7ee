"""What a range must be: finite, never larger for longer, and delivered when it is ordered."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.component import Component
from cosim.core.flexibility import SIDES, Activate, Flexibility, flexible
from cosim.core.types import Floats

DELIVERED_RTOL = 0.01
MONOTONIC_RTOL = 1e-9


@dataclass(frozen=True)
class Delivery:
    """What was promised one way and what was delivered while it was held, each (units,)."""

    side: str
    promised_mw: Floats
    delivered_mw: Floats

    def missed(self) -> Iterator[str]:
        """Yield the units that delivered another power than promised."""
        off_mw = np.abs(self.delivered_mw - self.promised_mw)
        for unit in np.flatnonzero(off_mw > DELIVERED_RTOL * np.abs(self.promised_mw) + 1e-9):
            yield (
                f"unit {unit} promises {self.promised_mw[unit]:.6g} MW {self.side} and delivers"
                f" {self.delivered_mw[unit]:.6g}"
            )


@dataclass(frozen=True)
class Moment:
    """A component between two steps: the time, the step it is used with, and inputs that stay."""

    component: Component
    t_s: float
    dt_s: float
    inputs: Mapping[str, Floats]

    def range(self, horizon_s: float) -> Flexibility:
        """Return what it publishes now."""
        asked = flexible(self.component)
        if asked is None:
            msg = f"{type(self.component).__name__} has no method flexibility"
            raise TypeError(msg)
        return asked.flexibility(self.t_s, horizon_s, self.inputs)

    def deliveries(self, horizon_s: float, share: float = 1.0) -> Iterator[Delivery]:
        """Order the whole range, or a share of it above the least, each way in turn; yield what comes.

        Counted is from a step after the power is reached, as powers are held over steps.

        Where `share` is above 1, what is promised is still the range.
        """
        found = self.range(horizon_s)
        for name, sign, side in zip(SIDES, (-1.0, 1.0), (found.down, found.up), strict=True):
            asked_mw = np.where(side.p_mw > 0.0, np.maximum(share * side.p_mw, side.least_mw), 0.0)
            promised_mw = np.minimum(asked_mw, side.p_mw)
            ramp_s = np.where(promised_mw > 0.0, promised_mw / np.maximum(side.ramp_mw_per_s, 1e-300), 0.0)
            from_s = self.t_s + side.delay_s + ramp_s
            if not promised_mw.any():
                continue
            model: Any = copy.deepcopy(self.component)
            for unit in np.flatnonzero(promised_mw > 0.0):
                order = Activate(p_mw=float(sign * asked_mw[unit]), duration_s=horizon_s)
                model.command(self.t_s, int(unit), "activate", order)
            total_mws, held_s = np.zeros_like(promised_mw), np.zeros_like(promised_mw)
            steps = int(np.ceil((from_s.max(initial=self.t_s) - self.t_s + horizon_s) / self.dt_s))
            for step in range(steps):
                t_s = self.t_s + step * self.dt_s
                p_mw = model.step(t_s, self.dt_s, self.inputs)["p_mw"]
                whole = (t_s >= from_s + self.dt_s - 1e-9) & (t_s + self.dt_s <= from_s + horizon_s + 1e-9)
                total_mws += np.where(whole, (p_mw - found.baseline_mw) * self.dt_s, 0.0)
                held_s += np.where(whole, self.dt_s, 0.0)
            known = (held_s > 0.0) & (promised_mw > 0.0)
            delivered_mw = np.where(known, total_mws / np.maximum(held_s, 1e-300), sign * promised_mw)
            yield Delivery(name, sign * promised_mw, delivered_mw)


def check_range(moment: Moment, horizons_s: tuple[float, ...]) -> Iterator[str]:
    """Yield what is wrong with the ranges at one moment, each horizon longer than the one before."""
    units, before = next(iter(moment.inputs.values()), np.zeros(0)).shape, None
    for horizon_s in horizons_s:
        found = moment.range(horizon_s)
        told = found.columns()
        for name, values in told.items():
            if np.shape(values) != units or not np.isfinite(values).all():
                yield f"flexibility: {name} over {horizon_s:g} s is {values}, wanted {units} finite numbers"
                return
        for side in SIDES:
            some = told[f"{side}_mw"] > 0.0
            for name in ("mw", "s", "ramp_mw_per_s", "delay_s", "least_mw"):
                if np.any(told[f"{side}_{name}"] < 0.0):
                    yield f"flexibility: {side}_{name} over {horizon_s:g} s is below 0"
            if np.any(some & (told[f"{side}_ramp_mw_per_s"] <= 0.0)):
                yield f"flexibility: {side}_ramp_mw_per_s is 0 where there is power"
            if np.any(some & (told[f"{side}_s"] < horizon_s * (1.0 - MONOTONIC_RTOL))):
                yield f"flexibility: {side}_s is less than the horizon of {horizon_s:g} s"
            if before is not None and np.any(
                told[f"{side}_mw"] > before[f"{side}_mw"] * (1.0 + MONOTONIC_RTOL) + 1e-12
            ):
                yield f"flexibility: {side}_mw over {horizon_s:g} s is more than over a shorter time"
        before = told


def check_promises(moment: Moment, horizon_s: float) -> Iterator[str]:
    """Yield the units that do not deliver what they publish, or obey an order beyond it."""
    for share, what in ((1.0, "of all it publishes"), (0.5, "of half of it"), (2.0, "of twice as much")):
        for delivery in moment.deliveries(horizon_s, share):
            yield from (f"flexibility: ordered {what}, {text}" for text in delivery.missed())
