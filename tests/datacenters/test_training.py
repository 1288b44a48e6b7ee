"""Synchronous training: a square wave that is the same however it is cut, with a pace that can be moved."""

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.streams import Streams
from cosim.testing import check_component
from datacenters.training import Pace, Start, Stop, Sweep, Training, TrainingParams

JOB = {"gpus_count": 1000.0, "period_s": 2.0, "duty_pu": 0.6, "low_pu": 0.25, "jitter_pu": 0.0}


def made(**changes):
    jobs = Training([TrainingParams(**{**JOB, **changes})])
    jobs.reset(Context(streams=Streams(7), names=("job",)))
    return jobs


def work(jobs, dt_s, until_s, from_s=0.0):
    times = from_s + dt_s * np.arange(round((until_s - from_s) / dt_s))
    return np.array([jobs.step(t, dt_s, {})["work_gpu"][0] for t in times])


def test_the_contract_holds():
    jobs = [TrainingParams(**JOB), TrainingParams(**{**JOB, "jitter_pu": 0.05})]
    assert list(check_component(Training, jobs, dt_s=1.0)) == []


def test_an_iteration_computes_then_communicates():
    wave = work(made(), 0.1, 4.0)
    assert wave == pytest.approx(np.tile([1000.0] * 12 + [250.0] * 8, 2))


@pytest.mark.parametrize("dt_s", [0.02, 0.7, 5.0])
def test_means_do_not_depend_on_how_the_run_is_cut(dt_s):
    changes = {"jitter_pu": 0.05, "checkpoint_every_s": 9.0, "checkpoint_s": 3.0, "failures_per_mgpu_h": 1e6}
    fine, coarse = made(**changes, restart_s=4.0), made(**changes, restart_s=4.0)
    until_s = 70.0
    assert work(fine, 0.1, until_s).mean() == pytest.approx(work(coarse, dt_s, until_s).mean(), rel=1e-9)


def test_long_exchanges_tell_the_envelope_of_the_wave():
    jobs = made(period_s=0.5)
    out = jobs.step(0.0, 1.0, {})
    assert [out[port][0] for port in ("work_low_gpu", "work_gpu", "work_high_gpu")] == pytest.approx(
        [250.0, 700.0, 1000.0]
    )
    jobs.command(1.0, 0, "stop", Stop())
    assert jobs.step(1.0, 1.0, {})["work_high_gpu"][0] == 0.0


def test_the_spectrum_has_its_line_at_the_pace():
    wave = work(made(period_s=1 / 0.7, jitter_pu=0.01), 0.02, 200.0)
    lines = np.abs(np.fft.rfft(wave - wave.mean()))
    assert np.fft.rfftfreq(wave.size, 0.02)[lines.argmax()] == pytest.approx(0.7, abs=0.02)


def test_a_sweep_moves_the_pace_evenly_in_octaves():
    jobs = made(period_s=10.0)
    jobs.command(0.0, 0, "sweep", Sweep(to_hz=3.0, over_s=200.0))
    paces = [jobs.step(t, 1.0, {})["pace_hz"][0] for t in np.arange(250.0)]
    assert paces[99] == pytest.approx((0.1 * 3.0) ** 0.5, rel=1e-6)
    assert paces[-1] == pytest.approx(3.0)


def test_pace_stop_and_start_are_obeyed():
    jobs = made()
    work(jobs, 1.0, 10.0)
    jobs.command(10.0, 0, "stop", Stop())
    assert not work(jobs, 0.5, 20.0, from_s=10.0).any()
    jobs.command(20.0, 0, "pace", Pace(period_s=1.0))
    jobs.command(20.0, 0, "start", Start())
    assert work(jobs, 0.1, 22.0, from_s=20.0) == pytest.approx(np.tile([1000.0] * 6 + [250.0] * 4, 2))


def test_a_checkpoint_comes_after_its_time_and_the_job_goes_on():
    wave = work(made(checkpoint_every_s=10.0, checkpoint_s=5.0, checkpoint_pu=0.1), 0.5, 30.0)
    assert wave[20:30] == pytest.approx(100.0)
    assert wave[30] == pytest.approx(1000.0)


def test_failures_come_at_their_rate():
    jobs = made(gpus_count=16_384.0, failures_per_mgpu_h=1e4, restart_s=0.0, period_s=0.5)
    hours, seen = 2.0, []
    jobs.reset(Context(streams=Streams(3), names=("job",), emit=lambda *e: seen.append(e[2])))
    work(jobs, 0.25, hours * 3600.0)
    expected = 16_384 * 1e4 * 1e-6 * hours
    assert seen.count("failure") == pytest.approx(expected, rel=4 / np.sqrt(expected))


def test_checkpoints_closer_than_iterations_are_refused():
    with pytest.raises((ValueError, ScenarioError), match="shorter than period_s=2"):
        TrainingParams(**JOB, checkpoint_every_s=1.0)
