"""Work that starts or moves, with the guard and without it: a limit holds that breaks otherwise."""

import json

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError
from cosim.run import run

HEAD = """\
title: work and a guard
start: 2025-12-16T19:00:00+08:00
seed: 1
grid: {engine: powerflow, case: ningxia, point: winter_evening_peak, guard: {}}
"""
START = """\
until_s: 40
clock: {step_s: 1}
units:
  hall: {component: gpu_hall, at: zhongwei_330, rack: gb200_nvl72, it_rated_mw: 3600}
  zhongwei:
    component: site
    at: zhongwei_330
    place: zhongwei
    runs_on: hall
    gpus_count: 2000000
    gpu_kw: 1.5
    guarded: true
    guard_above_mw: 0
    fleet:
      jobs_over_h: 1.0e-6
      jobs:
        - {name: job, kind: training, jobs_count: 16, gpus_median_gpu: 100000, gpus_most_gpu: 100000,
           gpus_sigma_pu: 0, busy_pu: 1, duration_median_h: 5, duration_sigma_pu: 0, load_s: 0}
"""
MOVE = """\
until_s: 600
clock: {step_s: 10}
units:
  hall: {component: gpu_hall, at: zhongwei_110, rack: gb200_nvl72, it_rated_mw: 600}
  zhongwei: {component: site, at: zhongwei_110, place: zhongwei, runs_on: hall, gpus_count: 300000,
             gpu_kw: 1.5, guarded: true, guard_above_mw: 0}
  far: {component: gpu_hall, at: yinchuan_220, rack: gb200_nvl72, it_rated_mw: 600}
  yinchuan:
    component: site
    at: yinchuan_220
    place: hohhot  # the nearest of the table of places
    runs_on: far
    gpus_count: 300000
    gpu_kw: 1.5
    fleet:
      jobs_over_h: 1.0e-6
      network: {routes: [{between: [zhongwei, yinchuan], bandwidth_gbit_per_s: 1000}]}
      jobs:
        - {name: job, kind: training, jobs_count: 12, home: yinchuan, gpus_median_gpu: 25000, busy_pu: 1,
           gpus_most_gpu: 25000, gpus_sigma_pu: 0, duration_median_h: 5, duration_sigma_pu: 0, load_s: 20,
           checkpoint_s: 10, state_gb_per_gpu: 0.01}
events:
  - {at_s: 60, move: {unit: yinchuan, to: zhongwei, share_pu: 1, over_s: 400}}
"""
PARK = "Zhongwei park 330/110"


def outcome(folder, text, **changes):
    path = folder / "work.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return run(prepare(path, changes=changes), folder)


def reasons(results, unit):
    """Return what the guard told about a unit."""
    events = results.events
    mine = events[(events["kind"] == "guard") & (events["source"] == unit)]
    return [json.loads(data) for data in mine["data"]]


def test_jobs_of_two_gigawatts_start_one_by_one_so_that_frequency_holds(tmp_path_factory):
    lowest = {}
    for name, changes in {"on": {}, "off": {"grid.guard": None}}.items():
        results = outcome(tmp_path_factory.mktemp(name), START, **changes)
        lowest[name] = results.series("area", "f_min_hz").min().min()
        assert results.series("site", "running_count")["zhongwei"].iloc[-1] == 16
        if name == "on":
            told = reasons(results, "zhongwei")
    assert lowest["on"] >= 49.9 > lowest["off"]
    cut = [why for why in told if why["granted_mw"] < why["asked_mw"]]
    assert cut
    assert {why["limit"] for why in cut} == {"frequency"}


def test_a_job_beyond_any_block_is_held_with_the_number_or_begins_in_parts_that_frequency_bears(
    tmp_path_factory,
):
    """1.95 GW at once are too much for 0.1 Hz: a part begins, and the rest of it follows AGC."""
    huge = START.replace("jobs_count: 16", "jobs_count: 1").replace("100000", "1300000")
    parts = huge.replace("guarded: true", "guarded: true\n    parts_pu: 0.3")
    whole = outcome(tmp_path_factory.mktemp("whole"), huge)
    assert whole.series("site", "running_count")["zhongwei"].max() == 0
    told = whole.events[whole.events["kind"] == "job_held"]
    assert told["text"].str.contains("job 0 waits: .* MW of 1950 MW may be added at once").tolist() == [True]
    begun = outcome(tmp_path_factory.mktemp("parts"), parts)
    drawn_mw = 1.5e-3 * begun.series("site", "work_gpu")["zhongwei"]
    first = drawn_mw[drawn_mw > 0.0]
    assert 0.3 * 1950.0 < first.iloc[0] < 1900.0
    assert drawn_mw.iloc[-1] > first.iloc[0] + 10.0
    assert begun.series("area", "f_min_hz").min().min() >= 49.9


def test_of_jobs_that_move_into_a_park_only_those_come_whose_supply_holds_a_loss(tmp_path_factory):
    peak, moved = {}, {}
    for name, changes in {"on": {}, "off": {"grid.guard": None}}.items():
        results = outcome(tmp_path_factory.mktemp(name), MOVE, **changes)
        peak[name] = results.series("trafo", "loading_percent")[PARK].max()
        moved[name] = results.series("site", "came_count")["zhongwei"].iloc[-1]
        held = results.series("site", "running_count").iloc[-1]
        assert held.sum() == 12  # what did not come goes on where it was
        if name == "on":
            told = reasons(results, "zhongwei")
            drawn_mw = 1.5e-3 * results.series("site", "work_gpu")["zhongwei"]
            let_in_mw = drawn_mw + results.series("site", "coming_mw")["zhongwei"]
            begun = let_in_mw[let_in_mw.index >= 200.0]
            assert begun.to_numpy() == pytest.approx(37.5 * moved["on"], rel=1e-9)
            assert (let_in_mw - drawn_mw).max() >= 37.5  # jobs were on their way
    assert moved["off"] == 12
    assert peak["off"] > 100.0
    assert 1 <= moved["on"] < 12
    assert peak["on"] < 100.0
    full = [why for why in told if why["granted_mw"] == why["asked_mw"]]
    assert full
    assert all(why["margin"] >= 0.0 for why in full)
    cut = [why for why in told if why["granted_mw"] < why["asked_mw"]]
    assert {(why["limit"], why["at"], why["without"]) for why in cut} == {("loading", PARK, PARK)}


def test_a_site_that_asks_where_nobody_answers_is_refused_with_what_would_do(tmp_path):
    path = tmp_path / "work.yaml"
    path.write_text((HEAD + START).replace("    at: zhongwei_330\n", ""), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"units.zhongwei.*asks for leave.*guarded: false"):
        prepare(path)


def test_a_site_that_is_not_guarded_may_stand_at_a_point_and_nothing_is_asked(tmp_path):
    path = tmp_path / "work.yaml"
    path.write_text((HEAD + START).replace("guarded: true", "guarded: false"), encoding="utf-8")
    plan = prepare(path)
    assert plan.connections.units == ("hall", "zhongwei")
    assert "room_mw" not in plan.grid.columns["point"]


def test_a_guard_that_follows_rotors_is_refused_where_the_case_has_none_by_name(tmp_path):
    path = tmp_path / "work.yaml"
    text = (HEAD + START).replace("guard: {}", "guard: {frequency: rms}")
    text = text.replace("case: ningxia, point: winter_evening_peak", "case: two_bus")
    text = text.replace("at: zhongwei_330", "at: b")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match="no dynamic model for"):
        prepare(path)
