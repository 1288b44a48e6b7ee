"""A sustained oscillation is found, its source and the mode it excites are named; a step is none."""

import json

import numpy as np
import pytest

from cosim.kpi import measure
from cosim.kpi.oscillation import oscillations
from cosim.results import TableSpec, Writer, load
from cosim.verdict import judge

STEP_S = 0.05


def folder(tmp_path, speed_pu, job_mw, modes=()):
    path = tmp_path / "run"
    path.mkdir()
    units = [{"name": "job", "kind": "training", "at": "bus_1"}]
    said = {"status": "complete", "pid": 1, "units": units, "grid": {"modes": list(modes)}}
    (path / "manifest.json").write_text(json.dumps(said))
    tables = {
        "gen": TableSpec(("g1", "g2"), ("speed_pu", "delta_degree")),
        "training": TableSpec(("job",), ("p_mw",)),
    }
    writer = Writer(path, tables)
    for k, (speed, power) in enumerate(zip(speed_pu, job_mw, strict=True)):
        gen = {"speed_pu": np.array([speed, 1.0]), "delta_degree": np.array([20.0 + k / 10.0, -10.0])}
        writer.append(k * STEP_S, STEP_S, {"gen": gen, "training": {"p_mw": np.array([power])}})
    writer.close()
    return load(path)


@pytest.mark.parametrize(("f_hz", "window_s"), [(0.4, 10.0), (0.63, 10.0), (1.9, 5.0)])
def test_a_sine_on_a_drift_is_found_with_its_frequency_and_amplitude(f_hz, window_s):
    t = np.arange(0.0, 40.0, STEP_S)
    values = (0.01 * np.sin(2 * np.pi * f_hz * t) + 0.002 * t)[:, None]
    found = oscillations(t, np.full(t.size, STEP_S), values, window_s)
    assert found.amplitude.max() == pytest.approx(0.01, rel=0.06)
    assert np.nanmedian(found.frequency_hz) == pytest.approx(f_hz, abs=0.5 / window_s)


def test_a_step_a_drift_and_a_decay_are_no_oscillation():
    t = np.arange(0.0, 40.0, STEP_S)
    values = np.stack([np.where(t > 17.0, 1.0, 0.0), 0.1 * t, np.exp(-t / 5.0)], axis=1)
    amplitude = oscillations(t, np.full(t.size, STEP_S), values, 10.0).amplitude
    assert amplitude.max(axis=0) == pytest.approx(0.0, abs=0.01)


def test_what_was_recorded_too_coarsely_is_not_looked_at():
    t = np.arange(0.0, 400.0, 1.0)
    values = np.sin(2 * np.pi * 0.3 * t)[:, None]
    assert oscillations(t, np.ones(t.size), values, 20.0).amplitude.max() == 0.0


def test_the_verdict_names_frequency_source_and_mode(tmp_path):
    t = np.arange(0.0, 30.0, STEP_S)
    wave = np.sin(2 * np.pi * 0.63 * t)
    modes = [{"f_hz": 0.65, "damping_pu": 0.052, "machines": ["g1"]}, {"f_hz": 1.2, "damping_pu": 0.1}]
    results = folder(tmp_path, 1.0 + 0.001 * wave, 200.0 + 98.0 * wave, modes)
    found = next(f for f in judge(results, ["cn_transient"]).findings if f.id == "oscillation")
    assert found.worst_element == "g1"
    assert found.worst_value == pytest.approx(0.001, rel=0.05)
    assert found.cause.startswith("swings at 0.625 Hz; job pulses by ±98.4 MW at that frequency; ")
    assert "resonance with the mode at 0.65 Hz, damping ratio 5.2 % (g1)" in found.cause
    assert measure(results, "oscillation_max_pu").at == "g1"
    assert measure(results, "oscillation_frequency_hz").value == pytest.approx(0.63, abs=0.03)


def test_a_unit_that_stopped_once_is_no_cause_and_a_mode_far_away_is_none_either(tmp_path):
    t = np.arange(0.0, 30.0, STEP_S)
    wave = np.sin(2 * np.pi * 0.63 * t)
    results = folder(
        tmp_path, 1.0 + 0.001 * wave, np.where(t < 21.0, 200.0, 0.0), [{"f_hz": 1.2, "damping_pu": 0.1}]
    )
    found = next(f for f in judge(results, ["cn_transient"]).findings if f.id == "oscillation")
    assert found.cause == "swings at 0.625 Hz; no mode of the grid is near, the nearest has 1.2 Hz"


def test_rotors_that_part_break_synchronism(tmp_path):
    t = np.arange(0.0, 80.0, STEP_S)
    results = folder(tmp_path, np.ones(t.size), np.full(t.size, 200.0))
    broken = next(f for f in judge(results, ["cn_transient"]).findings if f.id == "synchronism")
    assert broken.t_s == pytest.approx(1501 * STEP_S)
    assert measure(results, "angle_spread_max_degree").value == pytest.approx(30.0 + (t.size - 1) / 10.0)


def test_a_breach_that_may_last_leaves_the_margin_of_what_lasts(tmp_path):
    t = np.arange(0.0, 40.0, STEP_S)
    swing = np.where((t > 10.0) & (t < 15.0), 1.5, 1.02)
    path = tmp_path / "limits.yaml"
    path.write_text(
        "title: t\nlimits:\n  - id: high\n    title: h\n    at_most: 1.1\n    over_s: 10\n"
        "    status: published\n"
        "    quantity: {table: gen, column: speed_pu}\n    clause: {document: d}\n"
    )
    held = next(f for f in judge(folder(tmp_path, swing, swing), [str(path)]).held if f.id == "high")
    assert (held.value, held.margin) == (pytest.approx(1.02), pytest.approx(0.08))
