"""Scenarios of the shipped models: what is shipped is right, and their own messages reach the right line."""

from pathlib import Path

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError
from cosim.scenario import load, parse, shipped

STUDY = """\
title: Two halls on the New England grid
start: 2025-08-06T20:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10}
grid: {case: ieee39}
units:
  sky: {component: weather, site: hefei, serves: [north, south]}
  north: {component: gpu_hall, at: bus_16, it_rated_mw: 60}
  south: {component: gpu_hall, at: bus_24, it_rated_mw: 40}
  service: {component: demand, service: steady, mean_gpu: 8000}
  handover: {component: handover, work: service, source: north, target: south}
  cells: {component: battery, at: bus_16, p_rated_mw: 15, e_rated_mwh: 30}
  curve: {component: profile, shape: anhui_load_summer_peak_day, drives: line}
events:
  - {at_s: 60, migrate: {unit: handover, share_pu: 1, over_s: 180}}
  - {at_s: 100, trip: {element: line_16_17}}
"""
DRIVEN = "drives: line"


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_scenario_loads_and_its_resolved_text_is_itself(name):
    scenario = load(name)
    assert scenario.name == name
    assert parse(scenario.text).hash == scenario.hash


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_scenario_gives_reasons_and_uses_few_simulators(name):
    plan = prepare(name)
    assert len(plan.stages) + 2 <= 8
    assert plan.scenario.expect
    assert all(len(wanted.because) > 10 for wanted in plan.scenario.expect)


def fragments(*changes: tuple[str, str]) -> list[str]:
    """Return the message lines of the study with some texts replaced."""
    text = STUDY.replace(", " + DRIVEN, "")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    Path("study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        prepare("study.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "case: ieee39",
            "case: iee39",
            ["study.yaml:6: grid.case = iee39", "two_bus", "Did you mean 'ieee39'?"],
        ),
        (
            "case: ieee39",
            "case: ieee39, point: noon",
            ["study.yaml:6: grid.point = noon", "'noon' is unknown", "allowed: base"],
        ),
        (
            "case: ieee39",
            "case: ieee39, q_limits: 1",
            ["study.yaml:6: grid.q_limits = 1", "allowed: true or false"],
        ),
        (
            "at: bus_24",
            "at: bus_240",
            ["study.yaml:10: units.south.at = bus_240", "unknown point or bus", "bus_24"],
        ),
        ("site: hefei", "site: hefe", ["study.yaml:8: units.sky.site = hefe", "huaibei"]),
        (
            "it_rated_mw: 60",
            "it_rated_kw: 60000",
            ["study.yaml:9: units.north.it_rated_kw = 60000", "in MW?"],
        ),
        (
            "it_rated_mw: 40",
            "it_rated_mw: 40, rack: gb300",
            ["study.yaml:10: units.south.rack = gb300", "gb200"],
        ),
        (
            "target: south",
            "target: cells",
            ["study.yaml:12: units.handover.target = cells", "input work_gpu"],
        ),
        ("service: steady", "service: stedy", ["study.yaml:11: units.service.service = stedy", "'steady'"]),
        ("share_pu: 1", "share_pu: 2", ["study.yaml:16: events[0].migrate.share_pu = 2", "<= 1"]),
        (
            "line_16_17}",
            "line_16_177}",
            ["study.yaml:17: events[1].trip.element = line_16_177", "line_16_17"],
        ),
        ("peak_day", "peak_dye", ["study.yaml:14: units.curve.shape", "anhui_load_summer_peak_day"]),
        ("peak_day", "peak_day, drives: lode", ["study.yaml:14: units.curve.drives = lode", "lode"]),
    ],
)
def test_a_message_of_a_model_stands_at_the_key_that_caused_it(old, new, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = fragments((old, new))
    fitting = [line for line in lines if all(part in line for part in says)]
    assert fitting, "\n".join(lines)


def test_places_of_expectations_and_files_of_limits_are_checked_before_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("title: mine\nlimits:\n  - {id: one, severity: perhaps}\n", encoding="utf-8")
    ending = "\nlimits: [cn, mine.yaml, lost.yaml]\nexpect:\n"
    ending += "  - {kpi: vm_min_pu, at: bus_160, at_least: 0.9, because: x}\n"
    lines = fragments(("{element: line_16_17}}\n", "{element: line_16_17}}" + ending))
    assert any("limits[2] = lost.yaml: unknown limit set or file" in line for line in lines)
    assert any("limits[1] = mine.yaml" in line and "severity" in line for line in lines)
    assert any("expect[0].at = bus_160: unknown place" in line and "'bus_16'?" in line for line in lines)


def test_a_limits_file_is_looked_for_beside_the_scenario_that_names_it(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    rule = "{id: low, title: low, quantity: {table: bus, column: vm_pu}, at_least: 0.9, severity: warn, "
    rule += "clause: {document: own, number: '1'}, status: derived}"
    (tmp_path / "sub" / "mine.yaml").write_text(f"title: mine\nlimits:\n  - {rule}\n", encoding="utf-8")
    (tmp_path / "sub" / "study.yaml").write_text(
        STUDY.replace(", " + DRIVEN, "") + "limits: [mine.yaml]\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert prepare("sub/study.yaml").limits == (str(Path("sub/mine.yaml")),)
