"""Ranges found by rehearsal: a copy of the model is ordered the change, and what it delivers is looked at.

For kinds with starts, ramps, tanks, temperatures or controls between an order and the meter, for which no
closed form says what can be held.
"""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Protocol, Self

import numpy as np

from cosim.core.activations import Activations, Promise
from cosim.core.component import Context, silent
from cosim.core.flexibility import Flexibility, Side
from cosim.core.types import Bools, Floats

FEWEST_STEPS = 40
HOLDS_PU = 0.01
"""Least of the time to the whole change for which it is held, also where a shorter horizon is asked for."""
HELD_RTOL = 0.005
"""A change counts as held when its mean is this near to what was ordered."""
STEADY_PU = 0.003
"""A baseline that moves by more of the change than this within the horizon is none."""
HALVINGS = 8
SPREAD = ("rise_k",)
"""Costs that do not add up over time."""

Trace = Mapping[str, Floats]
"""Output port -> values of shape (steps, units)."""


class Rehearsed(Protocol):
    """A model that can go on in silence with promises it was given."""

    def rehearse(self, promises: Activations) -> Self:
        """Return a copy of the model that keeps these promises instead of its own, and tells nobody."""

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance."""


class Rehearsing:
    """What a component needs for its rehearsals: its context, and its promises."""

    _context: Context
    _promises: Activations

    def rehearse(self, promises: Activations) -> Self:
        """Return a copy of the model that keeps these promises instead of its own, and tells nobody."""
        quiet = replace(self._context, emit=silent)
        return copy.deepcopy(self, {id(self._context): quiet, id(self._promises): promises})


@dataclass(frozen=True)
class Prospect:
    """What is tried one way, arrays of shape (units,): the largest change, and how it is reached."""

    most_mw: Floats
    ramp_mw_per_s: Floats
    delay_s: Floats
    least_mw: Floats

    def where(self, here: Bools, other: "Prospect") -> "Prospect":
        """Return this prospect for some units, and another one for the rest."""
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(Prospect))
        return Prospect(*(np.where(here, mine, theirs) for mine, theirs in pairs))

    def reached_s(self) -> Floats:
        """Return the time from the order to the whole change."""
        return np.where(self.most_mw > 0.0, self.delay_s + self.most_mw / self.ramp_mw_per_s, 0.0)


@dataclass(frozen=True)
class Span:
    """The steps of a rehearsal, and for how long the whole change is wanted.

    It is held for two steps longer there: the first does not count, and the last may be cut by its end.
    Lengths of steps are powers of two, so that what a model works out for a length is of use again.
    """

    steps: int
    dt_s: float
    wanted_s: float

    @property
    def hold_s(self) -> float:
        """For how long it is held."""
        return self.wanted_s + 2.0 * self.dt_s

    @classmethod
    def of(cls, reached_s: float, horizon_s: float, longest_s: float) -> "Span":
        """Return the span for a change that takes some time until it is there, and again to go back."""
        wanted_s = max(horizon_s, HOLDS_PU * reached_s)
        lasts_s = 2.0 * reached_s + wanted_s
        longest_s = min(lasts_s / max(FEWEST_STEPS, 4.0 * lasts_s / wanted_s), longest_s)
        dt_s = 2.0 ** math.floor(math.log2(longest_s))
        return cls(math.ceil(lasts_s / dt_s) + 2, dt_s, wanted_s)


@dataclass(frozen=True)
class Rehearsal:
    """One moment from which a model goes on, with inputs that stay.

    `allowed` says of a trial and the baseline which units may do so, besides delivering; `costs` what it
    costs. Both get the traces, `costs` the length of their steps, too.
    """

    model: Rehearsed
    t_s: float
    horizon_s: float
    inputs: Mapping[str, Floats]
    costs: Callable[[Trace, Trace, float], dict[str, Floats]]
    allowed: Callable[[Trace, Trace], Bools] | None = None
    longest_s: float = math.inf
    """Longest step, where a longer one would be another control."""
    steers: bool = False
    """Whether the model holds the meter at the baseline and the change, however the baseline moves."""

    def range(self, down: Prospect, up: Prospect) -> Flexibility:
        """Return the largest changes that are delivered, each way; what is not delivered is halved."""
        reached_s = max(float(side.reached_s().max(initial=0.0)) for side in (down, up))
        span = Span.of(reached_s, self.horizon_s, self.longest_s)
        base = self._run(Activations(down.most_mw.size), span)
        sides = (self._side(-1.0, down, base, span), self._side(1.0, up, base, span))
        return Flexibility(base["p_mw"].mean(axis=0), *sides)

    def _side(self, sign: float, prospect: Prospect, base: Trace, span: Span) -> Side:
        steady = np.ptp(base["p_mw"], axis=0) <= STEADY_PU * prospect.most_mw
        most_mw = np.where(steady | self.steers, prospect.most_mw, 0.0)
        if not most_mw.any():
            return Side.none(most_mw.size)
        ramp, delay_s, least_mw = prospect.ramp_mw_per_s, prospect.delay_s, prospect.least_mw
        good_mw, bad_mw, change_mw = np.zeros_like(most_mw), most_mw, most_mw
        costs: dict[str, Floats] = {}
        for _ in range(1 + HALVINGS):
            trial = self._run(self._promised(sign * change_mw, prospect, base, span), span)
            good = self._held(sign * change_mw, prospect, trial, base, span)
            ramp_s = change_mw / np.maximum(ramp, 1e-300)
            share = (span.wanted_s + ramp_s) / (span.hold_s + ramp_s)
            for name, cost in self.costs(trial, base, span.dt_s).items():
                of_wanted = cost if name in SPREAD else cost * share
                costs[name] = np.where(good, of_wanted, costs.get(name, 0.0))
            good_mw, bad_mw = np.where(good, change_mw, good_mw), np.where(good, bad_mw, change_mw)
            if np.all(good_mw == most_mw):
                break
            change_mw = np.where(good_mw == most_mw, most_mw, 0.5 * (good_mw + bad_mw))
        given_mw = np.where(good_mw >= least_mw, good_mw, 0.0)
        return Side.of(given_mw, ramp, self.horizon_s, delay_s, least_mw, **costs)

    def _promised(self, change_mw: Floats, prospect: Prospect, base: Trace, span: Span) -> Activations:
        """Return one promise for each unit, all asked for now."""
        start_s = self.t_s + prospect.delay_s
        ramp_s = np.abs(change_mw) / np.maximum(prospect.ramp_mw_per_s, 1e-300)
        rows = zip(start_s, change_mw, ramp_s, base["p_mw"].mean(axis=0), strict=True)
        promises = [
            Promise(i, float(at_s), float(p_mw), float(r_s), span.hold_s, float(base_mw))
            for i, (at_s, p_mw, r_s, base_mw) in enumerate(rows)
        ]
        return Activations.of(promises, change_mw.size)

    def _held(self, change_mw: Floats, prospect: Prospect, trial: Trace, base: Trace, span: Span) -> Bools:
        """Return where the whole change is there, from a step after it is reached to the end."""
        from_s = prospect.delay_s + np.abs(change_mw) / np.maximum(prospect.ramp_mw_per_s, 1e-300)
        t_s = (np.arange(span.steps) * span.dt_s)[:, None]
        to_s = from_s + span.hold_s
        whole = (t_s >= from_s + span.dt_s - 1e-9) & (t_s + span.dt_s <= to_s + 1e-9)
        off_mw = np.where(whole, trial["p_mw"] - base["p_mw"].mean(axis=0) - change_mw, 0.0)
        mean_mw = np.abs(off_mw.sum(axis=0)) / np.maximum(whole.sum(axis=0), 1)
        held: Bools = whole.any(axis=0) & (mean_mw <= HELD_RTOL * np.abs(change_mw))
        return held if self.allowed is None else held & self.allowed(trial, base)

    def _run(self, promises: Activations, span: Span) -> Trace:
        model = self.model.rehearse(promises)
        rows = [model.step(self.t_s + i * span.dt_s, span.dt_s, self.inputs) for i in range(span.steps)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}
