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


def told(results, *kinds):
    events = results.events[results.events["kind"].isin(kinds)]
    return [(t_s, json.loads(data)) for t_s, data in zip(events["t_s"], events["data"], strict=True)]


def test_jobs_and_a_service_of_lingang_go_to_shiyan_as_published(tmp_path):
    """The same test told by a fleet: 180 s, -75 % of a machine's work, 8 MW at most."""
    results = run(prepare("shiyan_fleet"), tmp_path)
    assert [data for _, data in told(results, "refused", "job_rolled_back", "service_rolled_back")] == []
    assert max(t_s for t_s, _ in told(results, "job_moved", "service_moved")) <= 780.0
    p, work = (results.series("gpu_hall", column) for column in ("p_mw", "work_done_gpu"))
    assert p["lingang"].loc[590.0] - p["lingang"].iloc[-1] == pytest.approx(8.0, abs=0.2)
    assert p["shiyan"].iloc[-1] - p["shiyan"].loc[590.0] == pytest.approx(8.0, rel=0.05)
    assert work["lingang"].loc[780.0] / work["lingang"].loc[590.0] == pytest.approx(0.25, abs=1e-3)
    assert compute(results, "unanswered_share_pu", "tasks") == pytest.approx(0.0, abs=1e-9)


def test_all_jobs_and_services_of_hefei_go_to_huaibei_as_published(tmp_path):
    """Published test: the whole take-over in three minutes, load per machine at Huaibei +50 %."""
    results = run(prepare("hefei_huaibei_fleet"), tmp_path)
    assert [data for _, data in told(results, "refused", "job_rolled_back", "service_rolled_back")] == []
    assert max(t_s for t_s, _ in told(results, "job_moved", "service_moved")) <= 480.0
    work = results.series("gpu_hall", "work_done_gpu")
    before, after = work.loc[200.0:290.0].mean(), work.loc[480.0:580.0].mean()
    assert after["huaibei"] / before["huaibei"] == pytest.approx(1.5, abs=0.03)
    assert after["hefei"] < 0.02 * before["hefei"]
    assert compute(results, "unanswered_share_pu", "chat") == pytest.approx(0.0, abs=1e-9)


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
