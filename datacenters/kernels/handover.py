"""A hand-over of work between two halls, integrated exactly phase by phase."""

from typing import NamedTuple

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats

IDLE, WARM_UP, TRANSFER, DRAIN, DOUBLE, CUT_OVER, DONE = 0, 1, 2, 3, 4, 5, 6
"""Phases, in their order."""

EXPONENT = 5.0
"""An exponential drain has fallen to exp(-5) = 0.7 % at its end; that rest is taken off evenly."""

# inputs of every unit
WORK_GPU, ROOM_SOURCE_GPU, ROOM_TARGET_GPU, OFFERED_SOURCE_GPU, OFFERED_TARGET_GPU = range(5)
N_INPUTS = 5

# outputs of every unit
(
    GIVEN_GPU, SOURCE_GPU, TARGET_GPU, OVERHEAD_GPU, DOUBLE_GPU, BACKLOG_GPU_H, MOVED_PU, PHASE,
) = range(8)  # fmt: skip
N_OUTPUTS = 8

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
    reserved_gpu: Floats
    """(2, units): what source and target keep for others."""


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
    given_gpu: Floats
    """(2, units): what source and target were given in the last exchange."""


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
    means: Floats,
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
    means[SOURCE_GPU, i] += weight * (origin if ahead else destination)
    means[TARGET_GPU, i] += weight * (destination if ahead else origin)
    means[OVERHEAD_GPU, i] += weight * overhead
    means[DOUBLE_GPU, i] += weight * double


@jit
def room_gpu(end: int, i: int, inputs: Floats, rules: Rules, state: State) -> float:
    """Return what is left in a hall (0 source, 1 target) for this unit.

    Others have what it was offered in the last exchange less what came from here.
    """
    beside = inputs[OFFERED_SOURCE_GPU + end, i] - state.given_gpu[end, i]
    return float(inputs[ROOM_SOURCE_GPU + end, i] - max(beside, 0.0) - rules.reserved_gpu[end, i])


@jit
def moved_pu(i: int, t_s: float, phase: int, rules: Rules, state: State) -> float:
    """Return the share of the work at the target at `t_s`, which lies in `phase`."""
    part = 1.0 if phase > DRAIN else 0.0
    if phase == DRAIN:
        begins_s = state.begins_s[i]
        x = (t_s - begins_s[DRAIN]) / (begins_s[DOUBLE] - begins_s[DRAIN])
        part = 1.0 if rules.stops[i] > 0.0 else drained(x, rules.exponential[i])
    return float(state.moved_pu[i] + part * state.share_pu[i])


@jit
def advance(t_s: float, dt_s: float, inputs: Floats, rules: Rules, state: State, outputs: Floats) -> bool:
    """Advance every unit over [t, t + dt): outputs, backlog and when a backlog was worked off.

    Work and room hold over the step; phases begin whenever they begin, also within it. Returns whether
    a phase began or a backlog was worked off. `inputs` has shape (N_INPUTS, units), `outputs` (N_OUTPUTS,
    units).
    """
    news = False
    for i in range(inputs.shape[1]):
        outputs[:, i] = 0.0
        work = max(inputs[WORK_GPU, i], 0.0)
        state.emptied_s[i] = np.nan
        ahead = state.share_pu[i] >= 0.0
        room = room_gpu(1 if ahead else 0, i, inputs, rules, state)
        at_s, end_s = t_s, t_s + dt_s
        while at_s < end_s - EDGE_S:
            phase = phase_at(state.begins_s[i], at_s + EDGE_S)
            until_s = end_s
            if phase < DONE:
                for k in range(phase + 1, DONE + 1):
                    if state.begins_s[i, k] > at_s + EDGE_S:
                        until_s = min(until_s, state.begins_s[i, k])
            span_s = until_s - at_s
            advance_piece(i, phase, at_s, span_s, work, room, rules, state, span_s / dt_s, outputs)
            at_s = until_s
        ends_in = phase_at(state.begins_s[i], end_s + EDGE_S)
        began = phase_at(state.begins_s[i], t_s + EDGE_S) != ends_in
        news = news or began or not np.isnan(state.emptied_s[i])
        over, double = outputs[OVERHEAD_GPU, i], outputs[DOUBLE_GPU, i]
        outputs[SOURCE_GPU, i] += double if ahead else over
        outputs[TARGET_GPU, i] += over if ahead else double
        state.given_gpu[0, i], state.given_gpu[1, i] = outputs[SOURCE_GPU, i], outputs[TARGET_GPU, i]
        outputs[GIVEN_GPU, i], outputs[BACKLOG_GPU_H, i] = work, state.backlog_gpu_h[i]
        outputs[MOVED_PU, i], outputs[PHASE, i] = moved_pu(i, end_s, ends_in, rules, state), float(ends_in)
    return news
