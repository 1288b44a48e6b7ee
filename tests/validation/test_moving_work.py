"""Scenarios of work that moves, against what was published and with the guard on and off."""

import json

import pytest
import yaml

from cosim.assemble import prepare
from cosim.core.places import reference_folder
from cosim.kpi import compute
from cosim.run import run
from cosim.scenario import load
from cosim.validate import KPI_FILE

GUARDED = {
    "gigawatt_ramp": "gigawatt_ramp_unguarded",
    "site_flash_loss": "site_flash_loss_unguarded",
    "horinger_takes_over": "horinger_takes_over_unguarded",
}
"""Scenario with the guard -> the same without."""


def golden(name: str) -> dict:
    return yaml.safe_load((reference_folder() / name / KPI_FILE).read_text(encoding="utf-8"))


def verdict(name: str) -> str:
    return golden(name)["verdict"]


@pytest.mark.parametrize(("on", "off"), GUARDED.items())
def test_limits_hold_with_the_guard_and_break_without_it(on, off):
    """Runs of both are compared with these references by `test_reference_scenarios`."""
    assert load(on).grid.model_dump()["guard"] is not None
    assert [verdict(on), verdict(off)] == ["pass", "fail"]


def test_lingang_gives_up_eight_megawatts_within_three_minutes_to_shiyan(tmp_path):
    """Published test of 2025-07-04: taken over within 180 s, 75 % of a machine's load, 8 MW at most."""
    results = run(prepare("shiyan_test"), tmp_path)
    assert compute(results, "handover_time_s", None) <= 180.0
    assert compute(results, "work_unserved_gpu_h", None) == pytest.approx(0.0, abs=1e-6)
    p = results.series("gpu_hall", "p_mw")
    assert p["lingang"].loc[590.0] - p["lingang"].iloc[-1] == pytest.approx(8.0, abs=0.2)
    assert p["shiyan"].iloc[-1] - p["shiyan"].loc[590.0] == pytest.approx(8.0, rel=0.05)
    work = results.series("gpu_hall", "work_done_gpu")
    assert work["lingang"].iloc[-1] / work["lingang"].loc[590.0] == pytest.approx(0.25, abs=1e-3)


def test_on_the_night_of_the_cut_line_every_job_runs_at_one_site_and_what_is_lost_is_told(tmp_path):
    results = run(prepare("site_flash_loss"), tmp_path)
    kinds = set(results.events["kind"])
    assert {
        "line_cut",
        "job_stalled",
        "job_rolled_back",
        "line_back",
        "site_lost",
        "job_failed",
        "site_back",
    } <= kinds
    assert results.series("site", "running_count").iloc[-1].sum() == 12
    held = results.series("site", "reserved_gpu")
    assert (held.to_numpy() <= [52_000, 140_000]).all()
    told = results.events.query("kind == 'guard' and source == 'huaibei'")["data"].map(json.loads)
    cut = [why for why in told if why["granted_mw"] < why["asked_mw"]]
    assert {(why["limit"], why["at"]) for why in cut} == {("loading", "Huaibei park 110/10")}


def test_work_that_follows_the_wind_is_the_same_work_and_imports_a_fifth_less():
    """Runs of both are compared with these references by `test_reference_scenarios`."""
    follows, ignores = (
        {row["kpi"]: row["value"] for row in golden(name)["kpis"]}
        for name in ("qingyang_follows_wind", "qingyang_ignores_wind")
    )
    assert follows["work_done_gpu_h"] == pytest.approx(ignores["work_done_gpu_h"], rel=1e-3)
    assert follows["energy_import_mwh"] < 0.8 * ignores["energy_import_mwh"]
