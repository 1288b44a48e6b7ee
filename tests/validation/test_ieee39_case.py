"""The 39 buses are those of other sources, but for the differences its PROVENANCE.md lists."""

import math

import pytest

from grids.case import load_case, load_network
from grids.dynamics.tables import read_units

CASE = load_case("ieee39")

# bus: H [s], xl, xd, xq, x'd, x'q, x'' on 100 MVA, T'd0, T'q0 [s]: M. A. Pai 1989, x'' from IEEE PES TR-18
PAI = {
    39: (500.0, 0.003, 0.02, 0.019, 0.006, 0.008, 0.004, 7.0, 0.7),
    31: (30.3, 0.035, 0.295, 0.282, 0.0697, 0.17, 0.05, 6.56, 1.5),
    32: (35.8, 0.0304, 0.2495, 0.237, 0.0531, 0.0876, 0.045, 5.7, 1.5),
    33: (28.6, 0.0295, 0.262, 0.258, 0.0436, 0.166, 0.035, 5.69, 1.5),
    34: (26.0, 0.054, 0.67, 0.62, 0.132, 0.166, 0.089, 5.4, 0.44),
    35: (34.8, 0.0224, 0.254, 0.241, 0.05, 0.0814, 0.04, 7.3, 0.4),
    36: (26.4, 0.0322, 0.295, 0.292, 0.049, 0.186, 0.044, 5.66, 1.5),
    37: (24.3, 0.028, 0.29, 0.28, 0.057, 0.0911, 0.045, 6.7, 0.41),
    38: (34.5, 0.0298, 0.2106, 0.205, 0.057, 0.0587, 0.045, 4.79, 1.96),
    30: (42.0, 0.0125, 0.1, 0.069, 0.031, 0.03, 0.025, 10.2, math.nan),
}


def branches(net, first: int) -> dict[tuple[int, ...], tuple[float, ...]]:
    """Return r, x, b and ratio [pu on 100 MVA] of every branch between two numbered buses."""
    number = {index: row + first for row, index in enumerate(net.bus.index)}
    out = {}
    for r in net.line.itertuples():
        z = net.bus.vn_kv[r.from_bus] ** 2 / 100.0 / r.length_km
        b = 2 * math.pi * 60.0 * r.c_nf_per_km * 1e-9 * z * r.length_km**2
        key = tuple(sorted((number[r.from_bus], number[r.to_bus])))
        out[key] = (r.r_ohm_per_km / z, r.x_ohm_per_km / z, b, 1.0)
    for r in net.trafo.itertuples():
        base = r.sn_mva * r.parallel
        x = math.sqrt(r.vk_percent**2 - r.vkr_percent**2)
        tap = 0.0 if math.isnan(r.tap_pos) else r.tap_pos * r.tap_step_percent / 100.0
        key = tuple(sorted((number[r.hv_bus], number[r.lv_bus])))
        out[key] = (r.vkr_percent / base, x / base, 0.0, 1.0 + tap)
    return out


def test_the_network_is_matpowers_but_for_the_charging_of_one_line() -> None:
    ours, theirs = branches(CASE.net, 1), branches(load_network("case39").net, 1)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 46
    other = {k for k in ours if ours[k] != pytest.approx(theirs[k], rel=1e-5, abs=1e-8)}
    assert other == {(25, 26)}
    assert (ours[25, 26][2], theirs[25, 26][2]) == pytest.approx((0.513, 0.531), rel=1e-5)


def test_loads_and_voltages_are_matpowers_but_for_the_listed_ones() -> None:
    def numbered(net, table: str, columns: list[str]) -> dict[int, tuple[float, ...]]:
        rows = net[table].set_index(net[table]["bus"].to_numpy() + 1)[columns]
        return {int(bus): tuple(row) for bus, row in zip(rows.index, rows.to_numpy(), strict=True)}

    net, theirs = CASE.net, load_network("case39").net
    ours_mw, theirs_mw = (numbered(n, "load", ["p_mw", "q_mvar"]) for n in (net, theirs))
    assert ours_mw.keys() == theirs_mw.keys() - {1, 9}
    assert {b for b in ours_mw if ours_mw[b] != pytest.approx(theirs_mw[b])} == {8, 12, 20}
    assert [ours_mw[b] for b in (8, 12, 20)] == [(522.0, 176.0), (7.5, 88.0), (628.0, 103.0)]
    ours_pu, theirs_pu = (numbered(n, "gen", ["p_mw", "vm_pu"]) for n in (net, theirs))
    other = {b for b in ours_pu if ours_pu[b] != theirs_pu[b]}
    assert other == {30, 32, 35, 36, 37}
    assert max(abs(ours_pu[b][1] - theirs_pu[b][1]) for b in other) < 0.0025


def test_the_machines_are_those_of_pai_on_their_ratings_but_for_the_listed_ones() -> None:
    machines = {int(u.element[4:]): u.params for u in read_units(CASE) if u.model == "genrou"}
    for bus, (h_s, *reactances, td10_s, tq10_s) in PAI.items():
        p = machines[bus]
        base = p.sn_mva / 100.0
        x = (p.xl_pu, p.xd_pu, p.xq_pu, p.xd1_pu, p.xq1_pu, p.xd2_pu)
        expected = [value * base for value in reactances]
        if bus == 34:
            expected = [value / 2.0 for value in expected]
        if bus == 30:
            expected[4] = expected[2]
            assert p.xq1_pu == p.xq_pu
        assert x == pytest.approx(expected, rel=1e-3)
        assert p.h_s * base == pytest.approx(h_s, rel=2e-3)
        assert p.td10_s == td10_s
        assert p.tq10_s == tq10_s or bus == 30
        assert (p.td20_s, p.tq20_s) == (0.05, 0.035)
        assert p.xl_pu < p.xd2_pu < p.xd1_pu < p.xd_pu


def test_turbines_and_largest_outputs_agree_and_carry_the_operating_point() -> None:
    turbines = {u.element: u.params.sn_mva for u in read_units(CASE) if u.model == "tgov1"}
    gens = CASE.net.gen.set_index("name")
    assert len(turbines) == 9
    for name, rated_mw in turbines.items():
        if name in gens.index:
            assert gens.max_p_mw[name] == pytest.approx(rated_mw)
            assert gens.p_mw[name] <= rated_mw
    rest = CASE.net["rest_fleet"].iloc[0]
    assert 0.9 * rest.sn_mva == pytest.approx(turbines["gen_31"], rel=1e-6)
    assert rest.sn_mva * rest.h_s == pytest.approx(700.0 * 4.329, rel=1e-6)
