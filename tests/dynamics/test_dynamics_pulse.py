"""A pulse orders a load what training draws: its mean, its edges between steps, its spectrum."""

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from cosim.core.wave import Limits, Wave, draw, mean_drawn, settled
from cosim.kpi.spectrum import share_in_band
from grids.case import load_case
from grids.dynamics import Run, begin
from grids.dynamics.devices.pulse import PulseParams
from grids.dynamics.kernels.electronic_load_rows import ElectronicLoadParams
from grids.dynamics.tables import Unit

SMIB = load_case("smib")
BASE = float(SMIB.net.sn_mva)
ORDER_MW, LOW_MW, HIGH_MW = 100.0, 60.0, 120.0
WAVE = {"wave_low_mw": LOW_MW, "wave_high_mw": HIGH_MW, "wave_high_s": 1.4, "wave_low_s": 0.6}
ENDLESS = 1e12


def pulsing(until_s: float, step_s: float = 0.01, **limits: float) -> Run:
    """Return a run in which a load behind an infinite bus swings about 100 MW with a mean of 102."""
    net = copy.deepcopy(SMIB.net)
    bus = int(net.bus.index[net.bus.name == "high"][0])
    pp.create_load(net, bus, ORDER_MW, 20.0, name="hall")
    machines = [
        {"name": "gen", "sn_mva": 2220.0, "h_s": 10.0, "d_pu": 20.0, "xd1_pu": 0.3},
        {"name": "infinite", "sn_mva": 2220.0, "h_s": 1e9, "xd1_pu": 2e-5},
    ]
    net["gencls"] = pd.DataFrame(machines)
    load = ElectronicLoadParams(sn_mva=200, vcease_pu=0, tset_s=0.005, ti_s=0)
    units = [Unit("electronic_load", "hall", load), Unit("pulse", "hall", PulseParams(**limits))]
    session = begin(dataclasses.replace(SMIB, net=net, folder=None), units=units, step_s=step_s)
    assert np.abs(session.derivatives).max() < 1e-8
    for name, value in {**WAVE, "wave_mean_mw": 102.0}.items():
        session.set_input("hall", name, value)
    session.advance(until_s, every=1)
    return Run(session)


def drawn_mw(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return instants and what the hall draws."""
    return run.t_s, run.signal("p_load_pu")["hall"].to_numpy() * BASE


def mean_mw(run: Run) -> float:
    """Return the mean behind the first iteration: the wave begins settled at its top."""
    t_s, p_mw = drawn_mw(run)
    t_s, p_mw = t_s[t_s >= 2.0 - 1e-9], p_mw[t_s >= 2.0 - 1e-9]
    return float(np.trapezoid(p_mw, t_s) / (t_s[-1] - t_s[0]))


def test_the_mean_is_that_of_the_wave_and_the_levels_are_reached():
    run = pulsing(40.0, tau_s=0.05)
    t_s, p_mw = drawn_mw(run)
    assert mean_mw(run) == pytest.approx(ORDER_MW, abs=0.05)  # 102 is the mean of the wave itself
    assert p_mw[t_s > 1.0].max() == pytest.approx(ORDER_MW + HIGH_MW - 102.0, rel=1e-3)
    assert p_mw[t_s > 1.0].min() == pytest.approx(ORDER_MW + LOW_MW - 102.0, rel=1e-3)


def test_halving_the_inner_step_converges():
    means = [mean_mw(pulsing(8.0, step_s)) for step_s in (0.02, 0.01, 0.005)]
    assert abs(means[2] - means[1]) < 0.7 * abs(means[1] - means[0]) + 1e-9
    assert means[1] == pytest.approx(means[2], abs=0.02)


def test_ramp_limits_and_capacitors_leave_the_mean_and_cut_the_swing():
    # behind the first periods: a fall of 60 MW in 0.6 s at 50 MW/s gets half-way down
    ramped = pulsing(40.0, tau_s=0.02, rise_mw_per_s=ENDLESS, fall_mw_per_s=50.0)
    t_s, p_mw = drawn_mw(ramped)
    late = t_s > 10.0
    assert p_mw[late].max() - p_mw[late].min() == pytest.approx(30.0, rel=0.05)
    flat = pulsing(40.0, tau_s=0.02, capacitor_mj=100.0, capacitor_tau_s=4.0)
    t_s, p_mw = drawn_mw(flat)
    assert np.ptp(p_mw[t_s > 30.0]) < 10.0  # of 60 MW; 6.3 would be left of the mean of 4 s alone
    assert mean_mw(flat) == pytest.approx(mean_mw(pulsing(40.0, tau_s=0.02)), abs=1.0)  # less a charge


def test_the_spectral_share_of_the_waveform_is_nearly_all_within_the_band():
    run = pulsing(60.0, step_s=0.01, tau_s=0.05)
    t_s, p_mw = drawn_mw(run)
    even_s = np.arange(0.0, 60.0, 0.01)
    even = np.interp(even_s, t_s, p_mw)[:, None]
    assert share_in_band(even_s, np.full(even_s.size, 0.01), even)[0] > 0.99
    lines = np.abs(np.fft.rfft(even[:, 0] - even.mean()))
    assert np.fft.rfftfreq(even_s.size, 0.01)[lines.argmax()] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("parts", [1, 7, 400])
def test_the_law_is_exact_however_it_is_cut(parts):
    wave, limits = Wave(LOW_MW, HIGH_MW, 0.9, 1.4, 0.6), Limits(0.1, 80.0, 150.0, 0.0, 1.0)
    state, total = settled(wave, limits), 0.0
    for _ in range(parts):
        mean, state = draw(wave, limits, state, 12.0 / parts)
        total += mean / parts
    assert total == pytest.approx(mean_drawn(wave, limits, settled(wave, limits), 12.0, 12.0)[0], rel=1e-12)


def test_the_law_conserves_energy_behind_the_lag():
    wave, limits = Wave(LOW_MW, HIGH_MW, 0.0, 1.4, 0.6), Limits(0.3, ENDLESS, ENDLESS, 0.0, 1.0)
    start = settled(wave, limits)
    mean, end = draw(wave, limits, start, 10.0)
    # y' tau = h - y: what was wanted is what was drawn and what the lag still holds back
    assert mean * 10.0 + 0.3 * (end.lagged_mw - start.lagged_mw) == pytest.approx(102.0 * 10.0, rel=1e-12)


def test_capacitors_move_the_energy_of_the_law():
    wave, limits = Wave(LOW_MW, HIGH_MW, 0.0, 1.4, 0.6), Limits(0.001, ENDLESS, ENDLESS, 100.0, 10.0)
    state, charge_mj = settled(wave, limits), []
    for _ in range(12_000):
        _, state = draw(wave, limits, state, 0.01)
        charge_mj.append(state.charge_mj)
    law_mj = (HIGH_MW - LOW_MW) * 0.7 * 0.3 * 2.0  # of a square wave: dP D (1 - D) T
    assert np.ptp(charge_mj[-1000:]) == pytest.approx(law_mj, rel=0.02)
