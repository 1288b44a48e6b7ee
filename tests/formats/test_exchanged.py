"""UCTE-DEF and CGMES files become the network they describe."""

import zipfile

import numpy as np
import pandapower as pp
import pytest
from cgmes_made import cgmes_files
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.formats.importing import import_case
from grids.formats.simple import simplified

NODES = """##C 2030.01.01
made by hand
##N
##ZXX
XONEEE11 One          0 3 390.00     0.0     0.0  -500.0     0.0       0  -1000.     500    -500
XTWOOO11 Two          0 0          300.0    90.0     0.0     0.0
XTHREE21 Three        0 0          150.0    40.0     0.0     0.0
XFOURR21 Four         0 2 225.00     0.0     0.0   -100.     0.0       0   -200.     100    -100
XCOUPL12 Coupled      0 0           50.0    10.0     0.0     0.0
##L
XONEEE11 XTWOOO11 1 0  2.500 25.000 350.0000   1500 L1
XONEEE11 XTWOOO11 2 8  2.500 25.000 350.0000   1500 L2
XTHREE21 XFOURR21 1 0  1.800 12.000  80.0000    900 L3
XTWOOO11 XCOUPL12 1 2  0.000  0.000   0.0000   1500 BC
XONEEE11 XCOUPL12 1 1   5.00  60.00   0.0000   1500 EQ
##T
XTHREE21 XTWOOO11 1 0 231.0 400.0 400.0    0.6   20.0     0.00   0.00   1000 T1
##R
XTHREE21 XTWOOO11 1  1.25  8   2
"""


def case_of(folder, files):
    said = import_case([str(file) for file in files], folder / "case")
    case = load_case(str(folder / "case"))
    pp.runpp(case.net, calculate_voltage_angles=True, numba=False)
    return case.net, said


def mismatch_mva(y, volts_kv, drawn_mva):
    """Return what is missing at each bus of a network of admittances [S]."""
    return np.abs(volts_kv * np.conj(y @ volts_kv) + drawn_mva)


def volts(net):
    res = net.res_bus
    return (
        res["vm_pu"].to_numpy()
        * net.bus["vn_kv"].to_numpy()
        * np.exp(1j * np.deg2rad(res["va_degree"].to_numpy()))
    )


def test_a_ucte_file_has_the_power_flow_of_its_ohms(tmp_path):
    path = tmp_path / "made.uct"
    path.write_text(NODES, encoding="utf-8")
    net, said = case_of(tmp_path, [path])
    assert list(net.bus["name"]) == ["XONEEE11", "XTWOOO11", "XTHREE21", "XFOURR21"]
    assert "1 closed couplers" in said
    assert "1 impedances are lines of 1 km" in said
    y = np.zeros((4, 4), dtype=complex)
    for one, other, z, b_us in ((0, 1, 2.5 + 25j, 350), (2, 3, 1.8 + 12j, 80), (0, 1, 5 + 60j, 0)):
        y[one, one] += 1 / z + 0.5j * b_us * 1e-6
        y[other, other] += 1 / z + 0.5j * b_us * 1e-6
        y[one, other] -= 1 / z
        y[other, one] -= 1 / z
    # UCTE-DEF: node 2 has the regulated winding, at step 2 of 1.25 %; the impedance is at node 1
    ratio, series = 400 * (1 + 2 * 0.0125) / 231, 1 / (0.6 + 20j)
    for low, high, factor in ((2, 2, 1), (1, 1, 1 / ratio**2), (2, 1, -1 / ratio), (1, 2, -1 / ratio)):
        y[low, high] += series * factor
    missing = mismatch_mva(y, volts(net), np.array([0, 350 + 100j, 150 + 40j, -100 + 0j]))
    assert_allclose(missing[[1, 2]], 0.0, atol=1e-6)
    assert_allclose(net.res_bus["vm_pu"].iloc[[0, 3]], (390 / 380, 225 / 220))
    assert_allclose(net.gen["max_p_mw"], 200.0)


@pytest.mark.parametrize("form", ["files", "folder", "zip"])
def test_a_cgmes_model_has_the_power_flow_of_its_ohms(tmp_path, form):
    pytest.importorskip("lxml")
    (tmp_path / "model").mkdir()
    files = cgmes_files(tmp_path / "model")
    if form == "folder":
        given = [tmp_path / "model"]
    elif form == "zip":
        given = [tmp_path / "model.zip"]
        with zipfile.ZipFile(given[0], "w") as packed:
            for file in files:
                packed.write(file, file.name)
    else:
        given = files
    net, _ = case_of(tmp_path, given)
    line, trafo = 1 / (4 + 32j), 1 / (0.5 + 24.2j)
    y = np.array(
        [[line + 5e-5j, -line, 0], [-line, line + 5e-5j + trafo, -2 * trafo], [0, -2 * trafo, 4 * trafo]]
    )
    missing = volts(net) * np.conj(y @ volts(net))
    assert_allclose(missing[1], -100 - 30j, atol=1e-5)
    assert_allclose(missing[2].real, 80 - 60, atol=1e-5)
    assert_allclose(net.res_bus["vm_pu"].iloc[[0, 2]], (1.02, 1.01))


def test_what_is_no_model_is_refused_by_name(tmp_path):
    short, empty = tmp_path / "short.uct", tmp_path / "empty"
    short.write_text("##C\n##N\nx\n##L\ny\n", encoding="utf-8")
    empty.mkdir()
    (tmp_path / "lost.uct").write_text("nothing\n", encoding="utf-8")
    for file, said in ((short, "'y' is no node of the file"), (tmp_path / "lost.uct", "has no block ##N")):
        with pytest.raises(CaseError, match=said):
            import_case([str(file)], tmp_path / "case")
    pytest.importorskip("lxml")
    with pytest.raises(CaseError, match="no CGMES files"):
        import_case([str(empty)], tmp_path / "case")


def test_an_open_coupler_an_open_end_and_a_dead_bus_leave_the_rest_as_it_was():
    net = pp.create_empty_network()
    a, b, c, d = (pp.create_bus(net, 110.0, name=name) for name in "abcd")
    pp.create_ext_grid(net, a)
    for bus in (b, c):
        pp.create_line_from_parameters(net, a, bus, 1.0, 0.1, 0.4, 0.0, 1.0)
        pp.create_load(net, bus, 20.0, 5.0)
    pp.create_switch(net, b, c, "b", closed=False)
    pp.create_switch(net, a, d, "b", closed=False)
    pp.create_switch(net, c, 1, "l", closed=False)
    pp.create_load(net, d, 1.0)
    said = simplified(net)
    assert list(net.bus["name"]) == ["a", "b"]
    assert list(net.line["in_service"]) == [True]
    assert said[-1] == "2 buses without connection to a slack are left out: c, d"


@pytest.mark.parametrize(("tap_side", "neutral"), [("hv", 0), ("mv", 0), ("lv", 0), ("hv", 3)])
def test_a_transformer_of_three_windings_is_the_star_pandapower_solves(tap_side, neutral):
    net = pp.create_empty_network()
    high, middle, low = (pp.create_bus(net, kv) for kv in (220.0, 110.0, 10.0))
    pp.create_ext_grid(net, high, 1.02)
    pp.create_load(net, middle, 60.0, 20.0)
    pp.create_load(net, low, 25.0, 8.0)
    windings = (225.0, 115.0, 10.5, 120.0, 90.0, 40.0, 12.0, 8.0, 20.0, 0.3, 0.35, 0.4, 60.0, 0.1)
    taps = {
        "tap_neutral": neutral,
        "tap_min": -5,
        "tap_max": 5,
        "tap_pos": 3 - neutral,
        "tap_step_percent": 1.25,
    }
    side = {"tap_side": tap_side, "tap_changer_type": "Ratio", "shift_lv_degree": -30.0}
    pp.create_transformer3w_from_parameters(net, high, middle, low, *windings, **taps, **side, name="T")
    pp.runpp(net, calculate_voltage_angles=True, numba=False)
    expected = net.res_bus.copy()
    assert simplified(net) == ["1 transformers of three windings are stars"]
    pp.runpp(net, calculate_voltage_angles=True, numba=False)
    assert_allclose(net.res_bus.loc[[high, middle, low]], expected, atol=1e-6)


def test_a_spoilt_ucte_file_is_told_by_line_and_columns_all_at_once(tmp_path):
    text = NODES.replace("390.00", "39x.00").replace("XTHREE21 XFOURR21 1 0", "XTHREE21 XNOONE21 1 0")
    (tmp_path / "made.uct").write_text(text + "\n##N\nXTWOOO11 Again        0 0\n", encoding="utf-8")
    with pytest.raises(CaseError) as error:
        import_case([str(tmp_path / "made.uct")], tmp_path / "case")
    assert str(error.value).splitlines() == [
        "made.uct, line 22, block N: node 'XTWOOO11' is in line 6 already",
        "made.uct, line 5, block N, columns 27-32 (voltage): '39x.00' is not a number",
        "made.uct, line 13, block L: 'XNOONE21' is no node of the file",
    ]
