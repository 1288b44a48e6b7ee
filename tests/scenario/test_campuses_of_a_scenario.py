"""A campus in a scenario: what is wrong with it is told at once, and its meters stand where the grid's do."""

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError

HEAD = """\
title: a campus
start: 2025-08-06T20:30:00+08:00
until_s: 1800
seed: 1
clock: {step_s: 60}
grid: {engine: powerflow, case: two_bus}
units:
  hall: {component: gpu_hall, at: b, it_rated_mw: 20}
  work: {component: demand, service: steady, mean_gpu: 9000, serves: hall}
  battery: {component: battery, at: b, p_rated_mw: 8, e_rated_mwh: 16}
  diesel: {component: genset, at: b, p_rated_mw: 6}
  far: {component: gpu_hall, at: a, it_rated_mw: 5}
"""


@pytest.fixture
def plan(tmp_path):
    """Return what becomes of a scenario with some campuses."""

    def assembled(campuses: str):
        path = tmp_path / "park.yaml"
        path.write_text(HEAD + campuses, encoding="utf-8")
        return prepare(path)

    return assembled


def test_units_at_its_points_belong_to_a_campus(plan):
    (park,) = plan("campuses: {park: {at: [b]}}\n").campuses
    assert park.units == ("hall", "battery", "diesel")
    assert [(meter.name, meter.table, meter.rows) for meter in park.meters] == [("b", "point", (0, 1, 2))]


def test_a_meter_in_a_line_counts_towards_the_campus(plan):
    (park,) = plan("campuses: {park: {at: [b], meters: [a_b]}}\n").campuses
    assert [(meter.table, meter.sign) for meter in park.meters] == [("line", 1.0)]
    (park,) = plan("campuses: {park: {at: [a], meters: [a_b]}}\n").campuses
    assert [meter.sign for meter in park.meters] == [-1.0]


def test_a_plan_tells_its_campuses(plan):
    told = plan("campuses: {park: {at: [b], meters: [a_b]}}\n").describe()
    assert any(
        row.split() == ["park", "a_b", "(line)", "hall,", "battery,", "diesel"] for row in told.splitlines()
    )
    assert "campuses:" not in plan("").describe().splitlines()


def test_a_scenario_without_campuses_has_the_hash_it_had(plan):
    assert plan("").scenario.hash == plan("campuses: {}\n").scenario.hash
    assert plan("").scenario.hash != plan("campuses: {park: {at: [b]}}\n").scenario.hash


def test_all_that_is_wrong_with_campuses_is_told_at_once(plan):
    text = """\
campuses:
  park: {at: [b, b_2], critical: [hall, far, hal]}
  hall: {at: [b, a], meters: [a_b, line_9]}
"""
    with pytest.raises(ScenarioError) as caught:
        plan(text)
    told = str(caught.value)
    for part in (
        "campuses.park.at[1] = b_2: unknown point or bus",
        "campuses.park.critical[1] = far: is not connected at a point of this campus",
        "campuses.park.critical[2] = hal: unknown unit",
        "need 20 MW rated, and what can carry them without the grid gives 14 MW (battery 8, diesel 6)",
        "campuses.hall = {at, meters}: is the name of a unit, too",
        "campuses.hall.at[0] = b: is a point of campus 'park' already",
        "campuses.hall.meters[0] = a_b: does not lie between the campus and the grid",
        "campuses.hall.meters[1] = line_9: unknown line or transformer",
    ):
        assert part in told, (part, told)


def test_a_campus_whose_sources_carry_its_critical_halls_is_accepted(plan):
    text = "campuses: {park: {at: [a], critical: [far]}}\n"
    with pytest.raises(ScenarioError, match=r"need 5 MW rated.*gives 0 MW \(no unit\)"):
        plan(text)
    more = "  spare: {component: genset, at: a, p_rated_mw: 6}\n"
    assert plan(more + text).campuses[0].critical == ("far",)
