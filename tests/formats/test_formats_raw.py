"""PSS/E RAW files become the network they describe."""

import math
from itertools import product

import numpy as np
import pandapower as pp
import pytest
from formats_made import raw_text, written
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.formats.importing import import_case
from grids.formats.raw import read_raw
from grids.formats.source import SMALLEST_X_PU
from grids.formats.stored import stored_mismatch
from grids.formats.tables import case_tables

BUSES = ["1,'NORTH, A/B  ',230.0,3,1,1,1,1.0,0.0", "2,'SOUTH       ',230.0,1,1,1,1,0.95,-5.0"]
GEN = ["1,'1 ',0.0,0.0,9999.0,-9999.0,1.0,0,100.0,0.0,0.2,0.0,0.0,1.0,1,100.0,500.0,0.0,1,1.0"]
LINE = ["1,2,'1 ',0.0,0.1,0.0,200.0,0.0,0.0,0.0,0.0,0.0,0.0,1,1,0.0,1,1.0"]


def solved(path, folder):
    import_case([str(path)], folder)
    net = load_case(str(folder)).net
    pp.runpp(net, calculate_voltage_angles=True)
    return net


def two_port(net):
    """Return the bus admittance matrix of a solved net in the order of its buses."""
    lookup = net["_pd2ppc_lookups"]["bus"][net.bus.index]
    return net["_ppc"]["internal"]["Ybus"].toarray()[np.ix_(lookup, lookup)]


def lossless_voltage(p_pu, q_pu, x_pu):
    """Return the high solution behind a reactance from 1 pu: V^4 + (2QX - 1)V^2 + X^2(P^2+Q^2) = 0."""
    b = 2 * q_pu * x_pu - 1
    return math.sqrt((-b + math.sqrt(b * b - 4 * x_pu**2 * (p_pu**2 + q_pu**2))) / 2)


@pytest.mark.parametrize("revision", [32, 33, 34])
def test_a_load_behind_a_reactance_has_its_closed_form_voltage_in_every_revision(tmp_path, revision):
    load = ["2,'1 ',1,1,1,100.0,50.0,0.0,0.0,0.0,0.0,1,1"]
    sections = {"bus": BUSES, "load": load, "generator": GEN, "branch": LINE}
    net = solved(written(tmp_path, "two.raw", raw_text(revision, sections)), tmp_path / "case")
    assert_allclose(net.res_bus["vm_pu"].iloc[1], lossless_voltage(1.0, 0.5, 0.1), rtol=1e-9)
    assert_allclose(net.line["max_i_ka"].iloc[0], 200.0 / math.sqrt(3) / 230.0, rtol=1e-12)
    assert net.f_hz == 60.0
    assert "NORTH, A/B" in net.bus["note"].iloc[0]


def test_defaults_stand_for_empty_places_and_short_records(tmp_path):
    sections = {
        "bus": ["1 'A' 230.0 3", "2,,230.0"],
        "load": ["2,,,,,100.0,50.0"],
        "generator": ["1,,,,,,1.0"],
        "branch": ["1, 2,, , 0.1 / the rest is default"],
    }
    net = solved(written(tmp_path, "short.raw", raw_text(33, sections)), tmp_path / "case")
    assert_allclose(net.res_bus["vm_pu"].iloc[1], lossless_voltage(1.0, 0.5, 0.1), rtol=1e-9)


def transformer(codes, z_pu, ratios, nominal_kv, mag=(0.0, 0.0)):
    """Return the lines of a transformer 230/115 kV; ratios in pu of the buses, impedance on 50 MVA."""
    (cw, cz, cm), r, x, sn = codes, z_pu.real, z_pu.imag, 50.0
    base = {1: 100.0 / sn, 2: 1.0, 3: 1.0}[cz]
    z = (r * 1e6 * sn, math.hypot(r, x)) if cz == 3 else (r * base, x * base)
    bus_kv = (230.0, 115.0)
    wind = [
        {1: t, 2: t * bus, 3: t * bus / nominal}[cw]
        for t, bus, nominal in zip(ratios, bus_kv, nominal_kv, strict=True)
    ]
    scale = (bus_kv[0] / nominal_kv[0]) ** 2  # of a magnetising power at the winding's nominal voltage
    g, b = mag
    magnet = (g, b) if cm == 1 else (g * 100e6 / scale, math.hypot(g, b) * 100 / sn / scale)
    return [
        f"1,3,0,'1 ',{cw},{cz},{cm},{magnet[0]!r},{magnet[1]!r},2,'T           ',1,1,1.0",
        f"{z[0]!r},{z[1]!r},{sn}",
        f"{wind[0]!r},{nominal_kv[0]},30.0,60.0,0.0,0.0",
        f"{wind[1]!r},{nominal_kv[1]}",
    ]


def test_every_code_of_a_transformer_gives_the_same_admittances(tmp_path):
    buses = [BUSES[0], "3,'LOW',115.0,1"]
    seen = []
    for number, codes in enumerate(product((1, 2, 3), (1, 2, 3), (1, 2))):
        lines = transformer(codes, complex(0.004, 0.12), (1.05, 0.98), (220.0, 121.0), (2e-4, -3e-3))
        text = raw_text(33, {"bus": buses, "generator": GEN, "transformer": lines})
        folder = tmp_path / f"case{number}"
        seen.append(two_port(solved(written(tmp_path, f"t{number}.raw", text), folder)))
    y = 1 / (2 * complex(0.004, 0.12))  # 50 MVA to 100 MVA
    m = 1.05 * np.exp(1j * np.deg2rad(30))
    own = y / 1.05**2 + complex(2e-4, -3e-3)
    expected = np.array([[own, -y / np.conj(m) / 0.98], [-y / m / 0.98, y / 0.98**2]])
    for admittance in seen:
        assert_allclose(admittance, expected, atol=1e-9)


def star_lines(status=1):
    return [
        f"1,2,3,'1 ',1,2,1,0.0,0.0,2,'STAR        ',{status},1,1.0",
        "0.002,0.10,80.0,0.003,0.05,40.0,0.004,0.30,50.0,1.0,-3.0",
        "1.02,0.0,0.0,80.0",
        "1.00,0.0,-30.0,80.0",
        "0.99,0.0,0.0,40.0",
    ]


def test_pairs_of_a_star_have_the_short_circuit_impedances_of_the_file(tmp_path):
    buses = [BUSES[0], "2,'MID',115.0,1", "3,'LOW',20.0,1"]
    text = raw_text(33, {"bus": buses, "generator": GEN, "transformer": star_lines()})
    y = two_port(solved(written(tmp_path, "star.raw", text), tmp_path / "case"))
    at = {1: 1.02, 2: 1.00, 3: 0.99}
    pairs = {(1, 2): complex(0.002, 0.1) / 0.8, (2, 3): complex(0.003, 0.05) / 0.4}
    pairs[1, 3] = complex(0.004, 0.3) / 0.5
    for (one, other), z in pairs.items():
        third = ({1, 2, 3} - {one, other}).pop() - 1
        rest = [k for k in range(4) if k != third]  # the third winding open, the star point inside
        open_y = y[np.ix_(rest, rest)] - np.outer(y[rest, third], y[third, rest]) / y[third, third]
        short = open_y[:2, :2] - np.outer(open_y[:2, 2], open_y[2, :2]) / open_y[2, 2]
        assert_allclose(1 / (short[0, 0] * at[one] ** 2), z, atol=1e-9)


def test_a_winding_that_is_off_carries_nothing(tmp_path):
    buses = [BUSES[0], "2,'MID',115.0,1", "3,'LOW',20.0,4"]
    text = raw_text(33, {"bus": buses, "generator": GEN, "transformer": star_lines(status=3)})
    grid = read_raw(written(tmp_path, "off.raw", text))
    assert "isolated" in grid.remarks[-1] or "isolated" in grid.remarks[0]
    buses[2] = "3,'LOW',20.0,1"
    text = raw_text(33, {"bus": buses, "generator": GEN, "transformer": star_lines(status=3)})
    grid = read_raw(written(tmp_path, "off.raw", text))
    assert [branch.in_service for branch in grid.branches] == [True, True, False]


def test_parts_of_a_load_draw_what_they_must_at_the_stored_voltage(tmp_path):
    load = ["2,'1 ',1,1,1,60.0,20.0,20.0,10.0,30.0,-15.0,1,1"]
    sections = {"bus": BUSES, "load": load, "generator": GEN, "branch": LINE}
    grid = read_raw(written(tmp_path, "parts.raw", raw_text(33, sections)))
    assert_allclose([grid.loads[0].p_mw, grid.loads[0].q_mvar], [60 + 0.95 * 20, 20 + 0.95 * 10])
    assert [grid.shunts[0].p_mw, grid.shunts[0].q_mvar] == [30.0, 15.0]


def test_stored_voltages_count_only_where_they_solve_the_network(tmp_path):
    vm = lossless_voltage(1.0, 0.5, 0.1)
    angle = -math.degrees(math.asin(1.0 * 0.1 / vm))
    load = ["2,'1 ',1,1,1,100.0,50.0"]
    right = {"bus": [BUSES[0], f"2,'S',230.0,1,1,1,1,{vm:.5f},{angle:.4f}"], "load": load}
    right |= {"generator": GEN, "branch": LINE}
    grid = read_raw(written(tmp_path, "right.raw", raw_text(33, right)))
    assert grid.solved
    assert stored_mismatch(grid, {1: math.nan})[0] < 1e-3
    said = import_case([str(tmp_path / "right.raw")], tmp_path / "right")
    assert "against the stored voltages" in said
    wrong = right | {"load": ["2,'1 ',1,1,1,130.0,50.0"]}
    grid = read_raw(written(tmp_path, "wrong.raw", raw_text(33, wrong)))
    assert not grid.solved
    assert "29.96 MVA are missing at bus 2" in grid.remarks[0]  # 30 less what rounding explains


def test_a_machine_at_its_reactive_limit_keeps_the_stored_voltage(tmp_path):
    q_mvar = 10.0 * (0.96**2 - 0.96) * 100  # what holds 0.96 pu behind 0.1 pu without active power
    gen = f"2,'1 ',0.0,{q_mvar:.4f},{q_mvar:.4f},-500.0,1.05,0,100.0,0.0,0.2,0.0,0.0,1.0,1,100.0,100.0,0.0"
    buses = [BUSES[0], "2,'S',230.0,2,1,1,1,0.96,0.0"]
    sections = {"bus": buses, "generator": [*GEN, gen], "branch": LINE}
    machine = read_raw(written(tmp_path, "limit.raw", raw_text(33, sections))).machines[1]
    assert machine.vm_pu == 0.96
    assert "reactive limit" in machine.note


def test_a_dc_line_draws_and_delivers_what_its_schedule_says(tmp_path):
    link = [
        "'LINK', 1, 8.0, 500.0, 500.0, 0.0, 0.0",
        "1, 2, 20.0, 15.0, 0.0, 7.0, 230.0",
        "2, 2, 22.0, 18.0, 0.0, 7.0, 230.0",
    ]
    sections = {"bus": BUSES, "generator": GEN, "branch": LINE, "two-terminal dc": link}
    rectifier, inverter = read_raw(written(tmp_path, "dc.raw", raw_text(33, sections))).injections
    i_ka = (math.sqrt(500.0**2 + 4 * 8.0 * 500.0) - 500.0) / 16.0
    assert_allclose([rectifier.p_mw, inverter.p_mw], [-500.0, 500.0 * i_ka], rtol=1e-12)
    assert_allclose(-rectifier.p_mw - inverter.p_mw, 8.0 * i_ka**2, rtol=1e-9)
    overlap_kv = 3 / math.pi * 7.0 * i_ka
    cos_phi = 250.0 * math.cos(math.radians(18.0)) / (250.0 + overlap_kv)
    assert_allclose(inverter.q_mvar, -inverter.p_mw * math.tan(math.acos(cos_phi)), rtol=1e-12)


def test_negative_charging_and_shunts_of_line_ends_stand_at_the_buses(tmp_path):
    line = ["1,2,'1 ',0.0,0.1,-0.04,0.0,0.0,0.0,0.001,0.002,0.0,0.003,1"]
    text = raw_text(33, {"bus": BUSES, "generator": GEN, "branch": line})
    y = two_port(solved(written(tmp_path, "shunts.raw", text), tmp_path / "case"))
    shunt = y.sum(axis=1)
    assert_allclose(shunt, [complex(0.001, 0.002 - 0.02), complex(0.0, 0.003 - 0.02)], atol=1e-9)


def test_jumpers_and_isolated_buses_are_told(tmp_path):
    sections = {
        "bus": [*BUSES, "9,'GONE',230.0,4"],
        "generator": GEN,
        "branch": ["1,2,'1 ',0.0,0.0,0.0", "2,9,'1 ',0.0,0.1,0.0"],
        "load": ["9,'1 ',1,1,1,5.0,0.0"],
    }
    grid = read_raw(written(tmp_path, "told.raw", raw_text(33, sections)))
    assert [b.x_pu for b in grid.branches] == [SMALLEST_X_PU]
    assert not grid.loads
    assert any("bus 9 is isolated" in remark for remark in grid.remarks)


def test_a_ratio_far_from_one_becomes_a_tap(tmp_path):
    lines = transformer((1, 1, 1), 0.06j, (1.25, 1.0), (230.0, 115.0))
    text = raw_text(33, {"bus": [BUSES[0], "3,'L',115.0,1"], "generator": GEN, "transformer": lines})
    net = solved(written(tmp_path, "far.raw", text), tmp_path / "case")
    assert net.trafo["vn_hv_kv"].iloc[0] == 230.0
    y = two_port(net)
    assert_allclose(abs(y[1, 1] / y[0, 1]), 1.25, rtol=1e-9)


@pytest.mark.parametrize(
    ("revision", "changed", "said"),
    [
        (33, {"bus": ["1,'A',230.0,3", "1x,'B',230.0"]}, ["line 5", "section bus", "field I (1)", "'1x'"]),
        (33, {"branch": ["1,7,'1 ',0.0,0.1"]}, ["section branch", "field J (2)", "'7' is no bus"]),
        (33, {"branch": ["1,2,'1 ',0.0"]}, ["field X (5)", "is missing"]),
        (
            33,
            {"load": ["2,'1 ',1,1,1,6x,0.0"], "branch": ["1,2,'1 ',0.0,abc"]},
            ["'6x' is not", "'abc' is not"],
        ),
        (33, {"facts": ["'SVC1',1,0,1", "'OFF',1,0,0", "'SVC2',2,0,2"]}, ["'SVC1'", "'SVC2'"]),
        (33, {"generator": [GEN[0].replace("0.2,0.0,0.0,1.0", "0.2,0.0,0.1,1.0")]}, ["XT", "own record"]),
        (33, {"transformer": ["1,2,0,'1 ',4,1,1", "0,0.1,100", "1", "1"]}, ["CW", "4", "1 to 3"]),
        (33, {"transformer": ["1,2,0,'1 ',1,1,1", "0,0.1,100"]}, ["has 2 lines, not 4"]),
        (33, {"branch": ["-1,2,'1 ',0.0,0.1"]}, ["field I (1)", "'-1' is no bus"]),
        (35, {}, ["revision 35", "32, 33, 34"]),
    ],
)
def test_a_file_that_cannot_be_read_names_line_section_field_and_value(tmp_path, revision, changed, said):
    sections = {"bus": BUSES, "generator": GEN, "branch": LINE, **changed}
    text = raw_text(33, sections).replace(", 33,", f", {revision},", 1)
    with pytest.raises(CaseError) as error:
        case_tables(read_raw(written(tmp_path, "bad.raw", text)))
    for fragment in ["bad.raw", *said]:
        assert fragment in str(error.value)
    assert "'OFF'" not in str(error.value)


def test_a_file_that_ends_within_a_section_is_refused(tmp_path):
    text = raw_text(33, {"bus": BUSES, "generator": GEN, "branch": LINE})
    whole, _, _ = text.partition(LINE[0])
    with pytest.raises(CaseError, match="section branch: the file ends within it"):
        read_raw(written(tmp_path, "cut.raw", whole + LINE[0]))
