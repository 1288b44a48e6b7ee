"""Data of line types are those of an overhead line at their voltage."""

import copy
import dataclasses

import pytest

from grids.case import load_case
from grids.checks.finding import State
from grids.checks.lines import check_lines, line_faults
from grids.plants import standard_types

KUNDUR = [
    (230.0, 0.488, 3.371),
    (345.0, 0.367, 4.518),
    (500.0, 0.325, 5.200),
    (765.0, 0.329, 4.978),
    (1100.0, 0.292, 5.544),
]
"""Typical overhead lines at 60 Hz: nominal kV, reactance [ohm/km], susceptance [uS/km] (table 6.1)."""


@pytest.mark.parametrize(("kv", "x", "b_us"), KUNDUR)
def test_published_lines_can_be_and_not_with_half_or_double_of_anything(kv, x, b_us):
    c_nf = b_us * 1e3 / (2.0 * 3.141592653589793 * 60.0)
    assert line_faults("published", kv, x, c_nf, 60.0) == []
    for factor in (0.5, 2.0):
        assert any("x_ohm_per_km=" in fault for fault in line_faults("one", kv, factor * x, c_nf, 60.0))
        assert any("c_nf_per_km=" in fault for fault in line_faults("one", kv, x, factor * c_nf, 60.0))
        both = line_faults("both", kv, factor * x, c_nf / factor, 60.0)  # the speed stays, the line does not
        assert len(both) == 2


def test_every_standard_type_is_a_line_of_its_voltage():
    for name, row in standard_types("line").items():
        kv = float(name.partition(" kV")[0])
        assert line_faults(name, kv, float(row["x_ohm_per_km"]), float(row["c_nf_per_km"]), 50.0) == []


def test_a_halved_reactance_of_a_type_is_told_with_column_value_and_range():
    case = load_case("anhui")
    assert check_lines(case).state is State.GOOD
    net = copy.deepcopy(case.net)
    net.line.loc[net.line["std_type"] == "500 kV 4xLGJ-630/45", "x_ohm_per_km"] = 0.13
    found = check_lines(dataclasses.replace(case, net=net))
    assert found.state is State.BAD
    assert "500 kV 4xLGJ-630/45: x_ohm_per_km=0.13 (allowed at 500 kV: 0.23 to 0.32)" in found.text
