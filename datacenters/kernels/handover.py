"""A hand-over of work between two halls, integrated exactly phase by phase."""

from typing import NamedTuple

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats

IDLE, WARM_UP, TRANSFER, DRAIN, DOUBLE, CUT_OVER, DONE = 0, 1, 2, 3, 4, 5, 6
"""Phases, in their order."""

EXPONENT = 5.0
"""An exponential drain has fallen to exp(-5) = 0.7 % at its end; that rest is taken off evenly."""

HOUR_S = 3600.0

EDGE_S = 1e-9
"""A phase that begins this soon has begun: instants of the clock are rounded floats."""


class Rules(NamedTuple):
    """What does not change during a run, arrays over units."""

    warm_up_pu: Floats
    double_pu: Floats
    catch_up_pu: Floats
    exponential: Floats
    stops: Floats


class State(NamedTuple):
    """What a hand-over remembers, arrays over units.

    `moved_pu` is the share at the target before the move under way, `share_pu` what that move adds
    to it (< 0: back to the source), `begins_s` of shape (units, 7) when each phase begins.
    """

    moved_pu: Floats
    share_pu: Floats
    begins_s: Floats
    backlog_gpu_h: Floats
    emptied_s: Floats


class Means(NamedTuple):
    """Means over a step, arrays over units: useful work at either hall, and what is run on top."""

    source_gpu: Floats
    target_gpu: Floats
    overhead_gpu: Floats
    double_gpu: Floats


@jit
def phase_at(begins_s: Floats, t_s: float) -> int:
    """Return the phase at `t_s`: the last one that has begun."""
    phase = IDLE
    for k in range(WARM_UP, DONE + 1):
        if begins_s[k] <= t_s:
            phase = k
    return phase


@jit
def drained(x: float, exponential: float) -> float:
    r"""Return the part of the work that has changed sides after a part `x` of the drain.

    Linear: `x`. Exponential, sessions ending at random: :math:`(1 - e^{-5x})/(1 - e^{-5})`.
    """
    if exponential > 0.0:
        return float((1.0 - np.exp(-EXPONENT * x)) / (1.0 - np.exp(-EXPONENT)))
    return x


@jit
def drained_area(x: float, exponential: float) -> float:
    """Return the integral of `drained` from 0 to `x`."""
    if exponential > 0.0:
        part = x + (np.exp(-EXPONENT * x) - 1.0) / EXPONENT
        return float(part / (1.0 - np.exp(-EXPONENT)))
    return 0.5 * x * x


@jit
def drained_when(y: float, exponential: float) -> float:
    """Return the part of the drain after which a part `y` has changed sides: `drained` inverted."""
    if exponential > 0.0:
        return float(-np.log(1.0 - y * (1.0 - np.exp(-EXPONENT))) / EXPONENT)
    return y


@jit
def drain_mean(from_x: float, to_x: float, exponential: float, most: float) -> tuple[float, float]:
    """Return the means over [from_x, to_x] of `drained` and of `min(drained, most)`."""
    mean = (drained_area(to_x, exponential) - drained_area(from_x, exponential)) / (to_x - from_x)
    if most >= drained(to_x, exponential):
        return mean, mean
    if most <= drained(from_x, exponential):
        return mean, most
    cross_x = drained_when(most, exponential)
    below = drained_area(cross_x, exponential) - drained_area(from_x, exponential)
    return mean, (below + most * (to_x - cross_x)) / (to_x - from_x)


@jit
def catch_up(backlog_gpu_h: float, free_gpu: float, most_gpu: float, span_s: float) -> tuple[float, float]:
    """Return the mean rate [GPU] at which a backlog is worked off and after how long it is gone [s].

    The rate is what is free, at most `most_gpu`, until nothing is left; the time is infinite when
    the backlog outlasts the span.
    """
    rate_gpu = min(free_gpu, most_gpu)
    if backlog_gpu_h <= 0.0 or rate_gpu <= 0.0:
        return 0.0, np.inf
    gone_s = backlog_gpu_h * HOUR_S / rate_gpu
    if gone_s >= span_s:
        return rate_gpu, np.inf
    return backlog_gpu_h * HOUR_S / span_s, gone_s


@jit
def served(
    phase: int, from_x: float, to_x: float, rules: Rules, i: int, most: float
) -> tuple[float, float, float]:
    """Return which parts of the moving work are done at the origin, due at and done at the destination.

    `from_x` and `to_x` say which part of a drain passes, `most` which part fits the destination. What
    is neither done at the origin nor at the destination waits.
    """
    stops = rules.stops[i] > 0.0
    if phase in (WARM_UP, TRANSFER):
        return (0.0 if stops and phase == TRANSFER else 1.0), 0.0, min(0.0, most)
    if phase == CUT_OVER:
        return 0.0, 0.0, min(0.0, most)
    if phase == DRAIN and not stops:
        due, fits = drain_mean(from_x, to_x, rules.exponential[i], most)
        return 1.0 - due, due, fits
    return 0.0, 1.0, min(1.0, most)


@jit
def advance_piece(
    i: int,
    phase: int,
    at_s: float,
    span_s: float,
    work_gpu: float,
    room_gpu: float,
    rules: Rules,
    state: State,
    weight: float,
    means: Means,
) -> None:
    r"""Add one piece of a step that lies within one phase to the means, weighted, and to the backlog.

    With the moving work :math:`m`, of which parts :math:`f_o` and :math:`f_d` are done at the origin
    and at the destination, the backlog obeys :math:`\dot b = m (1 - f_o - f_d) - r`, where `r` is
    what the destination works off, in the last phase only.
    """
    ahead = state.share_pu[i] >= 0.0
    moving = abs(state.share_pu[i]) * work_gpu
    at_target = state.moved_pu[i] * work_gpu
    staying = work_gpu - at_target - moving if ahead else at_target - moving
    there = at_target if ahead else work_gpu - at_target
    overhead = rules.warm_up_pu[i] * moving if phase == WARM_UP else 0.0
    double = rules.double_pu[i] * moving if phase == DOUBLE else 0.0
    room = np.inf if phase == IDLE else max(room_gpu - overhead, 0.0)
    most = (room - there) / moving if moving > 0.0 else 1.0
    begins_s, drain_s = state.begins_s[i, DRAIN], state.begins_s[i, DOUBLE] - state.begins_s[i, DRAIN]
    from_x = (at_s - begins_s) / drain_s if phase == DRAIN else 0.0
    to_x = min((at_s + span_s - begins_s) / drain_s, 1.0) if phase == DRAIN else 0.0
    at_origin, due, done = served(phase, from_x, to_x, rules, i, most)
    origin = staying + moving * at_origin
    destination = there + moving * done if moving > 0.0 else min(there, room)
    waiting = work_gpu - origin - destination
    if phase == DONE:
        assigned = there + moving * due
        rate, gone_s = catch_up(
            state.backlog_gpu_h[i], room - assigned, rules.catch_up_pu[i] * assigned, span_s
        )
        destination += rate
        waiting -= rate
        if gone_s < np.inf:
            state.emptied_s[i] = at_s + gone_s
    backlog = state.backlog_gpu_h[i] + waiting * span_s / HOUR_S
    state.backlog_gpu_h[i] = 0.0 if state.emptied_s[i] >= at_s else max(backlog, 0.0)
    means.source_gpu[i] += weight * (origin if ahead else destination)
    means.target_gpu[i] += weight * (destination if ahead else origin)
    means.overhead_gpu[i] += weight * overhead
    means.double_gpu[i] += weight * double


@jit
def advance(
    t_s: float,
    dt_s: float,
    work_gpu: Floats,
    room_source_gpu: Floats,
    room_target_gpu: Floats,
    rules: Rules,
    state: State,
    means: Means,
) -> bool:
    """Advance every unit over [t, t + dt): means, backlog and when a backlog was worked off.

    Work and room hold over the step; phases begin whenever they begin, also within it. Returns whether
    a phase began or a backlog was worked off.
    """
    news = False
    for i in range(work_gpu.size):
        means.source_gpu[i], means.target_gpu[i] = 0.0, 0.0
        means.overhead_gpu[i], means.double_gpu[i] = 0.0, 0.0
        state.emptied_s[i] = np.nan
        room = room_target_gpu[i] if state.share_pu[i] >= 0.0 else room_source_gpu[i]
        at_s, end_s = t_s, t_s + dt_s
        while at_s < end_s - EDGE_S:
            phase = phase_at(state.begins_s[i], at_s + EDGE_S)
            until_s = end_s
            if phase < DONE:
                for k in range(phase + 1, DONE + 1):
                    if state.begins_s[i, k] > at_s + EDGE_S:
                        until_s = min(until_s, state.begins_s[i, k])
            span_s = until_s - at_s
            advance_piece(i, phase, at_s, span_s, work_gpu[i], room, rules, state, span_s / dt_s, means)
            at_s = until_s
        began = phase_at(state.begins_s[i], t_s + EDGE_S) != phase_at(state.begins_s[i], end_s + EDGE_S)
        news = news or began or not np.isnan(state.emptied_s[i])
    return news
