"""How far halls can be moved, and how their meters are held at what was promised.

A hall has two levers. By its clocks, IT power falls and work is lost, as the roofline law says. By the
set-points of its cooling, chillers rest for as long as coolant, air and dies stay cool enough, and run more
to cool in advance; no work is lost.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from cosim.core.activations import Activations
from cosim.core.flexibility import DAY_S, Flexibility, Side
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from datacenters.kernels import hall_rows as rows
from datacenters.ramps import lagged
from datacenters.rehearsal import Prospect, Rehearsed, Trace

S_PER_H = 3600.0
STEER_S = 0.5
"""Time constant of the control at the meter; software for caps answers in 0.1 s (GridPilot, published)."""
MAKES_UP = 0.3
"""Part of what gaps have added up to that is made up for in a step."""
LEARNS_S = 0.5
"""It takes longer than the lag of IT power to tell what a lever does."""
SLOPES = (0.1, 3.0)
"""What a lever may be found to do, of what it is taken to do at first."""
RUNGS_S = (900.0, 3600.0, 14_400.0, DAY_S)
"""Horizons that are looked at: what is asked for is promised if it holds to the next of them."""
HEAT_MOVES_S = 4.0
"""Longest step in which control by set-points is rehearsed: within it coolant hardly warms."""
BRIEF_STEPS = 10
"""Seconds after which a lever has done what it does before any heat moves."""
HALVINGS = 10
SAFE = 0.99
"""Part of what a lever brings that is tried: control needs room."""
DEGREES = ("temp_die_max_degc", "temp_supply_degc", "temp_inlet_degc")


class HallFlexibility(Params):
    """What a hall offers a grid, and what it may cost."""

    lever: Literal["clocks", "cooling"] = Field(
        default="clocks", description="moved by a cap of IT power, or by the set-points of its cooling"
    )
    slowdown_pu: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="largest share of the work it would do that may be lost; tiers of Emerald: 0, 0.1, 0.25"
        " and 0.5 (published)",
    )
    ramp_pu_per_s: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="change of power, of rated IT power; 30 to 35 % in 30 s in London (published)",
    )
    warmer_k: float = Field(
        default=8.0, ge=0, le=20, description="most by which set-points are raised (cooling)"
    )
    colder_k: float = Field(
        default=4.0, ge=0, le=20, description="most by which they are lowered, to cool in advance (cooling)"
    )
    margin_k: float = Field(
        default=1.0, ge=0, le=20, description="distance kept from throttling and from alarms (cooling)"
    )


@dataclass(frozen=True)
class Limits:
    """Of the halls, each (units,): rated and idle IT power, and where they throttle or warn."""

    rated_mw: Floats
    idle_mw: Floats
    degc: Mapping[str, Floats]
    """Column of `DEGREES` -> limit."""
    tau_s: Floats
    """Lag of IT power behind what its clocks allow."""

    @classmethod
    def of(cls, params: Floats) -> "Limits":
        """Return those of the kernel's parameters, (units, N_PARAMS)."""
        at = (rows.T_THROTTLE, rows.T_COOLANT_ALARM, rows.T_INLET_ALARM)
        degc = {name: params[:, row] for name, row in zip(DEGREES, at, strict=True)}
        return cls(params[:, rows.RATED_MW], params[:, rows.IDLE_MW], degc, params[:, rows.TAU_POWER_S])


class Steering:
    """Levers of halls that hold a power at the meter, each found by what it did before.

    Every step the lever moves by what the target moves, and by the gap that was left, over the slope that its
    last moves have shown. What gaps have added up to is made up for, as heat drifts all the while. IT power
    follows its clocks with a lag, so a gap counts from the targets behind the same lag, and slopes from the
    lever behind it: what is on its way is no gap (internal model control [1]_).

    References
    ----------
    .. [1] C. E. Garcia, M. Morari, "Internal model control. 1", Ind. Eng. Chem. Process Des. Dev. 21, 1982.
    """

    def __init__(self, params: Sequence[HallFlexibility], limits: Limits) -> None:
        self._params, self._limits = tuple(params), limits
        self.by_clocks: Bools = np.array([p.lever == "clocks" for p in params], dtype=bool)
        self._slope_first = np.where(
            self.by_clocks, limits.rated_mw, -0.02 * limits.rated_mw
        )  # MW per pu of cap; per kelvin, a chiller of a tenth of the power that rests within five
        self.longest_s = math.inf if self.by_clocks.all() else HEAT_MOVES_S
        """Longest step of a rehearsal."""
        warmest = np.array([p.warmer_k for p in params])
        self._low = np.where(self.by_clocks, 0.0, -np.array([p.colder_k for p in params]))
        self._high = np.where(self.by_clocks, 1.0, warmest)
        self._tau_s = np.where(self.by_clocks, limits.tau_s, 0.0)
        self.reset()

    def reset(self) -> None:
        """Let go of all levers."""
        self._on = np.zeros(self.by_clocks.size, dtype=bool)
        self._seen_mw, self._at = np.zeros(self.by_clocks.size), np.zeros(self.by_clocks.size)
        self._slope = self._slope_first.copy()
        self._aim_mw, self._owed_mw = np.zeros_like(self._at), np.zeros_like(self._at)
        self._due_mw, self._due_end_mw = np.zeros_like(self._at), np.zeros_like(self._at)
        self._felt, self._felt_end = np.zeros_like(self._at), np.zeros_like(self._at)
        self._from_mw, self._from_at, self._since_s = self._seen_mw.copy(), self._at.copy(), 0.0

    def steer(
        self, inputs: Mapping[str, Floats], target_mw: Floats, baseline_mw: Floats, dt_s: float
    ) -> dict[str, Floats]:
        """Return inputs with the levers where they bring the meters to a target.

        Parameters
        ----------
        target_mw : (units,), nan where nothing is promised. baseline_mw : where it counts from.
        """
        on = ~np.isnan(target_mw)
        given = np.where(self.by_clocks, np.minimum(inputs["cap_pu"], 1.0), inputs["temp_offset_k"])
        fresh = on & ~self._on
        self._at = np.where(fresh, given, self._at)
        self._seen_mw = np.where(fresh, baseline_mw, self._seen_mw)
        self._slope = np.where(fresh, self._slope_first, self._slope)
        self._from_mw = np.where(fresh, baseline_mw, self._from_mw)
        self._from_at = np.where(fresh, given, self._from_at)
        self._felt_end = np.where(fresh, given, self._felt_end)
        self._due_mw = np.where(fresh, baseline_mw, self._due_mw)
        self._due_end_mw = np.where(fresh, baseline_mw, self._due_end_mw)
        self._since_s += dt_s
        aim_mw = np.where(fresh, baseline_mw, self._aim_mw)
        gain = 1.0 - np.exp(-dt_s / STEER_S)
        gap_mw = self._due_mw - self._seen_mw
        self._owed_mw = np.where(fresh, 0.0, MAKES_UP * (self._owed_mw + gap_mw))
        self._aim_mw = np.where(on, target_mw, 0.0)
        wanted = self._at + (self._aim_mw - aim_mw + gain * (gap_mw + self._owed_mw)) / self._slope
        above = np.where(self.by_clocks & (target_mw <= baseline_mw), given, self._high)
        after = np.where(on, np.clip(wanted, self._low, np.maximum(above, self._low)), given)
        self._at, self._on = after, on
        self._due_end_mw, self._due_mw = lagged(self._due_end_mw, self._aim_mw, self._tau_s, dt_s)
        self._felt_end, self._felt = lagged(self._felt_end, after, self._tau_s, dt_s)
        cap_pu = np.where(on & self.by_clocks, after, inputs["cap_pu"])
        offset_k = np.where(on & ~self.by_clocks, after, inputs["temp_offset_k"])
        return {**inputs, "cap_pu": cap_pu, "temp_offset_k": offset_k}

    def see(self, p_mw: Floats) -> None:
        """Note what the meters say after the step, and now and then what the levers have done to it."""
        self._seen_mw = p_mw.copy()
        if self._since_s < LEARNS_S:
            return
        moved = self._felt - self._from_at
        steep = np.abs(moved) > 1e-4 * (self._high - self._low)
        found = (p_mw - self._from_mw) / np.where(steep, moved, 1.0)
        bounds = np.sort(np.multiply.outer(SLOPES, self._slope_first), axis=0)
        learnt = 0.5 * self._slope + 0.5 * np.clip(found, bounds[0], bounds[1])
        self._slope = np.where(self._on & steep, learnt, self._slope)
        self._from_mw, self._from_at, self._since_s = self._seen_mw, self._felt, 0.0

    def prospects(
        self, model: Rehearsed, t_s: float, inputs: Mapping[str, Floats], free: Bools
    ) -> tuple[Prospect, Prospect]:
        """Return what is tried down and up: what the levers bring within seconds, before any heat moves.

        Clocks go down as far as work may be lost, and up only below a cap that is set. Less heat needs less
        cooling later, so what clocks bring at first they can hold.
        """
        limits, none = self._limits, np.zeros(free.size)
        base = self._brief(model, t_s, inputs, inputs["cap_pu"], inputs["temp_offset_k"])
        low, good = none, np.minimum(inputs["cap_pu"], 1.0)
        for _ in range(HALVINGS):
            cap_pu = 0.5 * (low + good)
            trial = self._brief(model, t_s, inputs, cap_pu, inputs["temp_offset_k"])
            works = base["work_done_gpu"] - trial["work_done_gpu"] <= self._spared(base["work_done_gpu"])
            low, good = np.where(works, low, cap_pu), np.where(works, cap_pu, good)
        warm, cold = (np.where(self.by_clocks, 0.0, at) for at in (self._high, self._low))
        least = self._brief(model, t_s, inputs, np.where(self.by_clocks, good, inputs["cap_pu"]), warm)
        most = self._brief(model, t_s, inputs, np.where(self.by_clocks, 1.0, inputs["cap_pu"]), cold)
        ramp = np.array([p.ramp_pu_per_s for p in self._params]) * limits.rated_mw
        changes = (base["p_mw"] - least["p_mw"], most["p_mw"] - base["p_mw"])
        down, up = (
            Prospect(np.where(free, np.maximum(SAFE * mw, 0.0), 0.0), ramp, none, none) for mw in changes
        )
        return down, up

    def _brief(
        self, model: Rehearsed, t_s: float, inputs: Mapping[str, Floats], cap_pu: Floats, offset_k: Floats
    ) -> Mapping[str, Floats]:
        """Return the outputs of some seconds later with the levers there."""
        other = model.rehearse(Activations(cap_pu.size))
        moved = {**inputs, "cap_pu": cap_pu, "temp_offset_k": offset_k}
        return [other.step(t_s + step, 1.0, moved) for step in range(BRIEF_STEPS)][-1]

    def _spared(self, would_gpu: Floats) -> Floats:
        """Return the work that may be lost."""
        slowdown = np.array([p.slowdown_pu for p in self._params])
        return np.where(self.by_clocks, slowdown, 1e-9) * would_gpu + 1e-9

    def allowed(self, trial: Trace, base: Trace) -> Bools:
        """Return which halls lose no more work, and get no warmer, than they may."""
        would_gpu = base["work_done_gpu"].mean(axis=0)
        works = would_gpu - trial["work_done_gpu"].mean(axis=0) <= self._spared(would_gpu)
        margin_k = np.array([p.margin_k for p in self._params])
        cool = np.ones(works.size, dtype=bool)
        for name, limit_degc in self._limits.degc.items():
            highest = trial[name].max(axis=0)
            cool &= (highest <= limit_degc - margin_k) | (highest <= base[name].max(axis=0) + 1e-9)
        return np.asarray(works & (cool | self.by_clocks), dtype=bool)


def horizons(horizon_s: float) -> list[float]:
    """Return the horizons for which a change must hold, so that a longer one never promises more."""
    last_s = min(rung_s for rung_s in RUNGS_S if rung_s >= min(horizon_s, DAY_S))
    return [rung_s for rung_s in RUNGS_S if rung_s <= last_s]


def least_of(ranges: Sequence[Flexibility]) -> Flexibility:
    """Return the last of some ranges, nowhere wider than any of them."""
    last = ranges[-1]

    def narrowest(sides: Sequence[Side]) -> Side:
        p_mw = np.min([side.p_mw for side in sides], axis=0)
        return replace(sides[-1].only(p_mw > 0.0), p_mw=p_mw)

    return replace(last, down=narrowest([r.down for r in ranges]), up=narrowest([r.up for r in ranges]))


def hall_costs(trial: Trace, base: Trace, dt_s: float) -> dict[str, Floats]:
    """Return work lost, the largest rise of a temperature, and water of a trial beyond the baseline."""
    more = {name: (trial[name] - base[name]) for name in ("work_done_gpu", "water_kg_per_s", *DEGREES)}
    return {
        "lost_gpu_h": -more["work_done_gpu"].sum(axis=0) * dt_s / S_PER_H,
        "rise_k": np.max([more[name].max(axis=0) for name in DEGREES], axis=0),
        "water_m3": more["water_kg_per_s"].sum(axis=0) * dt_s / 1e3,
    }
