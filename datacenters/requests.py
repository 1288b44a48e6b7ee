"""Requests of inference services: one random realisation, read in steps of any length."""

import numpy as np
from pydantic import Field

from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.kernels.demand import EDGE_S, Service, Stream, draw_block, settle, work_off


class Modulation(Params):
    """How the requests of one service come: a gate and two gamma levels over a Poisson process.

    The built-in services have theirs in `inference_services`, fitted to published traces.
    """

    rate_per_s: float = Field(gt=0, description="mean requests per second of one stream")
    on_s: float = Field(default=60.0, gt=0, description="mean time the gate is open")
    on_cv_pu: float = Field(
        default=1.0, ge=0.05, le=3, description="coefficient of variation of the open times"
    )
    off_s: float = Field(default=0.0, ge=0, description="mean time the gate is shut (0: never)")
    off_cv_pu: float = Field(
        default=1.0, ge=0.05, le=3, description="coefficient of variation of the shut times"
    )
    slow_cv_pu: float = Field(
        default=0.0, ge=0, le=5, description="coefficient of variation of the slow level"
    )
    slow_s: float = Field(default=300.0, gt=0, description="mean time the slow level is kept")
    fast_cv_pu: float = Field(
        default=0.0, ge=0, le=5, description="coefficient of variation of the fast level"
    )
    fast_s: float = Field(default=5.0, gt=0, description="mean time the fast level is kept")
    limit_per_s: float = Field(
        default=0.0, ge=0, description="most requests let in per second, the others wait (0: no limit)"
    )
    size_cv_pu: float = Field(
        default=1.0, ge=0, le=10, description="coefficient of variation of the work of one request"
    )
    service_s: float = Field(
        default=5.0, ge=0, description="time constant with which the work of a request is done"
    )


BLOCK_S = 600
"""Seconds drawn at once: calling the compiled draw costs as much as drawing 50 seconds."""


class Requests:
    """The requests of `count` independent streams of one service, and the work in progress."""

    def __init__(self, modulation: Modulation, count: int, rng: np.random.Generator) -> None:
        self._service = _service(modulation)
        self._stream = _stream(count)
        self._rng = rng
        self._requests, self._arriving_pu = np.zeros(BLOCK_S), np.zeros(BLOCK_S)
        self._busy_pu = np.ones(1)
        self._first_s = -float(BLOCK_S)
        settle(rng, self._service, self._stream)

    def mean(self, t_s: float, dt_s: float) -> tuple[float, float]:
        """Return the mean requests per second and work in progress [pu of its mean] over a step.

        Steps follow each other from 0 on without gaps.
        """
        requests, busy_pu = 0.0, 0.0
        at_s, end_s = t_s, t_s + dt_s
        while at_s < end_s - EDGE_S:
            if at_s > self._first_s + BLOCK_S - EDGE_S:
                draw_block(self._rng, self._service, self._stream, self._requests, self._arriving_pu)
                self._first_s += BLOCK_S
            until_s = min(end_s, self._first_s + BLOCK_S)
            span = (at_s - self._first_s, until_s - self._first_s)
            part = work_off(self._requests, self._arriving_pu, self._service.service_s, span, self._busy_pu)
            requests += part[0]
            busy_pu += part[1]
            at_s = until_s
        return requests / dt_s, busy_pu / dt_s


def request_counts(modulation: Modulation, duration_s: int, rng: np.random.Generator) -> Floats:
    """Return the requests in every second of one stream, as the component draws them."""
    service, stream = _service(modulation), _stream(1)
    settle(rng, service, stream)
    requests, arriving_pu = np.zeros(duration_s), np.zeros(duration_s)
    draw_block(rng, service, stream, requests, arriving_pu)
    return requests


def _service(modulation: Modulation) -> Service:
    return Service(
        rate_per_s=modulation.rate_per_s,
        on_s=modulation.on_s,
        on_cv_pu=modulation.on_cv_pu,
        off_s=modulation.off_s,
        off_cv_pu=modulation.off_cv_pu,
        slow_cv_pu=modulation.slow_cv_pu,
        slow_s=modulation.slow_s,
        fast_cv_pu=modulation.fast_cv_pu,
        fast_s=modulation.fast_s,
        limit_per_s=modulation.limit_per_s,
        size_cv_pu=modulation.size_cv_pu,
        service_s=modulation.service_s,
    )


def _stream(count: int) -> Stream:
    return Stream(
        gate=np.zeros(count),
        gate_left_s=np.zeros(count),
        slow_pu=np.ones(count),
        slow_left_s=np.zeros(count),
        fast_pu=np.ones(1),
        fast_left_s=np.zeros(1),
        waiting=np.zeros(1),
    )
