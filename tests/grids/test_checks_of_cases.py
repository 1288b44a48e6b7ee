"""What a case must pass: each check finds what it is there for, and passes our own cases."""

import shutil

import pandas as pd
import pytest

from cosim.core.errors import CaseError
from grids.case import CASES, load_case
from grids.checks.finding import Finding, State, listed
from grids.checks.inertia import check_inertia
from grids.checks.limits import losses_mw
from grids.checks.run import check_case_points, check_grid_case, check_point
from grids.checks.totals import check_totals


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(CASES / "two_bus", tmp_path / "mine")


def edit(folder, table, column, value, row=0):
    frame = pd.read_csv(folder / f"{table}.csv")
    frame[column] = frame[column].astype(object) if column in frame else value
    frame.loc[row, column] = value
    frame.to_csv(folder / f"{table}.csv", index=False)


def found(folder, check):
    return next(f for f in check_point(str(folder), "base", dynamics=False) if f.check == check)


def test_a_sound_case_of_anybody_says_nothing(folder):
    assert list(check_grid_case(str(folder))) == []


def test_a_case_that_cannot_be_read_is_one_finding(folder):
    edit(folder, "load", "bus", "nowhere")
    (only,) = check_grid_case(str(folder))
    assert "FAIL  power flow: base: mine/load.csv, row 2, column bus: 'nowhere' is unknown" in only


def test_a_point_without_solution_is_one_finding(folder):
    edit(folder, "load", "p_mw", 2e5)
    (only,) = check_grid_case(str(folder))
    assert "no power flow solution" in only


def test_a_voltage_outside_its_band_is_named(folder):
    edit(folder, "bus", "min_vm_pu", 0.99, row=1)
    finding = found(folder, "voltages")
    assert finding.state is State.BAD
    assert "outside their band: b 0.974 pu" in finding.text


def test_a_line_above_its_rating_is_named(folder):
    edit(folder, "line", "max_loading_percent", 20)
    assert "above their rating: a_b 43 %" in found(folder, "loadings").text


def test_a_province_keeps_losses_and_slack(tmp_path):
    folder = shutil.copytree(CASES / "ningxia", tmp_path / "mine")
    point = folder / "operating_points" / "night_valley"
    load = pd.read_csv(point / "load.csv")
    load.loc[0, "p_mw"] += 200.0
    load.to_csv(point / "load.csv", index=False)
    by_check = {f.check: f for f in check_point(str(folder), "night_valley", dynamics=False)}
    assert by_check["slack"].state is State.BAD
    assert by_check["losses"].state is State.GOOD


def test_losses_are_those_of_the_tables():
    from grids.checks.base import solve_point

    solved = solve_point("ieee39", None)
    lines, trafos = solved.tables["line"]["pl_mw"], solved.tables["trafo"]["pl_mw"]
    assert losses_mw(solved) == pytest.approx(lines.sum() + trafos.sum(), rel=1e-9)


def test_inertia_is_the_sum_of_the_machines():
    (finding,) = check_inertia(load_case("ieee39"), is_province=False)
    gen = load_case("ieee39").net.gen
    rest = load_case("ieee39").net["rest_fleet"]
    energy = (gen["h_s"] * gen["sn_mva"]).sum() + (rest["h_s"] * rest["sn_mva"]).sum()
    assert finding.value == pytest.approx(energy / (gen["sn_mva"].sum() + rest["sn_mva"].sum()))


def test_a_machine_beyond_the_published_range_of_its_family_is_named():
    case = load_case("ningxia", "winter_evening_peak")
    assert [f.state for f in check_inertia(case, is_province=True)] == [State.GOOD]
    case.net.gen["h_s"] = case.net.gen["h_s"].where(case.net.gen["name"] != "Pingluo power station", 7.0)
    (finding,) = check_inertia(case, is_province=True)
    assert finding.state is State.BAD
    assert "outside the range of their family: Pingluo power station 7.00 s" in finding.text


def test_what_is_unconfirmed_of_an_area_is_told_and_not_refused():
    _, of_area = check_inertia(load_case("anhui", "summer_evening_peak"), is_province=True)
    assert of_area.state in {State.GOOD, State.NOTE}
    assert "elsewhere 3.5 to 4.5 s (unconfirmed)" in of_area.text


TOTALS = "quantity,value,without,evidence,source\npeak_mw,{peak},,published,somewhere\n"


@pytest.mark.parametrize(("peak", "state"), [(200, State.GOOD), (204, State.GOOD), (205, State.BAD)])
def test_totals_hold_within_two_percent(folder, peak, state):
    (folder / "totals.csv").write_text(TOTALS.format(peak=peak))
    (finding,) = check_case_points(str(folder))
    assert finding.state is state


def test_energy_that_leaves_is_that_of_the_year_without_younger_links():
    cases = [load_case("gansu", point) for point in ("night_valley", "spring_noon")]
    from grids.checks.totals import _value

    both = _value(cases, "dc_out_twh", frozenset())
    one = _value(cases, "dc_out_twh", frozenset({"Jiuquan-Hunan DC"}))
    hours = [case.meta["operating_point"]["stands_for_h"] for case in cases]
    jiuquan = [case.net.sgen.set_index("name").at["Jiuquan-Hunan DC", "p_mw"] for case in cases]
    assert both - one == pytest.approx(-sum(h * p for h, p in zip(hours, jiuquan, strict=True)) / 1e6)


def test_wrong_totals_are_all_named_with_row_and_column(folder):
    (folder / "totals.csv").write_text("quantity,value\npeak,200\npeak_mw,much\n")
    with pytest.raises(CaseError) as caught:
        check_totals([load_case(str(folder))])
    assert "row 2, column quantity: 'peak' is unknown (allowed: " in str(caught.value)
    assert "Did you mean 'peak_mw'?" in str(caught.value)
    assert "row 3, column value: 'much' is not a number other than 0" in str(caught.value)


def test_the_worst_state_counts():
    assert State.worst([State.GOOD, State.BAD, State.NOTE]) is State.BAD
    assert State.worst([]) is State.GOOD
    assert str(Finding("slack", State.BAD, "5 MW", point="noon")) == "FAIL  slack: noon: 5 MW"
    assert listed(["a", "b", "c"], 2) == "a; b and 1 more"


def test_a_plant_without_dynamic_data_is_one_finding_among_the_others(tmp_path):
    folder = shutil.copytree(CASES / "ningxia", tmp_path / "mine")
    edit(folder, "gen", "plant_type", "wind")
    findings = check_point(str(folder), "winter_evening_peak")
    by_check = {f.check: f for f in findings}
    assert by_check["flat start"].state is State.BAD
    assert "mine/gen.csv, row 2, column plant_type: 'wind'" in by_check["flat start"].text
    assert by_check["short circuit"].state is State.NOTE
    assert by_check["N-1"].state is State.GOOD
