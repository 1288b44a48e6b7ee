"""The requests of the built-in services have the statistics of the traces they are named after."""

import numpy as np
import pytest

from cosim.core.streams import Streams
from datacenters.data import table
from datacenters.demand import DemandParams, modulation_of
from datacenters.requests import Modulation, request_counts

SEEDS = 150
"""The median of 150 draws of the widest statistic (a maximum, spread 20 %) is known within 2 %."""

WITHIN = 0.10


def windowed(counts, window_s):
    """Return requests per window, the last one shorter: as the statistics of the traces were made."""
    return np.add.reduceat(counts, np.arange(0, counts.size, window_s))


def gaps(counts, rng):
    """Return the times between requests: within a second they come independently, evenly spread."""
    seconds = np.repeat(np.arange(counts.size), counts.astype(int))
    return np.diff(np.sort(seconds + rng.random(seconds.size)))


def statistics(counts, rng):
    between = gaps(counts, rng)
    found = {"rate_per_s": counts.mean(), "gap_cv_pu": between.std() / between.mean()}
    for window_s in (1, 10, 60, 300):
        sums = windowed(counts, window_s)
        found[f"peak_{window_s}s_pu"] = sums.max() / sums.mean()
        if window_s in (1, 60):
            found[f"fano_{window_s}s_pu"] = sums.var() / sums.mean()
    return found


def medians(modulation, duration_s, seeds=SEEDS):
    runs = []
    for seed in range(seeds):
        rng = Streams(seed).stream("demand/test")
        runs.append(statistics(request_counts(modulation, duration_s, rng), rng))
    return {name: float(np.median([run[name] for run in runs])) for name in runs[0]}


@pytest.mark.parametrize("service", ["conversation", "code"])
def test_medians_over_seeds_are_those_of_the_trace(service):
    trace = table("inference_statistics")[service]
    modulation = modulation_of(DemandParams(service=service, mean_gpu=1.0))
    found = medians(modulation, int(trace["duration_s"]))
    off = {name: value / float(trace[name]) - 1.0 for name, value in found.items()}
    assert len(off) == 8
    assert {name: round(gap, 3) for name, gap in off.items() if abs(gap) > WITHIN} == {}


def test_without_modulation_requests_are_poisson():
    found = medians(Modulation(rate_per_s=5.0), 3600, seeds=60)
    # gaps of a Poisson process are exponential (CV 1), counts have variance = mean (Fano 1)
    assert found["rate_per_s"] == pytest.approx(5.0, rel=0.01)
    assert found["gap_cv_pu"] == pytest.approx(1.0, abs=0.01)
    assert found["fano_1s_pu"] == pytest.approx(1.0, abs=0.01)


def test_a_front_end_limit_delays_requests_and_loses_none():
    free = request_counts(Modulation(rate_per_s=8.0), 4000, np.random.default_rng(3))
    held = request_counts(Modulation(rate_per_s=8.0, limit_per_s=10.0), 4000, np.random.default_rng(3))
    assert held.max() == 10.0
    assert held.mean() == pytest.approx(free.mean(), rel=0.05)  # 8 of 10 per second pass in the long run


def test_the_gate_is_open_for_its_share_of_time():
    counts = request_counts(
        Modulation(rate_per_s=100.0, on_s=20.0, off_s=60.0), 200_000, np.random.default_rng(4)
    )
    # 2500 openings: the share is known within 1/sqrt(2500) = 2 % of itself, times 1.5 for both times
    assert np.mean(counts > 0.0) == pytest.approx(0.25, rel=0.08)
    assert counts.mean() == pytest.approx(100.0, rel=0.08)
