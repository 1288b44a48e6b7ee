"""A scenario names a grid case by a path that starts at its own folder."""

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError
from grids.skeleton import new_case

TEXT = """title: A battery in a province of one's own
start: 2026-12-21T18:00:00+08:00
zone: Asia/Shanghai
until_s: 60
seed: 1
clock: {step_s: 20}
grid: {engine: powerflow, case: ./mine}
units:
  store: {component: battery, at: computing park, p_rated_mw: 50, e_rated_mwh: 100}
"""


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    new_case(tmp_path / "study" / "mine")
    path = tmp_path / "study" / "a.yaml"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


def test_a_folder_beside_the_scenario_is_found_from_anywhere(scenario):
    assert prepare(str(scenario)).connections.points == ("computing park",)


def test_a_path_of_the_working_folder_and_one_that_is_nowhere(scenario):
    scenario.write_text(TEXT.replace("./mine", "study/mine"), encoding="utf-8")
    assert prepare(str(scenario)).connections.points == ("computing park",)
    scenario.write_text(TEXT.replace("./mine", "./yours"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"\./yours"):
        prepare(str(scenario))
