"""Energy that flattens a square wave: E = dP D (1-D) T, and what 65 J for each accelerator can do.

The law is arithmetic on a square wave. 65 J/GPU on GB300 and swings of 0.2-3 Hz are published (secondary);
that such capacitors alone flatten 600 W a GPU at 0.43 s and faster follows from both.
"""

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.streams import Streams
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.smoothing import HOUR_S, Capacitors, Smoothing
from datacenters.training import Training, TrainingParams


def flattened(energy_mj, swing_mw, duty_pu, period_s, tau_s=200.0):
    """Return what is drawn and the charge [MJ] over the last of many periods, (samples,) each."""
    params = Smoothing(capacitor_j_per_gpu=1e6 * energy_mj, capacitor_tau_s=tau_s)
    bank = Capacitors([params], np.array([1.0]))
    steps, dt_s = 40, period_s / 40
    work = 5.0 + swing_mw * (np.arange(steps) < round(duty_pu * steps))
    cycles = round(12.0 * tau_s / period_s)
    rows = []
    for cycle in range(cycles):
        for racks_mw in work:
            into_mw = bank.charge(np.array([racks_mw]), np.array([True]), dt_s)
            if cycle == cycles - 1:
                rows.append((racks_mw + into_mw[0], bank.energy_mwh[0] * HOUR_S))
    drawn, charge = np.array(rows).T
    return drawn, charge


@pytest.mark.parametrize(("duty_pu", "period_s"), [(0.5, 5.0), (0.7, 2.0), (0.25, 10.0)])
def test_flattening_moves_the_energy_of_the_law(duty_pu, period_s):
    law_mj = duty_pu * (1.0 - duty_pu) * period_s * 1.0
    drawn, charge = flattened(1e3, 1.0, duty_pu, period_s)
    assert np.ptp(charge) == pytest.approx(law_mj, rel=0.002)  # tau is 20 periods or more
    assert np.ptp(drawn) < 0.02
    assert drawn.mean() == pytest.approx(5.0 + duty_pu, rel=1e-3)


def test_one_megawatt_at_a_fifth_of_a_hertz_needs_a_quarter_of_five_megajoules():
    assert np.ptp(flattened(1e3, 1.0, 0.5, 5.0)[1]) == pytest.approx(1.25, rel=0.002)


@pytest.mark.parametrize("share", [1.02, 0.5])
def test_a_store_of_the_law_flattens_and_half_of_it_does_not(share):
    drawn, charge = flattened(share * 0.5, 1.0, 0.5, 2.0, tau_s=40.0)
    assert np.ptp(charge) <= share * 0.5 + 1e-12
    if share > 1.0:
        assert np.ptp(drawn) < 0.06
    else:
        assert np.ptp(drawn) > 0.9


@pytest.mark.parametrize(("period_s", "flat"), [(0.40, True), (0.43, True), (0.50, False), (2.0, False)])
def test_65_joule_flatten_600_watt_at_43_hundredths_of_a_second_and_faster(period_s, flat):
    drawn, _ = flattened(65e-6, 600e-6, 0.5, period_s, tau_s=20.0)
    assert (np.ptp(drawn) < 0.05 * 600e-6) == flat


def test_a_floor_of_80_percent_leaves_a_fifth_of_the_swing_of_training():
    # GB200: residual swing of 20 % of TDP (published, slides of arXiv 2508.14318)
    params = GpuHallParams(it_rated_mw=12.0, tau_power_s=0.1, smoothing=Smoothing(floor_pu=0.8))
    hall, job = GpuHall([params]), Training([TrainingParams(gpus_count=7200.0)])
    job.reset(Context(streams=Streams(1), names=("job",)))
    calm = {port.name: np.array([port.default]) for port in hall.inputs}
    works = [job.step(0.05 * n, 0.05, {})["work_gpu"] for n in range(600)]
    it_mw = [
        hall.step(0.05 * n, 0.05, {**calm, "work_gpu": work})["it_mw"][0] for n, work in enumerate(works)
    ]
    assert np.ptp(it_mw[100:]) / 12.0 == pytest.approx(0.20, abs=0.01)
