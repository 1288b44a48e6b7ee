"""What a unit can give a grid: how far its power can be moved, for how long, how fast, and at what cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from pydantic import Field

from cosim.core.params import Params
from cosim.core.types import Bools, Floats

DAY_S = 86_400.0
"""The longest time anything is said to last: a day, or longer."""

COSTS = {
    "lost_gpu_h": "work not done that would have been",
    "rise_k": "how much warmer dies, coolant or air get",
    "ageing_pu": "capacity lost, of that of new cells",
    "fuel_mwh": "fuel burnt, lower heating value",
    "h2_kg": "hydrogen used, < 0 made",
    "water_m3": "water evaporated and drained",
}
"""What a change of power may cost beside energy: each is more than without the change, < 0 less."""

SIDES = ("down", "up")


@dataclass(frozen=True)
class Side:
    """Power one way, up or down from the baseline. Arrays of shape (units,), finite, none below 0 but costs.

    Any change between `least_mw` and `p_mw` can be ordered. It begins after `delay_s`, moves at
    `ramp_mw_per_s`, and once there is held for `lasts_s`, at least the horizon that was asked for, where
    `p_mw` is above 0. `costs` are those of the whole change held for the horizon, with its ramps: names of
    `COSTS`, what is left out is 0.
    """

    p_mw: Floats
    lasts_s: Floats
    ramp_mw_per_s: Floats
    delay_s: Floats
    least_mw: Floats
    costs: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        p_mw: Floats,
        ramp_mw_per_s: Floats,
        lasts_s: Floats | float = DAY_S,
        delay_s: Floats | float = 0.0,
        least_mw: Floats | float = 0.0,
        **costs: Floats,
    ) -> "Side":
        """Return a side; where there is no power there is nothing else, and nothing lasts beyond `DAY_S`."""
        some = p_mw > 0.0

        def where(values: Floats | float) -> Floats:
            return np.where(some, values, 0.0)

        lasts = np.minimum(where(lasts_s), DAY_S)
        told = {name: where(values) for name, values in costs.items()}
        return cls(where(p_mw), lasts, where(ramp_mw_per_s), where(delay_s), where(least_mw), told)

    @classmethod
    def none(cls, units: int) -> "Side":
        """Return the side of units that cannot be moved this way."""
        return cls.of(np.zeros(units), np.zeros(units))

    def only(self, where: Bools) -> "Side":
        """Return the same with nothing elsewhere."""
        return Side.of(
            np.where(where, self.p_mw, 0.0),
            self.ramp_mw_per_s,
            self.lasts_s,
            self.delay_s,
            self.least_mw,
            **self.costs,
        )

    def columns(self, side: str) -> Iterator[tuple[str, Floats]]:
        """Yield name and values of every column of the results table."""
        yield f"{side}_mw", self.p_mw
        yield f"{side}_s", self.lasts_s
        yield f"{side}_ramp_mw_per_s", self.ramp_mw_per_s
        yield f"{side}_delay_s", self.delay_s
        yield f"{side}_least_mw", self.least_mw
        for cost in COSTS:
            yield f"{side}_{cost}", self.costs.get(cost, np.zeros_like(self.p_mw))


@dataclass(frozen=True)
class Flexibility:
    """The feasible range of some units about what they would draw with inputs and orders as they are."""

    baseline_mw: Floats
    """Power drawn at the connection point without the change; what is delivered is counted from here."""
    down: Side
    """Drawing less, or delivering more."""
    up: Side
    """Drawing more, or delivering less."""

    def only(self, where: Bools) -> "Flexibility":
        """Return the same with nothing to give elsewhere."""
        return replace(self, down=self.down.only(where), up=self.up.only(where))

    def with_costs(self, down: Mapping[str, Floats], up: Mapping[str, Floats]) -> "Flexibility":
        """Return the same at these costs."""
        none = np.zeros_like(self.baseline_mw)
        sides = [
            replace(side, costs={name: np.where(side.p_mw > 0.0, cost, none) for name, cost in costs.items()})
            for side, costs in ((self.down, down), (self.up, up))
        ]
        return Flexibility(self.baseline_mw, *sides)

    def ends(self) -> dict[str, Floats]:
        """Return `RANGE`, each of shape (units,)."""
        ends = (self.baseline_mw - self.down.p_mw, self.baseline_mw + self.up.p_mw)
        return dict(zip(RANGE, ends, strict=True))

    def side(self, change_mw: float) -> Side:
        """Return the side a change of power lies on."""
        return self.down if change_mw < 0.0 else self.up

    def columns(self) -> dict[str, Floats]:
        """Return the columns of the results table, each of shape (units,)."""
        both = (*self.down.columns("down"), *self.up.columns("up"))
        return {"baseline_mw": self.baseline_mw, **dict(both)}


RANGE = ("lowest_mw", "highest_mw")
"""What one who asks hears of a range: the lowest and highest power the unit can hold."""

COLUMNS = tuple(Flexibility(np.zeros(0), Side.none(0), Side.none(0)).columns())


class Activate(Params):
    """Event `activate`: draw more or less than otherwise for a time, as far as the unit can promise it."""

    p_mw: float = Field(description="change of the power drawn at the connection point, < 0 draws less")
    duration_s: float = Field(gt=0, description="how long the whole change is held, ramps not counted")
    ramp_mw_per_s: float | None = Field(
        default=None, gt=0, description="how fast it comes and goes; none: as fast as the unit can promise"
    )


@runtime_checkable
class Flexible(Protocol):
    """A component that publishes its range. It is asked between two steps; being asked changes nothing."""

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return the range that holds from `t_s` for `horizon_s` while inputs stay as they are.

        A longer horizon never promises more power. Units that keep a promise already give nothing more.
        """


def flexible(component: Any) -> Flexible | None:
    """Return a component as one that publishes its range, or None where it does not."""
    return component if isinstance(component, Flexible) else None
