"""Governors, exciters and stabilisers answer as their published diagrams say, and stay within limits."""

import copy
import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.dynamics import BusFault, GeneratorTrip, LoadStep, Run, begin, simulate
from grids.dynamics.device import Block, Device, Site, field_row, parameter_names
from grids.dynamics.devices.zip import ZipParams
from grids.dynamics.registry import device

UNITS = json.loads((Path(__file__).parents[1] / "validation" / "golden" / "machines.json").read_text())
"""Every model at one of kundur's four machines."""
DOCS = Path(__file__).parents[2] / "docs" / "models" / "dynamics"
FREQUENCIES = 2j * np.pi * np.array([0.02, 0.3, 2.0])

V, S_PU, MVA, BASE_MVA, OMEGA = 1.02 * np.exp(0.3j), 1.5 + 0.6j, 200.0, 100.0, 2 * np.pi * 60
TM, VF = 1.6, 1.9
OTHER = {"e2_pu": 2.4, "e1_pu": 1.2, "tr_s": 0.03, "tc_s": 0.6, "tb_s": 4.0}


class Bench:
    """One unit alone: its start, its kernel, and its linear response."""

    def __init__(self, model: str, **changes: float) -> None:
        self.cls: type[Device] = device(model)
        row = {key: value for key, value in (UNITS[model][0] | changes).items() if key != "name"}
        self.p = self.cls.params_type(**row)
        names = parameter_names(self.cls.params_type)
        values = np.zeros((len(names) + len(self.cls.derived), 1))
        values[: len(names), 0] = [float(getattr(self.p, name)) for name in names]
        signals = (*self.cls.reads, *self.cls.writes)
        wire = np.arange(len(signals)).reshape(-1, 1)
        self.u = Block(values, np.zeros(1, np.int64), wire, np.zeros((0, 1)), np.ones(1, bool))
        self.x, self.s = np.zeros((len(self.cls.states), 1)), np.zeros(len(signals))
        site = Site(np.array([V]), np.array([S_PU]), np.array([MVA]), BASE_MVA, OMEGA, (model,), (self.p,))
        current = np.conj(S_PU / V)
        self.given = {"tm": TM, "te": TM, "vf": VF, "xadifd": VF, "speed": 1.0, "vm": abs(V),
                      "p": S_PU.real, "q": S_PU.imag, "id": current.real, "iq": current.imag}  # fmt: skip
        for name in signals:
            self.s[signals.index(name)] = self.given.get(name, 0.0)
        self.cls.start(self.u, self.x, self.s, site)
        self.signals = signals

    def derived(self, name: str) -> float:
        return float(self.u.p[field_row(self.cls, name), 0])

    def state(self, name: str) -> float:
        return float(self.x[self.cls.states.index(name), 0])

    def rates(self, x: np.ndarray, out: str, v: complex = V, **signals: float) -> tuple[np.ndarray, float]:
        """Return derivatives and one output."""
        s, dx = self.s.copy(), np.zeros_like(self.x)
        for name, value in signals.items():
            s[self.signals.index(name)] = value
        self.cls.rhs(self.u, x, np.array([v]), np.ones(1), s, dx)
        return dx[:, 0], float(s[self.signals.index(out)])

    def response(self, name: str, out: str) -> np.ndarray:
        """Return the transfer function from an input (or the angle of the terminal) at `FREQUENCIES`."""
        n, step = self.x.size, 1e-6

        def difference(x: np.ndarray, change: float) -> np.ndarray:
            ends = []
            for sign in (1.0, -1.0):
                v = V * np.exp(1j * sign * change) if name == "angle" else V
                moved = {} if name == "angle" else {name: self.given.get(name, 0.0) + sign * change}
                dx, y = self.rates(self.x + sign * x, out, v, **moved)
                ends.append(np.append(dx, y))
            return (ends[0] - ends[1]) / (2 * step)

        columns = [difference(step * np.eye(n)[:, [k]], 0.0) for k in range(n)]
        whole, given = np.column_stack(columns), difference(np.zeros((n, 1)), step)
        a, b, c, d = whole[:n], given[:n], whole[n], given[n]
        return np.array([c @ np.linalg.solve(s * np.eye(n) - a, b) + d for s in FREQUENCIES])


def lag(t_s: float) -> np.ndarray:
    return 1 / (1 + FREQUENCIES * t_s)


def lead_lag(lead_s: float, lag_s: float) -> np.ndarray:
    return (1 + FREQUENCIES * lead_s) / (1 + FREQUENCIES * lag_s)


def closed(forward: np.ndarray, back: np.ndarray) -> np.ndarray:
    return forward / (1 + forward * back)


def test_ieeeg1_is_its_diagram() -> None:
    bench = Bench("ieeeg1", k1_pu=0.25, k3_pu=0.35, k5_pu=0.25, k7_pu=0.15)
    p = bench.p
    stages = np.cumprod([lag(p.t4_s), lag(p.t5_s), lag(p.t6_s), lag(p.t7_s)], axis=0)
    shares = np.array([p.k1_pu, p.k3_pu, p.k5_pu, p.k7_pu])
    expected = -p.k_pu * lead_lag(p.t2_s, p.t1_s) * lag(p.t3_s) * (shares @ stages) * MVA / BASE_MVA
    assert np.allclose(bench.response("speed", "tm"), expected, rtol=1e-6)


def test_hygov_is_its_diagram_with_the_water_column_of_kundur() -> None:
    bench = Bench("hygov")
    p, s = bench.p, FREQUENCIES
    gate = bench.state("gate")
    governor = closed(lag(p.tf_s) * (1 + s * p.tr_s) / (p.rtemp_pu * p.tr_s * s), p.rperm_pu)
    opened = governor * lag(p.tg_s)
    tw_s = p.tw_s * gate  # Kundur 1994, eq. 9.9: the water starting time at this flow
    flow = 1 / (1 + s * tw_s / 2)
    torque = p.at_pu * flow * (1 - s * p.tw_s * (gate - p.qnl_pu))
    expected = -(torque * opened + p.dt_pu * gate) * MVA / BASE_MVA
    assert np.allclose(bench.response("speed", "tm"), expected, rtol=1e-5)
    ideal = Bench("hygov", qnl_pu=0.0, at_pu=1.0, dt_pu=0.0)
    tw_s = p.tw_s * ideal.state("gate")
    expected = -(1 - s * tw_s) / (1 + s * tw_s / 2) * opened * MVA / BASE_MVA  # eq. 9.10
    assert np.allclose(ideal.response("speed", "tm"), expected, rtol=1e-5)


def test_gast_is_its_diagram_below_and_at_the_temperature_limit() -> None:
    bench = Bench("gast", at_pu=0.9)
    p = bench.p
    below = -(lag(p.t1_s) * lag(p.t2_s) / p.r_pu + p.dt_pu) * MVA / BASE_MVA
    assert np.allclose(bench.response("speed", "tm"), below, rtol=1e-6)
    hot = Bench("gast", at_pu=TM / 2.0)
    bench.u.p[field_row(bench.cls, "at_pu"), 0] = TM / 2.0
    bench.u.p[field_row(bench.cls, "pref"), 0] += 1.0  # the limiter has taken over
    limited = -np.full(FREQUENCIES.size, p.dt_pu * MVA / BASE_MVA)
    assert np.allclose(bench.response("speed", "tm"), limited, rtol=1e-6)
    assert hot.rates(hot.x, "tm")[0] == pytest.approx(0.0, abs=1e-12)


def test_exst1_is_its_diagram() -> None:
    bench = Bench("exst1", **{k: OTHER[k] for k in ("tc_s", "tb_s")})
    p = bench.p
    forward = p.ka_pu * lead_lag(p.tc_s, p.tb_s) * lag(p.ta_s)
    expected = closed(forward, FREQUENCIES * p.kf_pu * lag(p.tf_s))
    assert np.allclose(bench.response("vs", "vf"), expected, rtol=1e-6)


def test_esdc2a_is_its_diagram_with_the_slope_of_saturation() -> None:
    bench = Bench("esdc2a", e1_pu=1.2, e2_pu=2.4)
    p = bench.p
    slope = 2 * bench.derived("sat_gain") * (VF - bench.derived("sat_start"))
    assert slope > 0.1
    exciter = 1 / (FREQUENCIES * p.te_s + p.ke_pu + slope)
    forward = p.ka_pu * lead_lag(p.tc_s, p.tb_s) * lag(p.ta_s) * exciter
    expected = closed(forward, FREQUENCIES * p.kf1_pu * lag(p.tf1_s))
    assert np.allclose(bench.response("vs", "vf"), expected, rtol=1e-5)


@pytest.mark.parametrize("tm_s", [0.4, 1e-3])
def test_esst3a_is_its_diagram_whether_its_inner_loop_is_integrated_or_solved(tm_s: float) -> None:
    bench = Bench("esst3a", tm_s=tm_s)
    p = bench.p
    kp = p.kp_pu * np.exp(1j * np.deg2rad(p.thetap_degree))
    current = np.conj(S_PU / V) * BASE_MVA / MVA
    ve = abs(kp * V + 1j * (p.ki_pu + kp * p.xl_pu) * current)
    loading = p.kc_pu * VF / ve
    assert 0.0 < loading < 0.433
    source = ve * (1 - 0.577 * loading)
    inner = closed(p.km_pu * source * lag(tm_s if tm_s > 0.1 else 0.0), p.kg_pu)
    expected = p.ka_pu * lead_lag(p.tc_s, p.tb_s) * lag(p.ta_s) * inner
    assert np.allclose(bench.response("vs", "vf"), expected, rtol=1e-5)


def test_st2cut_is_its_diagram_for_every_input() -> None:
    s = FREQUENCIES
    inputs = {1: "speed", 2: "angle", 3: "te", 4: "tm", 5: "vm", 6: "vm"}
    seen = {2: s / OMEGA * lag(0.02) * lag(0.1), 3: BASE_MVA / MVA, 4: BASE_MVA / MVA, 6: s * lag(0.1)}
    for mode, name in inputs.items():
        bench = Bench("st2cut", mode1_code=mode, mode2_code=0, t9_s=0.07, t10_s=0.03)
        p = bench.p
        leads = lead_lag(p.t5_s, p.t6_s) * lead_lag(p.t7_s, p.t8_s) * lead_lag(p.t9_s, p.t10_s)
        rest = p.k1_pu * lag(p.t1_s) * s * p.t3_s * lag(p.t4_s) * leads
        assert np.allclose(bench.response(name, "vs"), seen.get(mode, 1.0) * rest, rtol=1e-5), mode


def test_the_saturation_of_gensal_is_that_of_its_open_circuit_curve() -> None:
    cls = device("gensal")
    for v_pu, factor in ((1.0, 1.3), (1.2, 1.8), (0.7, 1.0)):
        p = cls.params_type(**{k: v for k, v in UNITS["gensal"][0].items() if k != "name"})
        p = p.model_copy(update={"s10_pu": 0.3, "s12_pu": 0.8})
        names = parameter_names(cls.params_type)
        values = np.zeros((len(names) + len(cls.derived), 1))
        values[: len(names), 0] = [getattr(p, name) for name in names]
        signals = (*cls.reads, *cls.writes)
        wire, s = np.arange(len(signals)).reshape(-1, 1), np.zeros(len(signals))
        u = Block(values, np.zeros(1, np.int64), wire, np.zeros((2, 1)), np.ones(1, bool))
        site = Site(np.array([v_pu + 0j]), np.array([0j]), np.array([900.0]), 100.0, OMEGA, ("",), (p,))
        cls.start(u, np.zeros((len(cls.states), 1)), s, site)
        assert s[signals.index("vf")] == pytest.approx(v_pu * factor, abs=1e-12)


@pytest.mark.parametrize(
    ("page", "models"),
    [
        ("machines", ["genrou", "gensal", "gencls"]),
        ("governors", ["tgov1", "ieeeg1", "hygov", "gast", "degov1"]),
        ("exciters", ["sexs", "exdc2", "exst1", "esst3a"]),
        ("stabilisers", ["ieeest", "st2cut"]),
    ],
)
def test_the_page_of_a_family_has_every_column(page: str, models: list[str]) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for model in models:
        for name, field in device(model).params_type.model_fields.items():
            assert f"| `{name}` | {field.description} |" in text, (model, name)


def case(**changes: dict[str, object]):
    """Return kundur's network with every model, and changes of the first unit of some."""
    kundur = load_case("kundur")
    net = copy.deepcopy(kundur.net)
    for model, rows in UNITS.items():
        first = rows[0] | changes.get(model, {})
        net[model] = pd.DataFrame([first, *rows[1:]])
    return dataclasses.replace(kundur, net=net, folder=None)


def test_all_models_start_flat_and_stay() -> None:
    session = begin(case(gensal={"s10_pu": 0.15, "s12_pu": 0.6}))
    assert np.abs(session.derivatives).max() < 1e-8
    session.advance(20.0, every=100)
    assert np.abs(Run(session).f_coi_hz - 60.0).max() < 1e-6


def test_halving_the_step_converges() -> None:
    def speeds(step_s: float) -> np.ndarray:
        run = simulate(case(), [LoadStep(bus=7, p_mw=60.0, at_s=0.1)], until_s=2.1, step_s=step_s)
        return run.speed_pu.to_numpy()[-1]

    exact = speeds(1 / 960)
    errors = [np.abs(speeds(step_s) - exact).max() for step_s in (1 / 60, 1 / 120, 1 / 240)]
    assert errors[0] / errors[1] > 3.5  # exponential lags in a chain are of second order
    assert errors[1] / errors[2] > 3.5
    assert errors[1] < 1e-8


def test_limits_hold_after_the_loss_of_a_quarter_of_the_generation() -> None:
    run = simulate(case(), [GeneratorTrip(bus=2, at_s=0.5)], until_s=40.0, step_s=0.01)
    valve = run.state("ieeeg1", "valve")["gen_1"]
    p = UNITS["ieeeg1"][0]
    slope = valve.diff() / np.diff(run.t_s, prepend=-1.0)
    assert valve.max() == pytest.approx(p["pmax_pu"], abs=1e-12)
    assert slope.max() == pytest.approx(p["uo_pu_per_s"], rel=1e-6)
    gate = run.state("hygov", "order")["gen_4"]
    velocity = (gate.diff() / np.diff(run.t_s, prepend=-1.0)).abs()
    assert velocity.max() <= UNITS["hygov"][0]["velm_pu_per_s"] * (1 + 1e-6)
    hot = run.signal("tm")["gen_3"].iloc[-1] / 9.0 + 0.2 * (run.speed_pu["gen_3"].iloc[-1] - 1.0)
    assert hot == pytest.approx(UNITS["gast"][0]["at_pu"], abs=1e-3)  # where limit and power meet
    assert run.signal("vs").abs().max().max() <= 0.1


def test_a_static_exciter_is_at_the_ceiling_its_terminal_voltage_allows() -> None:
    low = {"vrmax_pu": 4.0, "vimax_pu": 1.0, "tc_s": 0.0, "tb_s": 0.0, "kf_pu": 0.0, "kc_pu": 0.1}
    run = simulate(
        case(exst1=low), [BusFault(bus=10, at_s=0.1, clear_after_s=0.1)], until_s=0.3, step_s=0.005
    )
    within = (run.t_s > 0.16) & (run.t_s < 0.199)
    ceiling = 4.0 * run.vm_pu["bus_4"] - 0.1 * run.signal("xadifd")["gen_4"]
    assert within.sum() >= 5
    assert np.allclose(run.signal("vf")["gen_4"][within], ceiling[within], rtol=0, atol=1e-9)


def test_a_stabiliser_is_off_outside_its_band_of_voltage() -> None:
    for band, blocked in ({"vcl_pu": -0.05}, True), ({"vcl_pu": -0.99}, False):
        events = [BusFault(bus=6, at_s=0.1, clear_after_s=0.1)]
        run = simulate(case(st2cut=band), events, until_s=0.3, step_s=0.005)
        within = (run.t_s > 0.12) & (run.t_s < 0.199)
        assert (run.signal("vs")["gen_1"][within].abs().max() == 0.0) == blocked


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        ("ieeeg1", {"pmax_pu": 0.5}, ["gen_1 (ieeeg1) valve must be 0.8", "allowed: 0 to 0.5"]),
        ("hygov", {"gmax_pu": 0.3}, ["gen_4 (hygov) order", "allowed: 0 to 0.3"]),
        ("gast", {"at_pu": 0.6}, ["gen_3 (gast) power (at_pu)", "0.6"]),
        ("exst1", {"vrmax_pu": 1.0}, ["gen_4 (exst1) field voltage (vrmin_pu, vrmax_pu)"]),
        ("exst1", {"vimax_pu": 0.001}, ["gen_4 (exst1) voltage error (vimin_pu, vimax_pu)"]),
        ("esdc2a", {"vrmax_pu": 0.9}, ["gen_3 (esdc2a) regulator (vrmin_pu, vrmax_pu)"]),
        ("esst3a", {"vmmax_pu": 0.2}, ["gen_1 (esst3a) inner", "allowed: 0 to 0.2"]),
        ("esst3a", {"vimax_pu": 0.001}, ["gen_1 (esst3a) voltage error (vimin_pu, vimax_pu)"]),
        ("ieeeg1", {"k2_pu": 0.1}, ["gen_1", "k2_pu=0.1 drives a second machine"]),
        ("ieeeg1", {f"k{i}_pu": 0.0 for i in (1, 3, 5, 7)}, ["k1_pu + k3_pu + k5_pu + k7_pu=0"]),
        ("ieeeg1", {"uc_pu_per_s": 0.1}, ["uc_pu_per_s", "less than 0"]),
        ("hygov", {"gmin_pu": 2.0}, ["gmin_pu=2 is not below gmax_pu=1.2"]),
        ("gast", {"vmin_pu": 2.0}, ["vmin_pu=2 is not below vmax_pu=1"]),
        ("exst1", {"ta_s": 0.0}, ["ta_s=0 leaves no lag inside the rate feedback kf_pu=0.02"]),
        ("exst1", {"vimin_pu": 0.3}, ["vimin_pu=0.3 is not below vimax_pu=0.2"]),
        ("esdc2a", {"vrmin_pu": 5.0}, ["vrmin_pu=5 is not below vrmax_pu=4"]),
        ("esst3a", {"vmmin_pu": 2.0}, ["vmmin_pu=2 is not below vmmax_pu=1.2"]),
        ("st2cut", {"t3_s": 0.0}, ["t3_s=0 lets the constant part of input (1, 3) through"]),
        ("st2cut", {"mode1_code": 7}, ["mode1_code", "less than or equal to 6"]),
        ("gensal", {"xd2_pu": 0.5}, ["gen_4", "xd2_pu=0.5 is above xd1_pu=0.3"]),
        ("gensal", {"xl_pu": 0.3}, ["xl_pu=0.3 is not below xd1_pu=0.3"]),
    ],
)
def test_data_that_contradict_physics_or_the_operating_point_name_unit_and_parameter(
    model: str, changes: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(CaseError) as error:
        begin(case(**{model: changes}))
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(("model", "changes"), [("genrou", {"xq1_pu": 0.2}), ("gensal", {"xd1_pu": 0.2})])
def test_leakage_that_leaves_no_transient_reactance_is_refused(model: str, changes: dict[str, float]) -> None:
    machine = {
        "sn_mva": 100,
        "h_s": 3,
        "xl_pu": 0.2,
        "xd_pu": 1.8,
        "xq_pu": 1.7,
        "xd1_pu": 0.3,
        "xd2_pu": 0.2,
    }
    machine |= {"td10_s": 8, "td20_s": 0.03, "tq20_s": 0.05}
    machine |= {"xq1_pu": 0.3, "tq10_s": 0.4} if model == "genrou" else {}
    found = device(model).findings(device(model).params_type(**machine | changes))
    assert found == [f"xl_pu=0.2 is not below {next(iter(changes))}=0.2"]


def test_a_unit_given_by_hand_is_checked_as_a_row_of_a_table_is() -> None:
    with pytest.raises(CaseError, match=r"\(zip\) pz_pu \+ pi_pu \+ pp_pu=0.5 is not 1"):
        begin(load_case("kundur"), loads=ZipParams(pz_pu=0.5))


def test_limits_that_follow_the_voltage_and_exclude_the_operating_point_are_named() -> None:
    for model in ("exdc2", "ieeex1", "esdc2a"):
        bench = Bench("esdc2a", vr_follows_v_code=1, vrmax_pu=1.0)
        cls = device(model)
        (value, _, high) = cls.demands(bench.u, bench.x, np.array([V]), bench.s)[
            "regulator (vrmin_pu, vrmax_pu)"
        ]
        assert value[0] == bench.state("regulator") > high[0] == abs(V)


@pytest.mark.parametrize(
    ("model", "changes", "what"),
    [
        ("sexs", {"emin_pu": 4, "emax_pu": 3}, "emin_pu=4 is not below emax_pu=3"),
        ("tgov1", {"vmin_pu": 1, "vmax_pu": 0}, "vmin_pu=1 is not below vmax_pu=0"),
        ("ieeest", {"a6_s": 1}, "a6_s=1 has no s² below it with a4_s=0"),
    ],
)
def test_parameters_that_contradict_each_other_are_named(
    model: str, changes: dict[str, float], what: str
) -> None:
    rows = {
        "sexs": {"ta_tb_pu": 0, "tb_s": 1, "k_pu": 9, "te_s": 1},
        "tgov1": {"r_pu": 1, "t1_s": 1, "t2_s": 1, "t3_s": 1},
        "ieeest": {"mode_code": 1, "t5_s": 1, "t6_s": 1, "ks_pu": 1, "lsmax_pu": 1, "lsmin_pu": -1},
    }
    assert list(device(model).findings(device(model).params_type(**rows[model] | changes))) == [what]
