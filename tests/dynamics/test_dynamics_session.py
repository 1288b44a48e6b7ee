"""A session starts flat, forks, and addresses elements as an engineer does."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.errors import CaseError, ScenarioError
from grids.case import load_case
from grids.dynamics import BusFault, GeneratorTrip, LineTrip, LoadStep, LoadTrip, Run, begin, simulate
from grids.dynamics.tables import read_units

KUNDUR = load_case("kundur")


@pytest.mark.parametrize("name", ["smib", "kundur", "ieee39", "ieee39_andes"])
def test_nothing_moves_where_nothing_happens(name: str) -> None:
    session = begin(load_case(name), step_s=1 / 120)
    assert np.abs(session.derivatives).max() < 1e-8
    session.advance(20.0, every=60)
    assert np.abs(Run(session).f_coi_hz - session.system.point.f_hz).max() < 1e-6


def test_a_fork_continues_bit_by_bit() -> None:
    events = [BusFault(bus=8, at_s=0.1, clear_after_s=0.1), LineTrip("line_5_6", at_s=0.5)]
    session = begin(KUNDUR, events)
    session.advance(0.15)  # within the fault
    fork = session.state()
    session.advance(1.0)
    x, v = session.system.x.copy(), session.v_pu
    session.restore(fork)
    session.advance(1.0)
    assert np.array_equal(session.system.x, x)
    assert np.array_equal(session.v_pu, v)


@settings(deadline=None, max_examples=10)
@given(st.floats(min_value=-3.0, max_value=3.0))
def test_turning_all_angles_changes_nothing(angle: float) -> None:
    session = begin(KUNDUR, [GeneratorTrip(bus=2, at_s=0.05)])
    session.advance(0.2)
    rate = session.derivatives
    session.system.x[session.system.group("genrou").state("delta")] += angle
    session.solution.refresh()
    assert np.allclose(session.derivatives, rate, rtol=0, atol=1e-10)


@settings(deadline=None, max_examples=5)
@given(st.floats(min_value=0.2, max_value=5.0))
def test_another_base_of_the_same_machines_changes_nothing(factor: float) -> None:
    net = copy.deepcopy(KUNDUR.net)
    for model in ("genrou", "tgov1", "exdc2"):
        rows = [{"name": u.element, **u.params.model_dump()} for u in read_units(KUNDUR) if u.model == model]
        net[model] = pd.DataFrame(rows)
    machines = net["genrou"]
    for column in machines:
        if column.startswith("x") or column == "ra_pu":
            machines[column] *= factor
    machines["sn_mva"] *= factor
    machines["h_s"] /= factor
    turbines = net["tgov1"]
    turbines["sn_mva"] = 900.0  # theirs, not the machine's
    case = dataclasses.replace(KUNDUR, net=net, folder=None)
    events = [GeneratorTrip(bus=2, at_s=0.05)]
    ours = simulate(case, events, until_s=0.5, step_s=0.01)
    theirs = simulate(KUNDUR, events, until_s=0.5, step_s=0.01)
    assert np.allclose(ours.speed_pu, theirs.speed_pu, rtol=0, atol=1e-12, equal_nan=True)


def test_every_event_has_a_point_before_and_one_after() -> None:
    run = simulate(KUNDUR, [BusFault(bus=8, at_s=0.1, clear_after_s=0.1)], until_s=0.3, step_s=1 / 120)
    assert (run.t_s == 0.1).sum() == 2
    before, after = run.vm_pu["bus_8"][0.1]
    assert before > 0.9
    assert after < 0.01
    assert [text for _, text in run.log] == ["fault at bus_8", "fault at bus_8 cleared"]


def test_elements_are_found_by_name_index_and_bus() -> None:
    def end(*events) -> float:
        return float(simulate(KUNDUR, events, until_s=0.2, step_s=0.01).f_coi_hz.iloc[-1])

    assert end(LoadTrip("load_7", 0.1)) == end(LoadTrip(0, 0.1)) == end(LoadTrip(at_s=0.1, bus=7))
    assert end(LoadTrip("load_7", 0.1)) == end(LoadTrip(at_s=0.1, bus="bus_7")) > 60.0
    grown = end(LoadStep(137.0, 0.1, load="load_7"))
    assert grown == pytest.approx(end(LoadStep(137.0, 0.1, bus=7)), abs=1e-9)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (BusFault(bus="bus_88", at_s=1, clear_after_s=0.1), ["bus_88", "Did you mean 'bus_8'"]),
        (GeneratorTrip("gen_9", at_s=1), ["gen_9", "Did you mean 'gen_"]),
        (LineTrip("line_5_7", at_s=1), ["line_5_7", "Did you mean 'line_"]),
        (LoadTrip(at_s=1, bus=5), ["load at bus 5"]),
        (LoadTrip(at_s=1), ["by name, by index, or by bus="]),
        (LoadTrip("load_7", at_s=-1), ["load_7", "before the start"]),
    ],
)
def test_a_disturbance_on_what_is_not_there_is_refused(event, words: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        begin(KUNDUR, [event])
    assert [word for word in words if word not in str(error.value)] == []


def test_a_step_too_large_names_the_shortest_time_constant() -> None:
    with pytest.raises(ScenarioError, match=r"gen_1 \(genrou\) td20_s=0.03"):
        begin(KUNDUR, step_s=0.1)


def _with(model: str, **changes: object):
    net = copy.deepcopy(KUNDUR.net)
    for name in ("genrou", "tgov1", "exdc2"):
        rows = [{"name": u.element, **u.params.model_dump()} for u in read_units(KUNDUR) if u.model == name]
        net[name] = pd.DataFrame(rows)
    for column, value in changes.items():
        net[model][column] = net[model][column].astype(object)
        net[model].loc[0, column] = value
    return dataclasses.replace(KUNDUR, net=net, folder=None)


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        ("genrou", {"xd2_pu": 0.5}, ["gen_1", "xd2_pu=0.5 is above xd1_pu=0.3"]),
        ("genrou", {"h_s": 0.0}, ["row 1", "h_s", "greater than 0"]),
        ("genrou", {"name": "gen_11"}, ["gen_11", "no element", "Did you mean 'gen_1'"]),
        ("exdc2", {"vrmax_pu": 0.5}, ["gen_1 (exdc2) regulator", "allowed: -4.16 to 0.5"]),
        ("tgov1", {"vmax_pu": 0.6}, ["gen_1 (tgov1) valve", "allowed: 0.4 to 0.6"]),
    ],
)
def test_data_that_contradict_physics_or_the_operating_point_are_refused(model, changes, words) -> None:
    with pytest.raises(CaseError) as error:
        begin(_with(model, **changes))
    assert [word for word in words if word not in str(error.value)] == []


def test_an_input_nobody_writes_is_set_from_outside_and_others_are_refused() -> None:
    session = begin(KUNDUR)
    machine = session.system.group("genrou").elements[0]
    session.set_input(machine, "paux", 0.01)
    session.advance(5.0)
    assert session.signal(machine, "speed") > 1.0 + 1e-6
    with pytest.raises(ScenarioError, match="no input 'tm', only"):
        session.set_input(machine, "tm", 1.0)
