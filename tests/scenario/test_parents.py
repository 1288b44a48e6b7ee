"""A child says only how it differs: merging, removing, appending, and where a mistake then stands."""

from pathlib import Path

import pytest

from cosim.core.errors import ScenarioError
from cosim.scenario import load

BODY = """\
units:
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, share_pu: 0.5}
  work: {component: demand, mean_gpu: 60000, serves: hefei}
events:
  - {at_s: 10, spike: {unit: work, factor_pu: 2}}
expect:
  - {kpi: vm_min_pu, at_least: 0.95, because: grid code}
"""


def test_a_child_changes_one_number_and_keeps_all_else(write, models):
    write(BODY, "base.yaml")
    child = write("parent: base.yaml\nunits:\n  hefei: {it_rated_mw: 60}\n", "child.yaml", head="")
    base, loaded = load("base.yaml", **models), load(child, **models)
    assert loaded.units["hefei"].params == {"it_rated_mw": 60, "share_pu": 0.5}
    assert loaded.units["work"] == base.units["work"]
    assert (loaded.title, loaded.until_s, loaded.clock) == (base.title, base.until_s, base.clock)
    assert loaded.name == "child"
    assert loaded.files == ("child.yaml", "base.yaml")


def test_null_takes_a_unit_away_with_all_it_said(write, models):
    write(BODY, "base.yaml")
    text = "parent: base.yaml\nunits: {hefei: null, work: {serves: null}}\nevents: []\n"
    loaded = load(write(text, "child.yaml", head=""), **models)
    assert list(loaded.units) == ["work"]
    assert "serves" not in loaded.units["work"].params


def test_a_list_replaces_and_a_list_with_a_plus_appends(write, models):
    write(BODY, "base.yaml")
    one = "{at_s: 20, trip: {element: suixi_xiangjian_1}}"
    replaced = load(write(f"parent: base.yaml\nevents: [{one}]\n", "a.yaml", head=""), **models)
    appended = load(write(f"parent: base.yaml\nevents+: [{one}]\n", "b.yaml", head=""), **models)
    assert [event.action for event in replaced.events] == ["trip"]
    assert [event.action for event in appended.events] == ["spike", "trip"]


def test_a_unit_with_another_component_keeps_nothing_of_the_old_one(write, models):
    write(BODY, "base.yaml")
    text = "parent: base.yaml\nunits: {work: {component: control, inputs: {soc_pu: cells.soc_pu}},\n"
    text += "  cells: {component: battery, at: hefei_220, p_rated_mw: 1, e_rated_mwh: 2},\n"
    text += "  hefei: null}\nevents: []\n"
    loaded = load(write(text, "child.yaml", head=""), **models)
    assert loaded.units["work"].params == {}


def test_grandparents_count(write, models):
    write(BODY, "base.yaml")
    write("parent: base.yaml\nseed: 2\ntitle: middle\n", "middle.yaml", head="")
    loaded = load(write("parent: middle.yaml\nseed: 3\n", "child.yaml", head=""), **models)
    assert (loaded.seed, loaded.title) == (3, "middle")
    assert loaded.files == ("child.yaml", "middle.yaml", "base.yaml")


def test_a_mistake_is_told_where_it_stands(write, models):
    write(BODY.replace("mean_gpu: 60000", "mean_gpu: -1"), "base.yaml")
    text = "parent: base.yaml\nunits:\n  hefei: {it_rated_mw: 0}\nevents+:\n"
    text += "  - {at_s: 11, spike: {unit: work, factor_pu: 2}}\n"
    with pytest.raises(ScenarioError) as caught:
        load(write(text, "child.yaml", head=""), **models)
    starts = [line.split(" = ")[0] for line in str(caught.value).splitlines()]
    assert starts == [
        "base.yaml:9: units.work.mean_gpu",
        "child.yaml:3: units.hefei.it_rated_mw",
        "child.yaml:5: events[1].at_s",
    ]


def test_file_names_are_relative_to_the_file_they_stand_in(write, models):
    Path("data").mkdir()
    Path("data/trace.csv").write_text("t_s,work_pu\n0,1\n", encoding="utf-8")
    write(BODY.replace("serves: hefei", "serves: hefei, trace: trace.csv"), "data/base.yaml")
    child = write("parent: data/base.yaml\nseed: 2\n", "child.yaml", head="")
    load(child, **models)  # a trace looked for beside the child would not be found
    with pytest.raises(ScenarioError, match="no such file"):
        load(
            write("parent: data/base.yaml\nunits: {work: {trace: trace.csv}}\n", "own.yaml", head=""),
            **models,
        )


def test_changes_lie_on_top_of_the_file(write, models):
    name = write(BODY)
    loaded = load(name, changes={"clock.step_s": 5, "units.hefei.it_rated_mw": 60}, **models)
    assert loaded.clock.step_s == 5
    assert loaded.units["hefei"].params["it_rated_mw"] == 60
    with pytest.raises(
        ScenarioError, match=r"^changes: clock\.step_s = 7: step_s=7 does not divide until_s=600"
    ):
        load(name, changes={"clock.step_s": 7, "clock.windows": []}, **models)
