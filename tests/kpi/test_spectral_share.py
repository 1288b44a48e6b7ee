"""The share of a unit's power that moves between 0.1 and 20 Hz, for waves one can add up by hand."""

import json

import numpy as np
import pytest

from cosim.kpi import measure
from cosim.kpi.spectrum import share_in_band
from cosim.results import TableSpec, Writer, load


def share(values, step_s=0.02):
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    t_s = step_s * np.arange(len(values))
    return share_in_band(t_s, np.full(len(values), step_s), values)


def clock(span_s, step_s=0.02):
    return (np.arange(round(span_s / step_s)) + 0.5) * step_s


def square(t_s, f_hz):
    return np.where((t_s * f_hz) % 1.0 < 0.5, 1.0, -1.0)


def test_a_square_wave_inside_the_band_is_all_inside():
    assert share(50.0 + square(clock(60.0), 1.0))[0] == pytest.approx(1.0, abs=0.02)


def test_of_a_slow_square_wave_only_the_harmonics_are_inside():
    # 0.04 Hz: the first harmonic (8/pi^2 of the variance) is below 0.1 Hz, all others are above
    assert share(square(clock(500.0), 0.04))[0] == pytest.approx(1.0 - 8.0 / np.pi**2, abs=0.005)


def test_of_a_fast_square_wave_only_the_first_harmonics_are_inside():
    # 9 Hz at 1 ms: 1 and no more below 20 Hz, 8/pi^2 of the variance
    assert share(square(clock(40.0, 0.001), 9.0), 0.001)[0] == pytest.approx(8.0 / np.pi**2, abs=0.01)


def test_two_sines_share_by_the_squares_of_their_amplitudes():
    t_s = clock(300.0)
    both = 3.0 * np.sin(2 * np.pi * 0.03 * t_s) + 2.0 * np.sin(2 * np.pi * 0.7 * t_s)
    assert share(100.0 + both)[0] == pytest.approx(4.0 / 13.0, abs=0.005)


def test_a_ramp_and_a_constant_have_no_share_and_gaps_are_not_bridged():
    t_s = clock(60.0)
    assert share(np.column_stack([7.0 + 0.1 * t_s, np.full(t_s.size, 9.0)])) == pytest.approx(0.0)
    values = np.concatenate([np.full(100, 4.0), 4.0 + np.sin(2 * np.pi * clock(60.0))])[:, None]
    dt_s = np.concatenate([np.full(100, 1.0), np.full(3000, 0.02)])
    assert share_in_band(np.cumsum(dt_s) - dt_s, dt_s, values)[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("span_s", "step_s"), [(20.0, 0.02), (600.0, 0.5)])
def test_stretches_too_short_or_too_coarse_tell_nothing(span_s, step_s):
    t_s = clock(span_s, step_s)
    assert np.isnan(share(np.sin(t_s), step_s)).all()


def test_what_is_unknown_stays_unknown():
    wave = np.sin(2 * np.pi * clock(40.0))
    broken = wave.copy()
    broken[700] = np.nan
    found = share(np.column_stack([broken, wave]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(1.0, abs=1e-3)


def test_a_run_names_the_unit_whose_power_pulses_most(tmp_path):
    names = ("calm", "pulsing")
    units = [{"name": name, "kind": "gpu_hall", "at": "bus_1"} for name in names]
    (tmp_path / "manifest.json").write_text(json.dumps({"status": "complete", "pid": 1, "units": units}))
    writer = Writer(tmp_path, {"gpu_hall": TableSpec(names, ("p_mw",))})
    t_s = clock(100.0, 0.1)
    slow, fast = 20.0 * np.sin(2 * np.pi * 0.05 * t_s), 20.0 * square(t_s, 0.5)
    for t, calm, pulsing in zip(t_s, 100.0 + slow, 100.0 + slow + fast, strict=True):
        writer.append(t - 0.05, 0.1, {"gpu_hall": {"p_mw": np.array([calm, pulsing])}})
    writer.close()
    run = load(tmp_path)
    worst = measure(run, "spectral_share_pu")
    assert worst.at == "pulsing"
    assert worst.value == pytest.approx(2.0 / 3.0, abs=0.02)  # variances 1/2 (sine) and 1 (square wave)
    assert measure(run, "spectral_share_pu", "calm").value < 0.01
