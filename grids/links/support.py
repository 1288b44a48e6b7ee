"""Frequency support: links whose frequency limit controllers tie the frequencies of two areas together."""

import math
from collections.abc import Sequence

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.types import Bools, Floats, Ints
from grids.kernels.answer import STIFF_PU
from grids.kernels.frequency import advance
from grids.kernels.frequency_state import Model, Span
from grids.links.kernels import support as kernel


class Support:
    """The frequency support of the links that have any, beside the areas at their ends.

    An exchange is first taken by every area alone. Where no frequency leaves a dead-band and no support is
    given, that is the answer; else the exchange is taken again, areas and supports together.

    Parameters
    ----------
    fixed
        Rows as in `kernels.support`, shape (SUPPORT_FIXED_ROWS, links).
    near, far
        Area at each end, -1 where it is outside the case, shape (links,).
    """

    def __init__(self, fixed: Floats, near: Ints, far: Ints) -> None:
        self._fixed = fixed
        self.areas = tuple(sorted({*near.tolist(), *far.tolist()} - {-1}))
        """Areas that are coupled."""
        if len(self.areas) > kernel.MOST_AREAS:
            msg = f"links support the frequency of {len(self.areas)} areas (allowed: {kernel.MOST_AREAS})"
            raise ScenarioError(msg)
        place = {area: k for k, area in enumerate(self.areas)} | {-1: -1}
        self._near: Ints = np.array([place[a] for a in near.tolist()], dtype=np.int64)
        self._far: Ints = np.array([place[a] for a in far.tolist()], dtype=np.int64)
        self._band_hz = np.full(len(self.areas), np.inf)
        for ends, row in ((self._near, kernel.NEAR_MW_PER_HZ), (self._far, kernel.FAR_MW_PER_HZ)):
            for j, a in enumerate(ends.tolist()):
                if a >= 0 and fixed[row, j] > 0.0:
                    self._band_hz[a] = min(self._band_hz[a], fixed[kernel.DEADBAND_HZ, j])
        self.reset()

    def reset(self) -> None:
        """Return to no support."""
        self._state: Floats = np.zeros((kernel.SUPPORT_STATE_ROWS, self._near.size))
        self.sent_mw: Floats = np.zeros(self._near.size)
        """What is sent beyond what is carried otherwise, at the end of the exchange (links,)."""
        self.sent_mean_mw: Floats = np.zeros(self._near.size)

    def limit(self, up_mw: Floats, down_mw: Floats, slope_pu: Floats) -> None:
        """Take how much more and less each link can send, and how much of it arrives (links,)."""
        self._fixed[kernel.UP_MW] = up_mw
        self._fixed[kernel.DOWN_MW] = down_mw
        self._fixed[kernel.SLOPE_PU] = slope_pu
        sent = self._state[kernel.SUPPORT_MW]
        np.clip(sent, -down_mw, up_mw, out=sent)

    def drawn_mw(self, areas: int) -> Floats:
        """Return what supports draw in every area at the end of the exchange, shape (areas,)."""
        drawn = np.zeros(areas)
        for k, area in enumerate(self.areas):
            drawn[area] = kernel.drawn_mw(self._fixed, self._state, self._near, self._far, k)
        return drawn

    def advance(self, models: Sequence[Model], spans: Sequence[Span]) -> list[Span]:
        """Advance all areas, and the supports between the coupled ones; return the inner steps taken."""
        coupled = [models[area] for area in self.areas]
        active = bool(self._state[kernel.SUPPORT_MW].any()) or self._beyond(coupled, now=True)
        kept = None if active else [_mutable(model) for model in coupled]
        before = [] if kept is None else [array.copy() for part in kept for array in part]
        for area, (model, span) in enumerate(zip(models, spans, strict=True)):
            if not active or area not in self.areas:
                advance(model, span)
        if kept is not None:
            if not self._beyond(coupled, now=False):
                self.sent_mw = self.sent_mean_mw = self._state[kernel.SUPPORT_MW].copy()
                return list(spans)
            for array, value in zip((array for part in kept for array in part), before, strict=True):
                array[...] = value
        steps = self._together(coupled, [spans[area] for area in self.areas])
        return [
            span._replace(steps=steps, step_s=span.step_s * span.steps / steps)
            if area in self.areas
            else span
            for area, span in enumerate(spans)
        ]

    def _beyond(self, models: Sequence[Model], *, now: bool) -> bool:
        """Say whether the frequency of any area is beyond its dead-band now, or was in the exchange."""
        for model, band_hz in zip(models, self._band_hz.tolist(), strict=True):
            here = model.area
            worst = abs(here.df_hz[0]) if now else max(-here.found[0], here.found[1])
            if worst > band_hz:
                return True
        return False

    def _together(self, models: Sequence[Model], spans: Sequence[Span]) -> int:
        """Advance the coupled areas with their supports; return how many inner steps that took."""
        t_s, whole_s = spans[0].t_s, spans[0].step_s * spans[0].steps
        longest_s = min(span.step_s for span in spans)
        gain = float(self._fixed[[kernel.NEAR_MW_PER_HZ, kernel.FAR_MW_PER_HZ]].sum())
        seconds, lag_s = (
            min(m.area.inertia_mws_per_hz for m in models) / gain,
            self._fixed[kernel.TIME_S].min(),
        )
        longest_s = min(longest_s, max(STIFF_PU * seconds, math.sqrt(STIFF_PU * seconds * lag_s)))
        steps = max(1, math.ceil(whole_s / longest_s - 1e-9))
        padded = (*models, *([models[-1]] * (kernel.MOST_AREAS - len(models))))
        imbalance = np.array([span.imbalance_mw for span in spans])
        kernel.advance_coupled(
            padded, t_s, whole_s / steps, steps, imbalance, self._near, self._far, self._fixed, self._state
        )
        self.sent_mw = self._state[kernel.SUPPORT_MW].copy()
        self.sent_mean_mw = self._state[kernel.SUM_MW] / steps
        return steps


def _mutable(model: Model) -> tuple[Floats | Ints | Bools, ...]:
    """Return the arrays of an area that an exchange changes."""
    a = model.area
    clocks = (a.agc_next_s, a.agc_integral_mw, a.df_hz, a.newest, a.behind, a.found, a.calm)
    return (model.machines.state, model.droops.state, *clocks, a.sample_s, a.sample_hz)
