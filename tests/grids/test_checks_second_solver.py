"""power-grid-model, fed from the case's tables, finds our voltages, and would not find wrong ones."""

import copy
import dataclasses
import math
import shutil

import numpy as np
import pandas as pd
import pytest

from grids.case import CASES, load_network
from grids.checks import second_solver
from grids.checks.base import Solved, solve_point
from grids.checks.finding import State
from grids.checks.second_solver import AGREEMENT_PU, check_second_solver

pytest.importorskip("power_grid_model")


def altered(solved: Solved, table: str, column: str, factor: float) -> Solved:
    """Return a solution beside a case that is not the one that was solved."""
    case = copy.deepcopy(solved.case)
    case.net[table][column] = case.net[table][column].astype(float)
    case.net[table].loc[case.net[table].index[1], column] *= factor
    return dataclasses.replace(solved, inside=dataclasses.replace(solved.inside, case=case))


@pytest.fixture(scope="module")
def ieee39() -> Solved:
    return solve_point("ieee39", None)


@pytest.mark.parametrize(
    ("case", "point"), [("ieee39", None), ("ningxia", "winter_evening_peak"), ("shandong", "night_valley")]
)
def test_voltages_agree(case: str, point: str | None) -> None:
    found = check_second_solver(solve_point(case, point))
    assert found.state is State.GOOD
    assert found.value < 1e-3 * AGREEMENT_PU


@pytest.mark.parametrize(
    ("table", "column"),
    [("line", "x_ohm_per_km"), ("line", "c_nf_per_km"), ("trafo", "vk_percent"), ("trafo", "vn_hv_kv")],
)
def test_a_thousandth_of_one_element_is_seen(ieee39: Solved, table: str, column: str) -> None:
    assert check_second_solver(altered(ieee39, table, column, 1.001)).state is State.BAD


def test_power_a_machine_does_not_have_is_seen(ieee39: Solved) -> None:
    found = check_second_solver(altered(ieee39, "load", "q_mvar", 1.01))
    assert found.state is State.BAD
    assert "machines miss" in found.text


def test_a_phase_shift_and_iron_losses_agree(tmp_path) -> None:
    folder = shutil.copytree(CASES / "k2a", tmp_path / "mine")
    trafo = pd.read_csv(folder / "trafo.csv").assign(shift_degree=30.0, pfe_kw=400.0, i0_percent=0.3)
    trafo["tap_side"], trafo["tap_changer_type"], trafo["tap_step_percent"] = "lv", "Ratio", 2.5
    trafo["tap_neutral"], trafo["tap_min"], trafo["tap_max"], trafo["tap_pos"] = 0, -2, 2, 1
    trafo.to_csv(folder / "trafo.csv", index=False)
    solved = solve_point(str(folder), None)
    angle = np.angle(solved.v, deg=True)
    bus = dict(zip(solved.net.bus["name"], angle, strict=True))
    assert bus["bus_5"] - bus["bus_1"] > 10.0
    assert check_second_solver(solved).state is State.GOOD


def test_what_is_not_handed_over_is_said(ieee39: Solved) -> None:
    case = dataclasses.replace(ieee39.case, net=load_network("example_multivoltage").net)
    strange = dataclasses.replace(ieee39, inside=dataclasses.replace(ieee39.inside, case=case))
    found = check_second_solver(strange)
    assert found.state is State.NOTE
    assert "1 trafo3w" in found.text


def test_a_t_circuit_is_its_two_port() -> None:
    z, y = complex(0.01, 0.2), complex(0.001, -0.02)
    series, shunt = z + z**2 * y / 4.0, 2.0 * y / (2.0 + z * y / 2.0)
    ends = np.array([[1, -1], [-1, 1]]) / series + np.eye(2) * shunt / 2.0
    star = np.array([[2 / z, 0, -2 / z], [0, 2 / z, -2 / z], [-2 / z, -2 / z, 4 / z + y]])
    reduced = star[:2, :2] - np.outer(star[:2, 2], star[2, :2]) / star[2, 2]
    np.testing.assert_allclose(ends, reduced, rtol=1e-12)
    assert math.isclose(second_solver.ANCHOR_PU, 0.1)
