"""What units cannot do is told before a run, with all else that is wrong."""

from pathlib import Path

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError

SCENARIO = """\
title: a test
start: 2025-08-06T20:00:00+08:00
until_s: 1200
seed: 1
clock: {step_s: 600}
grid: {case: ieee39}
units:
  small: {component: battery, at: bus_16, p_rated_mw: 60, e_rated_mwh: 1}
  hot:
    component: gpu_hall
    at: bus_16
    it_rated_mw: 20
    cooling: {design_outdoor_degc: 49.0}
  short: {component: gpu_hall, at: bus_16, it_rated_mw: 20, ups: {battery_min: 5}}
  dark: {component: profile, shape: anhui_pv_summer, drives: load_16, relative_to: start}
"""
FURTHER = """\
  curved: {component: gpu_hall, at: bus_16, it_rated_mw: 20, ups: {ride_through: itik}}
  seller: {component: controller, battery: small, laws: [{law: peak_cut}]}
"""
EXPECTED = """\
expect:
  - {kpi: tokens_count, at_least: 1, because: somebody must write them}
  - {kpi: soc_min_pu, at_least: 0.1, because: a reserve}
"""
TOLD = (
    "mine.yaml:17: expect[0].kpi = tokens_count: nothing in the scenario publishes tokens_per_s",
    "mine.yaml:8: units.small.e_rated_mwh = 1: small: e_rated_mwh=1 cannot feed p_rated_mw=60",
    "mine.yaml:13: units.hot.cooling.design_outdoor_degc = 49.0: hot: its cooling does not carry a full hall",
    "mine.yaml:14: units.short.ups.battery_min = 5: short: battery_min=5 holds 1.667 MWh, which cannot feed",
    "mine.yaml:15: units.dark = {component, shape, drives, relative_to}: dark: shape anhui_pv_summer is 0 at",
)


FAR = """\
title: services of sites in a process of their own
start: 2025-08-06T20:00:00+08:00
until_s: 1200
seed: 1
clock: {step_s: 600}
grid: {case: ieee39}
units:
  far:
    component: site
    process: true
    place: hefei
    gpus_count: 100
    fleet: {services: [{name: chat, users: hefei, latency_bound_ms: 50, mean_gpu: 10}]}
expect:
  - {kpi: latency_mean_ms, at: chat, at_most: 50, because: users wait}
"""


def findings(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ScenarioError) as error:
        prepare(file)
    return str(error.value).splitlines()


def test_what_units_cannot_do_is_told_at_once_with_file_line_key_and_value(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = findings(Path("mine.yaml"), SCENARIO + EXPECTED)
    assert len(lines) == len(TOLD), "\n".join(lines)
    for told in TOLD:
        assert any(line.startswith(told) for line in lines), "\n".join(lines)


def test_the_tables_of_its_own_of_a_kind_in_a_process_are_not_published(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = Path("mine.yaml")
    place, kpi = findings(file, FAR)
    assert "expect[0].kpi = latency_mean_ms: nothing in the scenario publishes" in kpi
    assert "expect[0].at = chat: unknown place" in place
    file.write_text(FAR.replace("    process: true\n", ""))
    prepare(file)


def test_a_broken_neighbour_does_not_hide_what_a_unit_cannot_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = SCENARIO.replace("it_rated_mw: 20\n", "it_rated_mw: 20\n    idle_pu: 2\n", 1)
    broken = broken.replace("title: a test", "title: 3") + FURTHER
    lines = findings(Path("mine.yaml"), broken)
    for told in (
        "title = 3",
        "units.small.e_rated_mwh",
        "units.short.ups.battery_min",
        "units.hot.idle_pu",
        "units.curved.ups.ride_through",
        "units.seller.laws[0].law = peak_cut: unknown law; allowed: fast_response",
    ):
        assert any(told in line for line in lines), "\n".join(lines)
