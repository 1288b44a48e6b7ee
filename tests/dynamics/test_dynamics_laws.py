"""Laws that hold whatever the numbers: energy, exponentials, orders of convergence."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grids.case import Case, load_case, load_network
from grids.dynamics import POWER, BusFault, LineTrip, Session, begin, simulate
from grids.dynamics.events import Event
from grids.dynamics.measures import critical_clearing
from grids.dynamics.registry import device
from grids.dynamics.tables import Unit

OMEGA = 2 * math.pi * 60.0
X_D1_PU, SN_MVA, H_S = (0.15, 0.2, 0.25), 300.0, (5.0, 3.0, 2.0)


def lossless() -> Case:
    """Return nine buses without resistance or charging, with three classical machines."""
    case = load_network("case9")
    net = case.net
    net.line[["r_ohm_per_km", "c_nf_per_km"]] = 0.0
    names = [*net.ext_grid["name"], *net.gen["name"]]
    rows = zip(names, H_S, X_D1_PU, strict=True)
    net["gencls"] = pd.DataFrame(
        [{"name": name, "sn_mva": SN_MVA, "h_s": h_s, "xd1_pu": x_pu} for name, h_s, x_pu in rows]
    )
    return dataclasses.replace(case, net=net)


CASE = lossless()


def energy(session: Session) -> tuple[float, float]:
    r"""Return kinetic energy and the whole energy function [rad/s], which a lossless system keeps.

    .. math:: \tfrac12\sum M\Omega(\omega-1)^2 - \sum P_m\delta + \sum P_L\theta + \sum Q_L\ln V
              + \tfrac12\sum |V_i-V_j|^2/x_{ij}

    Loads of constant power; internal voltages are nodes, and machine reactances are branches.
    """
    group, point, net = session.system.group("gencls"), session.system.point, CASE.net
    x, v = session.system.x, session.v_pu
    delta, omega = x[group.state("delta")], x[group.state("omega")]
    inner = group.parameter("vf_pu") * np.exp(1j * delta)
    p_mech = np.array([session.signal(name, "tm") for name in group.elements])
    kinetic = 0.5 * OMEGA * float(group.parameter("m_s") @ (omega - 1.0) ** 2)
    potential = -float(p_mech @ delta)
    potential += 0.5 * float((-group.parameter("b")) @ np.abs(inner - v[group.bus]) ** 2)
    for line in net.line.itertuples():
        i, j = (int(point.row_bus[net.bus.index.get_loc(end)]) for end in (line.from_bus, line.to_bus))
        x_pu = line.x_ohm_per_km * line.length_km / (net.bus.vn_kv[line.from_bus] ** 2 / 100.0)
        potential += 0.5 * abs(v[i] - v[j]) ** 2 / x_pu
    for load in net.load.itertuples():
        k = int(point.row_bus[net.bus.index.get_loc(load.bus)])
        potential += load.p_mw / 100.0 * float(np.angle(v[k])) + load.q_mvar / 100.0 * math.log(abs(v[k]))
    return kinetic, kinetic + potential


@settings(deadline=None, max_examples=10)
@given(st.lists(st.floats(min_value=-0.004, max_value=0.004), min_size=3, max_size=3), st.booleans())
def test_the_energy_of_a_lossless_system_is_kept_before_and_after_a_fault(slips, fault: bool) -> None:
    events = [BusFault(bus=CASE.net.bus["name"].iloc[4], at_s=0.0, clear_after_s=0.05)] if fault else []
    session = begin(CASE, events, loads=POWER, tolerance_pu=1e-12)
    group = session.system.group("gencls")
    session.system.x[group.state("omega")] += np.array(slips)
    session.advance(0.06)
    session.observe()
    _, before = energy(session)
    largest = 0.0
    for t_s in np.linspace(0.1, 1.0, 10):
        session.advance(float(t_s))
        session.observe()
        kinetic, now = energy(session)
        largest = max(largest, kinetic)
        assert now == pytest.approx(before, abs=1e-6 * max(largest, 0.1))  # fourth order at 5 ms


def test_a_governor_and_its_turbine_answer_an_order_by_their_exponentials() -> None:
    t1, t2, t3, order = 0.3, 1.0, 4.0, 0.01
    params = device("tgov1").params_type(r_pu=1e6, vmax_pu=2, vmin_pu=0, t1_s=t1, t2_s=t2, t3_s=t3)
    session = begin(load_case("smib"), units=[Unit("tgov1", "gen", params)])
    rest = session.signal("gen", "tm")
    base = session.system.group("tgov1").parameter("ratio")[0]
    session.set_input("gen", "paux", order * 1e6)  # the droop divides it
    for t_s in np.linspace(0.05, 3.0, 60):
        session.advance(float(t_s))
        session.observe()
        lead, slow = (t2 - t1) / (t3 - t1), (t3 - t2) / (t3 - t1)
        expected = 1.0 - lead * math.exp(-t_s / t1) - slow * math.exp(-t_s / t3)
        assert (session.signal("gen", "tm") - rest) / base == pytest.approx(order * expected, abs=1e-9)


@pytest.mark.parametrize(
    ("method", "steps_per_s", "order"),
    [("rk4", (60, 90, 120), 4), ("heun", (100, 150, 190), 2), ("heun", (240, 360, 480), 2)],
    ids=["rk4, short lags exact", "heun, short lags exact", "heun, no lag short"],
)
def test_a_shorter_step_converges_at_the_order_of_the_integrator(method, steps_per_s, order) -> None:
    case = load_case("kundur")  # exciters with a lag of 20 ms: exact where a step is above 5 ms
    events = [BusFault(bus=8, at_s=0.1, clear_after_s=0.1, x_pu=0.3)]  # far enough for no limit to bind

    def end(steps: int) -> np.ndarray:
        run = simulate(case, events, until_s=1.0, step_s=1 / steps, method=method, every=10**6)
        last = run.delta_degree.iloc[-1].to_numpy()
        return last - last.mean()

    exact = end(1920)
    errors = np.array([np.abs(end(steps) - exact).max() for steps in steps_per_s])
    rates = np.log(errors[:-1] / errors[1:]) / np.log(np.array(steps_per_s[1:]) / np.array(steps_per_s[:-1]))
    assert np.all(rates > order - 0.2)


def test_a_fault_cleared_by_opening_a_line_has_the_clearing_time_of_equal_areas() -> None:
    case = load_case("smib")
    group = begin(case).system.group("gencls")
    (own, infinite), m_s = group.parameter("vf_pu"), group.parameter("m_s")[0]
    before, after = (own * infinite / (0.45002 + x_pu) for x_pu in (0.5 * 0.93 / 1.43, 0.5))
    p_mech = 0.9
    start, last = math.asin(p_mech / before), math.pi - math.asin(p_mech / after)
    critical = math.acos((p_mech * (last - start) + after * math.cos(last)) / after)
    expected_s = math.sqrt(2 * m_s * (critical - start) / (OMEGA * p_mech))

    def cleared(after_s: float) -> list[Event]:
        fault = BusFault(bus="high", at_s=0.1, clear_after_s=after_s, x_pu=1e-7)
        return [fault, LineTrip("line_2", 0.1 + after_s)]

    found_s = critical_clearing(case, cleared, until_s=3.0, longest_s=0.5)
    assert found_s == pytest.approx(expected_s, abs=3e-4)  # width of the bisection, and 3 s are not for ever
