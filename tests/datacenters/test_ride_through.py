"""Ride-through curves are read from files, turned into stages, and refused when they are not monotonic."""

import math

import pytest

from cosim.core.errors import ScenarioError
from datacenters.ride_through import ride_through
from grids.dynamics.devices.electronic_load import ElectronicLoad
from grids.dynamics.kernels.electronic_load_rows import HIGH_STAGES, LOW_STAGES, ElectronicLoadParams


def written(tmp_path, *rows, columns="duration_s,vm_low_pu,vm_high_pu"):
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(("# site of ours", columns, *rows)) + "\n", encoding="utf-8")
    return str(file)


def test_the_itic_curve_lets_go_after_what_each_row_bears():
    curve = ride_through("itic")
    assert curve.low_stages() == ((0.7, 0.02), (0.8, 0.5), (0.9, 10.0))
    assert curve.high_stages() == ((1.4, 0.0), (1.2, 0.003), (1.1, 0.5))


def test_a_curve_whose_first_row_asks_for_a_voltage_lets_go_below_it_at_once():
    curve = ride_through("semi_f47")
    assert curve.low_stages() == ((0.5, 0.0), (0.7, 0.2), (0.8, 0.5), (0.9, 1.0))
    assert curve.high_stages() == ()


@pytest.mark.parametrize("name", ["itic", "semi_f47"])
def test_a_curve_becomes_stages_the_electronic_load_has(name):
    params = ElectronicLoadParams(vcnt_pu=0.7, **ride_through(name).device())
    assert ElectronicLoad.findings(params) == []
    lows = [params.vcease_pu, *(getattr(params, f"vcease{n}_pu") for n in range(2, LOW_STAGES + 1))]
    assert max(lows) == 0.9
    assert HIGH_STAGES == 3


def test_an_own_file_needs_no_upper_limit(tmp_path):
    name = written(tmp_path, "0.1,0", "inf,0.85", columns="duration_s,vm_low_pu")
    curve = ride_through(name)
    assert curve.low_stages() == ((0.85, 0.1),)
    assert curve.vm_high_pu == (math.inf, math.inf)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["0.5,0.7,1.2", "0.2,0.8,1.1", "inf,0.9,1.1"], "line 4: duration_s=0.2 must rise, but follows 0.5"),
        (
            ["0.2,0.7,1.2", "0.5,0.6,1.2", "inf,0.9,1.1"],
            "line 4: vm_low_pu=0.6 may not fall, but follows 0.7",
        ),
        (["0.2,0.7,1.1", "inf,0.9,1.2"], "line 4: vm_high_pu=1.2 may not rise, but follows 1.1"),
        (["0.2,0.7,1.2", "10,0.9,1.1"], "line 4: the last duration_s is inf, not 10"),
        (["0.2,low,1.2", "inf,0.9,1.1"], "line 3: vm_low_pu='low' is no number"),
        (["0.2,1.3,1.2", "inf,1.3,1.1"], "allowed is 0 <= vm_low_pu=1.3 < 1 < vm_high_pu=1.2"),
        ([f"{k},0.{k},1.2" for k in range(1, 8)] + ["inf,0.9,1.2"], "8 stages below, at most 5"),
        ([], "no row below the head duration_s, vm_low_pu, vm_high_pu"),
    ],
)
def test_a_curve_that_is_none_is_refused_with_its_line_and_values(tmp_path, rows, says):
    with pytest.raises(ScenarioError) as told:
        ride_through(written(tmp_path, *rows))
    assert says in str(told.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    with pytest.raises(ScenarioError) as told:
        ride_through(written(tmp_path, "0.5,0.8,1.1", "0.2,0.7,1.2", "3,0.9,1.1"))
    assert len(str(told.value).splitlines()) == 4


def test_a_name_that_is_no_curve_is_refused_with_a_hint():
    with pytest.raises(ScenarioError, match=r"neither itic, semi_f47 nor a CSV file.*Did you mean 'itic'"):
        ride_through("itci")
    with pytest.raises(ScenarioError, match=r"nowhere\.csv: no such file"):
        ride_through("nowhere.csv")


def test_a_file_without_the_columns_or_that_is_no_text_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match=r"no column vm_low_pu; the file has: duration_s"):
        ride_through(written(tmp_path, "0.1", columns="duration_s"))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match=r"binary\.csv: cannot be read as text in UTF-8"):
        ride_through(str(binary))


def test_a_file_of_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path):
    marked = tmp_path / "marked.csv"
    marked.write_bytes(b"\xef\xbb\xbfduration_s,vm_low_pu\n0.1,0\ninf,0.85\n")
    assert ride_through(str(marked)).low_stages() == ((0.85, 0.1),)
