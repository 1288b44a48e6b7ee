"""Limits of frequency are deviations: the same swing is judged alike at 50 and at 60 Hz."""

import numpy as np
import pytest
from made_run import made_run

from cosim.kpi import measure
from cosim.kpi.nominal import nominal_hz
from cosim.kpi.panel import Panel
from cosim.kpi.reduce import end_off_nominal
from cosim.report.plots import Plots
from cosim.results import TableSpec, Writer, load
from cosim.verdict import judge


@pytest.mark.parametrize("f_nominal_hz", [50.0, 60.0])
@pytest.mark.parametrize("f_known", [True, False])
def test_the_chinese_set_judges_the_same_swing_alike_at_any_nominal(tmp_path, f_nominal_hz, f_known):
    verdict = judge(made_run(tmp_path, f_nominal_hz=f_nominal_hz, f_known=f_known), ["cn"])
    low = next(f for f in verdict.held if f.id == "frequency_normal_low")
    assert verdict.passed
    assert low.value == pytest.approx(-0.07, abs=1e-9)  # the nadir of the made-up run, within an exchange
    assert low.margin == pytest.approx(0.13, abs=1e-9)
    assert not [f for f in verdict.warnings if f.unit == "Hz"]


def swing(folder, f_end_hz, f_min_hz, f_max_hz=50.0):
    """Write a run of one exchange."""
    row = {"f_hz": f_end_hz, "f_min_hz": f_min_hz, "f_max_hz": f_max_hz, "rocof_hz_per_s": 0.0}
    writer = Writer(folder, {"area": TableSpec(("a",), tuple(row))})
    writer.append(0.0, 60.0, {"area": {column: np.array([v]) for column, v in row.items()}})
    writer.close()
    (folder / "manifest.json").write_text('{"status": "complete"}', encoding="utf-8")
    return load(folder)


def test_a_dip_that_is_over_at_the_end_of_its_exchange_fails_all_the_same(tmp_path):
    verdict = judge(swing(tmp_path, f_end_hz=49.98, f_min_hz=49.7), ["cn"])
    assert verdict.first.id == "frequency_normal_low"
    assert verdict.first.value == pytest.approx(-0.3, abs=1e-9)


def test_a_rise_that_is_over_at_the_end_of_its_exchange_fails_all_the_same(tmp_path):
    verdict = judge(swing(tmp_path, f_end_hz=50.02, f_min_hz=50.0, f_max_hz=50.4), ["cn"])
    assert verdict.first.id == "frequency_normal_high"


def test_the_frequency_at_the_end_is_that_of_the_area_furthest_from_its_own_nominal():
    t_s = np.zeros(1)
    f_hz = np.array([[50.1, 59.7]])
    areas = Panel(t_s, t_s + 1.0, ("a", "b"), f_hz, np.isnan(f_hz), np.array([50.0, 60.0]))
    assert end_off_nominal(areas).at == "b"


def test_a_grid_of_60_hz_ends_at_60_hz_and_knows_it_at_every_table(tmp_path):
    run = made_run(tmp_path, f_nominal_hz=60.0)
    assert measure(run, "f_end_hz").value == pytest.approx(60.0, abs=1e-9)
    np.testing.assert_array_equal(nominal_hz(run, "point", ("hefei", "bess")), [60.0, 60.0])


def test_frequency_limits_are_drawn_about_nominal(tmp_path):
    run = made_run(tmp_path, f_nominal_hz=60.0)
    drawn = Plots(run, judge(run, ["cn"])).frequency()[0]
    fails = sorted(limit["y"] for limit in drawn.limits if limit["severity"] == "fail")
    assert fails == pytest.approx([59.8, 60.2], abs=1e-9)
    assert "59.8 Hz, GB/T 15945-2008 3.1" in {limit["text"] for limit in drawn.limits}
