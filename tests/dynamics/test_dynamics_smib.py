"""One classical machine on an infinite bus: everything here has a closed form (Kundur 1994, ch. 12, 13)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grids.case import load_case
from grids.dynamics import BusFault, LineTrip, Run, begin, simulate
from grids.dynamics.linear import linearise
from grids.dynamics.measures import critical_clearing, ring_down

CASE = load_case("smib")
X = 0.3 + 0.15 + 0.5 * 0.93 / 1.43 + 2e-5
"""Reactance between the internal voltages: machine, transformer, two lines, infinite bus [pu]."""
M, OMEGA, PM = 2 * 3.5, 2 * math.pi * 60.0, 0.9


def closed_form(session) -> tuple[float, float]:
    """Return transfer capability [pu] and angle between the internal voltages [rad]."""
    group = session.system.group("gencls")
    inner = group.parameter("vf_pu")
    delta = session.system.x[group.state("delta")]
    return float(inner[0] * inner[1] / X), float(delta[0] - delta[1])


def test_the_power_angle_curve_carries_the_loading() -> None:
    p_max, delta = closed_form(begin(CASE))
    assert p_max * math.sin(delta) == pytest.approx(PM, rel=1e-9)
    assert math.degrees(delta) == pytest.approx(41.77, abs=0.02)  # Kundur, example 13.1


def test_the_swing_frequency_is_that_of_the_synchronising_torque() -> None:
    session = begin(CASE)
    p_max, delta = closed_form(session)
    expected_hz = math.sqrt(p_max * math.cos(delta) * OMEGA / M) / (2 * math.pi)
    modes = linearise(session).electromechanical()
    assert modes.frequency_hz[0] == pytest.approx(expected_hz, rel=1e-7)
    assert abs(modes.damping_pu[0]) < 1e-9
    run = simulate(CASE, [BusFault(bus="high", at_s=0.1, clear_after_s=0.005)], until_s=4.0)
    f_hz, damping_pu = ring_down(run.speed_pu["gen"], 0.2, 4.0)
    assert f_hz == pytest.approx(expected_hz, rel=5e-3)  # a swing of a degree, and Prony's resolution
    assert abs(damping_pu) < 2e-3


def test_the_critical_clearing_time_is_that_of_equal_areas() -> None:
    _, start = closed_form(begin(CASE))
    critical = math.acos((math.pi - 2 * start) * math.sin(start) - math.cos(start))
    expected_s = math.sqrt(2 * M * (critical - start) / (OMEGA * PM))

    def fault(clearing_s: float) -> list[BusFault]:
        return [BusFault(bus="high", at_s=0.1, clear_after_s=clearing_s, x_pu=1e-7)]

    found_s = critical_clearing(CASE, fault, until_s=3.0, longest_s=0.5)
    assert found_s == pytest.approx(expected_s, abs=3e-4)  # width of the bisection, and 3 s are not for ever


@settings(deadline=None, max_examples=15)
@given(st.floats(min_value=-0.01, max_value=0.01), st.booleans())
def test_the_energy_of_a_lossless_swing_is_conserved(slip: float, weak: bool) -> None:
    session = begin(CASE, [LineTrip("line_2", at_s=0.0)] if weak else [])
    if weak:
        session.advance(1e-3)  # the trip
    p_max, _ = closed_form(session)
    if weak:
        p_max *= X / (0.3 + 0.15 + 0.5 + 2e-5)
    group = session.system.group("gencls")
    session.system.x[group.state("omega")] += np.array([slip, 0.0])

    def energy() -> float:
        delta = session.system.x[group.state("delta")]
        omega = session.system.x[group.state("omega")]
        angle = float(delta[0] - delta[1])
        kinetic = 0.5 * M * OMEGA * float(omega[0] - omega[1]) ** 2
        return kinetic - PM * angle - p_max * math.cos(angle)

    before = energy()
    for t_s in np.linspace(0.1, 2.0, 20):
        session.advance(float(t_s))
        assert energy() == pytest.approx(before, abs=2e-7)  # fourth order at 5 ms


@pytest.mark.parametrize(("method", "order"), [("heun", 2), ("rk4", 4)])
def test_halving_the_step_converges_at_the_order_of_the_integrator(method: str, order: int) -> None:
    def end(step_s: float) -> float:
        events = [BusFault(bus="high", at_s=0.1, clear_after_s=0.05)]
        run = simulate(CASE, events, until_s=1.0, step_s=step_s, method=method)
        return float(run.delta_degree["gen"].iloc[-1])

    exact = end(1 / 1920)
    errors = [abs(end(step_s) - exact) for step_s in (1 / 60, 1 / 120, 1 / 240)]
    rates = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(rates > order - 0.4)


def test_a_machine_that_lost_its_line_is_dark_and_alone() -> None:
    events = [LineTrip("line_1", at_s=0.1), LineTrip("line_2", at_s=0.1)]
    session = begin(CASE, events)
    session.advance(0.3, every=1)
    run = Run(session)
    alone, rest = run.f_bus_hz["machine"].iloc[-1], run.f_bus_hz["infinite"].iloc[-1]
    assert alone - 60.0 == pytest.approx(60.0 * PM / M * 0.2, rel=1e-6)  # all of its power accelerates it
    assert rest == pytest.approx(60.0, abs=1e-6)
    assert run.p_mw["gen"].iloc[-1] == pytest.approx(0.0, abs=1e-6)
