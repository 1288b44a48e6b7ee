"""PSD-BPA power-flow cards become the network they describe."""

import math

import numpy as np
import pandapower as pp
import pytest
from bpa_made import NINE, SOLUTION, deck, files
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.formats.bpa.network import read_network
from grids.formats.importing import import_case
from grids.formats.stored import _admittance

TWO = ("BS    A       230.1A                           999. -999.1.0", "B     B       230.2B")


def network(folder, *cards):
    path = folder / "made.dat"
    path.write_bytes(deck(*cards).encode("gbk"))
    return read_network(path, 50.0).grid


def admittance(grid):
    rows = {number: row for row, number in enumerate(grid.buses)}
    return _admittance(grid, rows).toarray()


def imported(folder, **how):
    import_case(files(folder, **how), folder / "case", replace=True)
    case = load_case(str(folder / "case"))
    pp.runpp(case.net, calculate_voltage_angles=True, numba=False)
    return case


def test_nine_buses_have_the_published_voltages(tmp_path):
    net = imported(tmp_path).net
    solved = net.res_bus[["vm_pu", "va_degree"]].to_numpy()
    published = np.array([SOLUTION[name] for name in net.bus["name"]])
    assert_allclose(solved[:, 0], published[:, 0], atol=6e-4)
    assert_allclose(solved[:, 1], published[:, 1], atol=0.06)
    assert_allclose(net.res_ext_grid["p_mw"], 71.6, atol=0.06)


def test_numbers_without_a_point_take_that_of_their_field(tmp_path):
    grid = network(tmp_path, *TWO, "L     A       230. B       230.        3900 -17000       17900")
    (branch,) = grid.branches
    assert_allclose((branch.r_pu, branch.x_pu, branch.b_pu), (0.039, -0.17, 0.358))


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_chinese_names_keep_the_columns_in_both_encodings(tmp_path, encoding):
    dat = NINE.replace("BUS8    ", "合肥东  ")
    net = imported(tmp_path, dat=dat.replace("BUS8    ", "合肥东  "), encoding=encoding).net
    assert "合肥东_230" in set(net.bus["name"])
    assert_allclose(net.res_bus["vm_pu"].min(), 0.996, atol=6e-4)


def test_sections_of_a_line_are_the_line_with_a_bus_between(tmp_path):
    sections = (
        "L     A       230. B       230.11     .01   .1          .05",
        "L     A       230. B       230.12           -.03",
        "E     A       230. B       230.13     .02   .2    .002  .03   .004  -.05",
    )
    whole = admittance(network(tmp_path, *TWO, *sections))
    ends = [("A", "C"), ("C", "D"), ("D", "B")]
    apart = [
        card.replace("A       230. B       230.1", f"{one}       230. {other}       230. ")[:32]
        + " "
        + card[33:]
        for card, (one, other) in zip(sections, ends, strict=True)
    ]
    full = admittance(network(tmp_path, *TWO, *(f"B     {name}       230.2B" for name in "CD"), *apart))
    kept, gone = full[:2, 2:], full[2:, 2:]
    assert_allclose(whole, full[:2, :2] - kept @ np.linalg.solve(gone, full[2:, :2]), rtol=1e-12)


def test_a_transformer_is_two_ratios_with_half_its_magnetising_branch_at_each_end(tmp_path):
    low = "B     B       115.2B"
    card = "T     A       230. B       115.       .002  .05   .001  .004  235. 113."
    y = admittance(network(tmp_path, TWO[0], low, card))
    one, other, series = 235 / 230, 113 / 115, 1 / (0.002 + 0.05j)
    shunt = 0.5 * (0.001 - 0.004j) / (one * other)
    expected = [
        [series / one**2 + shunt, -series / one / other],
        [-series / one / other, series / other**2 + shunt],
    ]
    assert_allclose(y, expected, rtol=1e-12)


def test_a_phase_shifter_leads_at_its_first_bus(tmp_path):
    y = admittance(
        network(tmp_path, *TWO, "TP    A       230. B       230.             .05               -7.5")
    )
    assert_allclose(y[0, 1], -np.exp(-7.5j * math.pi / 180) / 0.05j, rtol=1e-12)
    assert_allclose(y[1, 0], -np.exp(7.5j * math.pi / 180) / 0.05j, rtol=1e-12)


def test_reactors_of_lines_continuation_cards_and_areas_are_taken(tmp_path):
    grid = network(
        tmp_path,
        *TWO,
        "L     A       230. B       230.1            .1",
        "L+    A       230. B       230.1 40.       60.",
        "+A XYZB       230.*I10.  5.       25.",
        "A  WEST                            1A 2B",
    )
    assert {(s.bus, s.q_mvar) for s in grid.shunts} == {(1, 40.0), (2, 60.0), (2, -25.0)}
    assert [(load.p_mw, load.q_mvar) for load in grid.loads] == [(10.0, 5.0)]
    assert {bus.area for bus in grid.buses.values()} == {"WEST"}


def test_an_x_card_is_shunts_in_steps_that_hold_the_band_of_their_bus(tmp_path):
    dat = NINE.replace(
        "B     BUS8    230.1A100. 35.", "BX    BUS8    230.1A100. 35." + " " * 26 + "   1.050.98"
    )
    dat = dat.replace("L     BUS4", "X     BUS8    230.  BUS8    230.2-30. 320.\nL     BUS4", 1)
    shunts = imported(tmp_path, dat=dat).net.shunt
    assert list(zip(shunts["q_mvar"], shunts["step"], shunts["max_step"], strict=True)) == [
        (30, 0, 2),
        (-20, 0, 3),
    ]
    assert_allclose(shunts[["vm_low_pu", "vm_high_pu"]], [[0.98, 1.05]] * 2)


LINK = (
    "B     RECT    525.1A",
    "BS    INV     525.1B                           999. -999.1.0",
    "BD    VALVE1  210.     2      5.   120.      3000.RECT    525.",
    "BD    VALVE2  200.     2      7.   120.      3000.INV     525.",
    "LD    VALVE1  210. VALVE2  200.  30005.                R800. 500. 15. 17.",
    "T     RECT    525. VALVE1  210.             .006              525. 210.",
    "T     INV     525. VALVE2  200.             .008              525. 200.",
    "R     RECT    525.1VALVE1  210.  VALVE1  210.702.1488.1 0",
)


def test_a_link_loses_what_its_line_takes_and_draws_reactive_power_at_both_ends(tmp_path):
    grid = network(tmp_path, *LINK)
    rectifier, inverter = grid.injections
    assert_allclose((rectifier.p_mw, inverter.p_mw), (-800.0, 800.0 - 5.0 * 1.6**2))
    assert (grid.buses[rectifier.bus].label, grid.buses[inverter.bus].label) == ("RECT", "INV")
    # Kundur, eq. 10.18: cos(phi) = cos(alpha) - X I / (sqrt(2) E), with E of a bridge from its ideal voltage
    for end, volts_kv, degree, x_pu, base_kv in (
        (rectifier, 500, 15, 0.006, 210),
        (inverter, 492, 17, 0.008, 200),
    ):
        x_ohm = 2 * x_pu * base_kv**2 / 100
        cos_phi = math.cos(math.atan(end.q_mvar / end.p_mw))
        e_kv = volts_kv / 2 / cos_phi * math.pi / 3 / math.sqrt(2)
        assert end.q_mvar < 0
        assert_allclose(
            cos_phi, math.cos(math.radians(degree)) - x_ohm * 1.6 / math.sqrt(2) / e_kv, rtol=1e-12
        )


def test_a_link_against_the_order_of_its_buses_and_metered_at_the_inverter(tmp_path):
    turned = [c.replace("R800. ", "I-800.") for c in LINK]
    first, second = network(tmp_path, *turned).injections
    assert_allclose(second.p_mw, 800.0)
    assert -first.p_mw > 800.0


def test_islands_joined_by_direct_current_alone_have_a_frequency_each(tmp_path):
    sending = LINK[1].replace("INV ", "RECT")
    case = imported(tmp_path, dat=deck(sending, *LINK[1:]))
    assert list(case.net.bus["area"]) == ["system", "system_2"]
    assert sorted(case.net["ties"]["share_pu"]) == [1.0, 1.0]
    assert set(case.net["rest_fleet"]["area"]) == {"system", "system_2"}


def test_a_link_is_a_row_of_links_with_the_losses_of_its_line(tmp_path):
    sending = LINK[1].replace("INV ", "RECT")
    (link,) = imported(tmp_path, dat=deck(sending, *LINK[1:])).net["links"].to_dict("records")
    assert (link["from_element"], link["sn_mw"], link["poles"]) == ("dc_RECT_525_VALVE1_VALVE2", 1500.0, 1)
    assert_allclose(link["loss_percent"] / 100 / 1500 * 800**2, 5.0 * 1.6**2)


def test_cards_that_are_not_read_are_all_named_with_their_lines(tmp_path):
    dat = NINE.replace("(END)", "PZ    1A 1.05\nQP   X\nQP   Y\nB M   BUS8    230.1A\n(END)").replace(
        "B M ", "B M"
    )
    dat = dat.replace("BM    BUS8", "B M   BUS8")
    with pytest.raises(CaseError) as error:
        import_case(files(tmp_path, dat), tmp_path / "case")
    for said in (
        "PZ: 1 card not taken",
        "line 24;",
        "QP: 2 cards",
        "lines 25-26",
        "change code 'M'",
        "--replace",
    ):
        assert said in str(error.value)
    import_case(files(tmp_path, dat), tmp_path / "case", replace=True)
    provenance = (tmp_path / "case" / "PROVENANCE.md").read_text(encoding="utf-8")
    assert "PZ: 1 card not taken" in provenance
    assert "QP: 2 cards not taken" in provenance


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("L     BUS5    230. BUS7", "L     BUS5    230. BUS0", "line 17, card L: 'BUS0' at 230 kV is no bus"),
        (".0085 .072", ".0085 .0x2", "line 19, card L, columns 45-50 (x_pu): '.0x2' is not a number"),
        ("B     BUS9    230.", "B     BUS8    230.", "line 14, card B: bus 'BUS8' at 230 kV is there twice"),
        ("1025\nBQ", "\nBQ", "line 6, card BQ, columns 58-61: holds 0 pu"),
        ("/MVA_BASE = 100", "/MVA_BASE = none", "line 2: MVA_BASE 'none'"),
        ("/NETWORK_DATA", "/NETWORK_DATA,FILE=x.dat", "line 3: NETWORK_DATA of another file"),
    ],
)
def test_a_card_that_cannot_be_names_line_and_columns(tmp_path, old, new, said):
    assert old in NINE
    with pytest.raises(CaseError) as error:
        import_case(files(tmp_path, NINE.replace(old, new, 1)), tmp_path / "case")
    assert said in str(error.value)
