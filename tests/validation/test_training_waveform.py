"""The waveform of training in the rms engine: mean, envelope, spectrum, and what smoothing leaves of it.

Published: swings of 0.2-3 Hz, a residual swing of about 20 % of TDP behind the power floor of GB200 (slides
of arXiv 2508.14318). Gates here are the component's own mean and envelope (1 %) and arithmetic on levels.
"""

from functools import cache

import numpy as np
import pytest

from cosim.core.component import Context, DeviceOffer, devices_of, offer_of
from cosim.core.grid import Connections
from cosim.core.streams import Streams
from cosim.kpi.spectrum import share_in_band
from datacenters.training import TrainingParams
from datacenters.training_hall import TrainingHall, TrainingHallParams
from grids.params import RmsParams
from grids.rms import RmsGrid

HALL = {"rack": "gb300_nvl72", "it_rated_mw": 100.0, "tau_power_s": 0.1}
FAST = dict.fromkeys(("droop_mw_per_hz", "droop_up_mw", "droop_down_mw"), np.zeros(1))
PORTS = (
    *("order_mw", "order_mvar", "wave_mean_mw", "wave_low_mw", "wave_high_mw"),
    *("wave_since_s", "wave_high_s", "wave_low_s"),
)


@cache
def driven(until_s, exchange_s=0.1, inner_s=0.01, **smoothing):
    """Return what the component publishes and what its device draws at the end of each exchange."""
    job = TrainingParams(gpus_count=54_000.0, period_s=1.93, jitter_pu=0.01)
    params = TrainingHallParams(**HALL, job=job, smoothing=smoothing or None)
    halls = TrainingHall([params])
    halls.reset(Context(streams=Streams(5), names=("hall",)))
    hosted = offer_of(devices_of(halls)[0], DeviceOffer)
    connections = Connections(units=("hall",), points=("bus_7",), devices=(None,), hosted=(hosted,))
    grid = RmsGrid(RmsParams(case="kundur", inner_step_s=inner_s), connections)
    grid.reset(Context())
    heard = {port.name: np.array([port.default]) for port in halls.inputs}
    published, drawn = [], []
    for n in range(round(until_s / exchange_s)):
        t_s = n * exchange_s
        out = halls.step(t_s, exchange_s, heard)
        inputs = {name: out[name] for name in ("p_mw", "q_mvar", *PORTS)}
        tables = grid.step(t_s, exchange_s, {**inputs, "scale_pu": np.zeros(0), **FAST}, ())
        published.append(out["p_mw"][0])
        drawn.append(tables["point"]["p_mw"][0])
    return np.array(published), np.array(drawn)


def test_mean_and_envelope_in_the_grid_are_those_of_the_component_within_a_percent():
    published, drawn = driven(30.0)
    late = slice(40, None)
    assert drawn[late].mean() == pytest.approx(published[late].mean(), rel=0.01)
    assert np.ptp(drawn[late]) == pytest.approx(np.ptp(published[late]), rel=0.01)
    step_s = np.full(drawn.size, 0.1)
    assert share_in_band(0.1 * np.arange(drawn.size), step_s, drawn[:, None])[0] > 0.95


def test_long_exchanges_hide_the_pulse_from_the_component_and_not_from_the_grid():
    fine, coarse = driven(30.0)[1], driven(30.0, exchange_s=0.5)[1]
    assert np.ptp(coarse[8:]) == pytest.approx(np.ptp(fine[40:]), rel=0.02)
    assert coarse[8:].mean() == pytest.approx(fine[40:].mean(), rel=0.03)  # 100 samples of a square wave


def test_halving_the_inner_step_changes_the_waveform_by_two_thousandths_at_most():
    whole, half = (driven(12.0, inner_s=inner_s)[1] for inner_s in (0.01, 0.005))
    assert np.abs(whole - half).max() < 2e-3 * whole.max()


def test_smoothing_leaves_of_the_swing_in_the_grid_what_its_law_says():
    bare, floored = (driven(30.0, **smoothing)[1][60:] for smoothing in ({}, {"floor_pu": 0.8}))
    # of 100 MW: 0.7 of the dynamic power; full load less the floor. Losses pulse with them: 3-5 % more
    assert np.ptp(bare) == pytest.approx(0.7 * 0.8 * 100.0, rel=0.05)
    assert np.ptp(floored) == pytest.approx(20.0, rel=0.06)
    # a mean over 2.5 s leaves dP D (1 - D) T / tau of the swing: 9 MW
    flat = driven(30.0, capacitor_j_per_gpu=1300.0, capacitor_tau_s=2.5)[1][180:]
    assert np.ptp(flat) < 0.2 * np.ptp(bare)
