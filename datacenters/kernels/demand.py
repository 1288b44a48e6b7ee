"""Requests of an inference service, second by second: a doubly stochastic (Cox) process."""

from typing import NamedTuple

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats

EDGE_S = 1e-6
"""A step that ends this close to a full second ends on it: exchange instants are rounded floats."""


class Service(NamedTuple):
    """How the requests of one service come.

    Requests per second and stream; means and coefficients of variation of the times its gate is open
    and shut (`off_s` 0: never); coefficients of variation and mean holding times of its gamma levels;
    most requests let in per second (0: no limit); coefficient of variation of the work of
    a request; time constant with which work is done.
    """

    rate_per_s: float
    on_s: float
    on_cv_pu: float
    off_s: float
    off_cv_pu: float
    slow_cv_pu: float
    slow_s: float
    fast_cv_pu: float
    fast_s: float
    limit_per_s: float
    size_cv_pu: float
    service_s: float


class Stream(NamedTuple):
    """State of `n` independent streams, arrays (n,), and of what they share, arrays (1,).

    A gate and a slow level each; one fast level and the requests waiting at the front end together.
    """

    gate: Floats
    gate_left_s: Floats
    slow_pu: Floats
    slow_left_s: Floats
    fast_pu: Floats
    fast_left_s: Floats
    waiting: Floats


@jit
def whole_seconds(rng: np.random.Generator, span_s: float) -> float:
    """Round to whole seconds up or down by chance, so that the mean stays what it was."""
    return float(np.floor(span_s + rng.random()))


@jit
def level(rng: np.random.Generator, cv_pu: float) -> float:
    """Draw a gamma variable of mean one and the given coefficient of variation."""
    variance = cv_pu**2
    return float(rng.standard_gamma(1.0 / variance) * variance)


@jit
def hold(rng: np.random.Generator, mean_s: float, cv_pu: float) -> float:
    """Draw for how many whole seconds a state lasts: gamma of `mean_s` and coefficient of variation."""
    return whole_seconds(rng, level(rng, cv_pu) * mean_s)


@jit
def rest_of_hold(rng: np.random.Generator, mean_s: float, cv_pu: float) -> float:
    """Draw what is left of a state met at a random instant: a uniform part of a length-biased hold.

    The length-biased gamma of shape k is the gamma of shape k + 1; for k = 1 the rest is the
    exponential itself, which has no memory.
    """
    variance = cv_pu**2
    length_s = rng.standard_gamma(1.0 / variance + 1.0) * variance * mean_s
    return whole_seconds(rng, rng.random() * length_s)


@jit
def modulation(rng: np.random.Generator, service: Service, stream: Stream) -> float:
    r"""Advance every stream's modulation by one second; return the mean over the streams [pu].

    :math:`\lambda/\bar\lambda = (g/p_{on}) G_{slow} G_{fast}`: a gate `g` that is open and shut for
    gamma times, and levels :math:`G \sim \Gamma(1/c^2,\, c^2)` of mean one and coefficient of variation
    `c`, each kept for an exponential time and then drawn anew [1]_.

    With weights :math:`a_i = g_i G_{slow,i}` the streams' fast levels add up to
    :math:`\sum a_i G_i`. One common level with :math:`c\,\sqrt{\sum a_i^2}/\sum a_i` has the same mean,
    variance and autocorrelation, and is that level itself for one stream.

    References
    ----------
    .. [1] D. R. Cox, Some statistical methods connected with series of events, JRSS B 17 (1955).
    """
    open_pu = service.on_s / (service.on_s + service.off_s)
    total, squares = 0.0, 0.0
    for i in range(stream.gate.size):
        stream.gate_left_s[i] -= 1.0
        while service.off_s > 0.0 and stream.gate_left_s[i] < 0.0:
            stream.gate[i] = 1.0 - stream.gate[i]
            is_open = stream.gate[i] > 0.0
            stream.gate_left_s[i] += (
                hold(rng, service.on_s, service.on_cv_pu)
                if is_open
                else hold(rng, service.off_s, service.off_cv_pu)
            )
        stream.slow_left_s[i] -= 1.0
        while service.slow_cv_pu > 0.0 and stream.slow_left_s[i] < 0.0:
            stream.slow_pu[i] = level(rng, service.slow_cv_pu)
            stream.slow_left_s[i] += hold(rng, service.slow_s, 1.0)
        weight = stream.gate[i] * stream.slow_pu[i]
        total += weight
        squares += weight * weight
    stream.fast_left_s[0] -= 1.0
    while service.fast_cv_pu > 0.0 and stream.fast_left_s[0] < 0.0:
        alike = np.sqrt(squares) / total if total > 0.0 else 1.0
        stream.fast_pu[0] = level(rng, service.fast_cv_pu * alike)
        stream.fast_left_s[0] += hold(rng, service.fast_s, 1.0)
    return float(total * stream.fast_pu[0] / (open_pu * stream.gate.size))


@jit
def settle(rng: np.random.Generator, service: Service, stream: Stream) -> None:
    """Write a state drawn from the long-run distribution, before second 0."""
    open_pu = service.on_s / (service.on_s + service.off_s)
    for i in range(stream.gate.size):
        is_open = rng.random() < open_pu
        stream.gate[i] = 1.0 if is_open else 0.0
        stream.gate_left_s[i] = (
            rest_of_hold(rng, service.on_s, service.on_cv_pu)
            if is_open
            else rest_of_hold(rng, service.off_s, service.off_cv_pu)
        )
        stream.slow_pu[i] = 1.0
        stream.slow_left_s[i] = 0.0
    stream.fast_pu[0] = 1.0
    stream.fast_left_s[0] = 0.0
    stream.waiting[0] = 0.0


@jit
def draw_second(rng: np.random.Generator, service: Service, stream: Stream) -> tuple[float, float]:
    r"""Draw the next second: return the requests let in and the work they bring [pu].

    Requests :math:`N \sim \mathrm{Poisson}(n\lambda)` for `n` streams together (a sum of independent
    Poisson counts is one); their work is the sum of `N` sizes :math:`\Gamma(1/c^2, c^2)`, which is
    :math:`\Gamma(N/c^2, c^2)`. Work is in units of the mean work per second, so it averages 1. A front
    end lets in at most so many requests per second; the others wait for the next second.
    """
    expected = service.rate_per_s * modulation(rng, service, stream) * stream.gate.size
    count = float(rng.poisson(expected)) + stream.waiting[0]
    if service.limit_per_s > 0.0:
        admitted = min(count, np.floor(service.limit_per_s * stream.gate.size))
        stream.waiting[0] = count - admitted
        count = admitted
    work = count
    if count > 0.0 and service.size_cv_pu > 0.0:
        variance = service.size_cv_pu**2
        work = rng.standard_gamma(count / variance) * variance
    return count, work / (service.rate_per_s * stream.gate.size)


@jit
def draw_block(
    rng: np.random.Generator, service: Service, stream: Stream, requests: Floats, arriving_pu: Floats
) -> None:
    """Write the requests of the next seconds and the work they bring, arrays (seconds,).

    Blocks only save time: handing a generator to a compiled function costs as much as 50 seconds.
    """
    for second in range(requests.size):
        requests[second], arriving_pu[second] = draw_second(rng, service, stream)


@jit
def work_off(
    requests: Floats, arriving_pu: Floats, service_s: float, span: tuple[float, float], busy_pu: Floats
) -> tuple[float, float]:
    r"""Return the integrals of requests per second and of work in progress [pu s] over a span.

    The span is in seconds after the first of the block. One realisation on a grid of whole seconds
    underlies every step: a longer or shorter step integrates it exactly. Work arriving as a rate
    `w`, constant within a second, leaves through a first-order lag, :math:`\dot y = (w - y)/\tau`
    with the service time :math:`\tau`; `busy_pu` (1,) is `y` at the beginning and becomes that at
    the end.
    """
    at_s, end_s = span
    total, busy = 0.0, 0.0
    while at_s < end_s - EDGE_S:
        second = int(np.floor(at_s + EDGE_S))
        until_s = second + 1.0 if end_s > second + 1.0 - EDGE_S else end_s
        part_s = until_s - at_s
        left = np.exp(-part_s / service_s) if service_s > 0.0 else 0.0
        gap = busy_pu[0] - arriving_pu[second]
        total += requests[second] * part_s
        busy += arriving_pu[second] * part_s + gap * service_s * (1.0 - left)
        busy_pu[0] = arriving_pu[second] + gap * left
        at_s = until_s
    return total, busy


@jit
def surge_area(t_s: float, ramp_s: float, hold_s: float) -> float:
    r"""Return the time integral [s] up to `t_s` of a surge that begins at 0 and has height one.

    Up along :math:`(1 - \cos(\pi t/r))/2`, hold, down along its mirror image: no jump in value or
    slope. Each ramp is worth half its length.
    """
    up_s = min(max(t_s, 0.0), ramp_s)
    down_s = min(max(t_s - ramp_s - hold_s, 0.0), ramp_s)
    top_s = min(max(t_s - ramp_s, 0.0), hold_s)
    area = top_s + 0.5 * (up_s + down_s)
    if ramp_s > 0.0:
        wave_s = 0.5 * ramp_s / np.pi
        area += wave_s * (np.sin(np.pi * down_s / ramp_s) - np.sin(np.pi * up_s / ramp_s))
    return float(area)
