"""The province cases keep what docs/cases.md promises of them, at every operating point."""

import csv
from functools import cache
from typing import Any

import pandapower as pp
import pytest

from grids.case import case_folder, load_case, operating_points
from grids.checks.finding import State
from grids.checks.run import check_case_points, check_point
from grids.expected import check_case
from grids.recipe.lines import COMPENSATED, DETOUR, charging_mvar, great_circle_km
from grids.recipe.plan import read_plan

BUSES = {
    "anhui": (70, 90),
    "gansu": (45, 55),
    "greater_bay": (15, 30),
    "guizhou": (15, 30),
    "hunan": (15, 30),
    "jing_jin_ji": (15, 30),
    "mengxi": (45, 60),
    "ningxia": (35, 45),
    "shandong": (60, 80),
    "sichuan_chongqing": (15, 30),
    "xinjiang_hami": (30, 35),
    "yangtze_delta": (15, 30),
}
CASES = sorted(BUSES)
POINTS = [(case, point) for case in CASES for point in operating_points(case_folder(case))]
each_case = pytest.mark.parametrize("case", CASES)
each_point = pytest.mark.parametrize(("case", "point"), POINTS)


@cache
def solved(case: str, point: str | None = None) -> Any:
    net = load_case(case, point).net
    pp.runpp(net, init="flat")
    return net


@each_case
def test_there_are_four_points_for_peaks_noon_and_valley(case: str) -> None:
    points = operating_points(case_folder(case))
    assert {"winter_evening_peak", "summer_evening_peak", "spring_noon", "night_valley"} <= set(points)


CHECKS = {
    "power flow",
    "connection",
    "voltages",
    "loadings",
    "losses",
    "slack",
    "line data",
    "second solver",
    "inertia",
    "short circuit",
    "N-1",
}
"""Of `grids.checks`; the dynamics start in `suandian validate`."""


@each_point
def test_every_check_holds(case: str, point: str) -> None:
    findings = check_point(case, point, dynamics=False)
    assert {finding.check for finding in findings} == CHECKS
    assert [str(finding) for finding in findings if finding.state is State.BAD] == []


@each_case
def test_published_totals_and_the_year_are_met(case: str) -> None:
    findings = check_case_points(case)
    assert [finding.check for finding in findings] == ["totals", "totals"]
    assert [str(finding) for finding in findings if finding.state is State.BAD] == []


@each_point
def test_machines_keep_their_reactive_limits_and_room_to_rise(case: str, point: str) -> None:
    net = solved(case, point)
    on = net.gen[net.gen["in_service"]].join(net.res_gen["q_mvar"])
    assert (on["q_mvar"].between(on["min_q_mvar"], on["max_q_mvar"])).all()
    room_mw = (on["max_p_mw"] - on["p_mw"])[on["dispatchable"]].sum()
    plan = read_plan(case_folder(case) / "recipe.yaml")
    assert room_mw >= 0.99 * plan.reserve_pu * net.res_load["p_mw"].sum()


@each_point
def test_switched_shunts_and_taps_start_at_rest(case: str, point: str) -> None:
    net = solved(case, point)
    shunt = net.shunt[net.shunt["control"] == "voltage"]
    vm_pu = net.res_bus["vm_pu"].loc[shunt["bus"]].to_numpy()
    assert ((vm_pu > shunt["vm_low_pu"]) & (vm_pu < shunt["vm_high_pu"])).all()
    trafo = net.trafo[net.trafo["tap_control"] == "lv"]
    vm_pu = net.res_bus["vm_pu"].loc[trafo["lv_bus"]].to_numpy()
    assert ((vm_pu - trafo["vm_set_pu"]).abs() <= trafo["vm_deadband_pu"] / 2).all()


@each_case
def test_expected_numbers_are_reproduced(case: str) -> None:
    rows = check_case(case)
    assert {row.point for row in rows} == set(operating_points(case_folder(case)))
    assert [row.text() for row in rows if not row.good] == []


@each_case
def test_the_network_is_as_large_as_planned(case: str) -> None:
    low, high = BUSES[case]
    assert low <= len(load_case(case).net.bus) <= high


@each_case
def test_every_row_says_where_it_comes_from(case: str) -> None:
    for path in sorted(case_folder(case).glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                assert row["evidence"] in {"published", "derived", "synthetic"}, (path.name, row)
                assert row["source"].strip(), (path.name, row)


@each_case
def test_lines_without_a_published_length_follow_the_rule(case: str) -> None:
    net = solved(case)
    place = load_case(case).net.bus[["lat", "lon"]].to_numpy()
    for row in net.line[net.line["source"].str.contains("1.25 x great circle")].to_dict("records"):
        ends = (*place[row["from_bus"]], *place[row["to_bus"]])
        assert row["length_km"] == pytest.approx(max(DETOUR * great_circle_km(*ends), 5.0), abs=0.1), row[
            "name"
        ]


@each_case
def test_reactors_take_their_share_of_the_charging(case: str) -> None:
    net = solved(case)
    kv = net.bus["vn_kv"].loc[net.line["from_bus"]].to_numpy()
    made = sum(
        charging_mvar(kv[i], row["length_km"], row["c_nf_per_km"]) * row["parallel"]
        for i, row in enumerate(net.line.to_dict("records"))
        if kv[i] >= 750
    )
    reactors = net.shunt[net.shunt["name"].str.endswith("line reactors")]
    assert (reactors["q_mvar"] * reactors["step"]).sum() == pytest.approx(COMPENSATED * made, rel=0.05)
