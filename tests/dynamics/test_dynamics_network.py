"""Dense and sparse solutions of the network are the same, and islands know their sources."""

import numpy as np
import pytest

from cosim.core.errors import SolveError
from grids.case import load_case
from grids.dynamics import (
    IMPEDANCE,
    POWER,
    BusFault,
    GeneratorTrip,
    LineTrip,
    LoadStep,
    begin,
    network,
    simulate,
)
from grids.dynamics import start as start_module

KUNDUR = load_case("kundur")


@pytest.mark.parametrize("loads", [IMPEDANCE, POWER], ids=["impedance", "power"])
def test_sparse_factors_give_what_the_dense_inverse_gives(monkeypatch, loads) -> None:
    events = [LoadStep(137.0, 0.1, bus=7), LineTrip("line_5_6", 0.3, close_after_s=0.2)]
    dense = simulate(KUNDUR, events, until_s=1.0, step_s=0.01, loads=loads, tolerance_pu=1e-10)
    monkeypatch.setattr(network, "DENSE_PORTS", 0)
    monkeypatch.setattr(start_module, "DENSE_PORTS", 0)
    sparse = simulate(KUNDUR, events, until_s=1.0, step_s=0.01, loads=loads, tolerance_pu=1e-10)
    assert sparse.session.solution.configuration.net.dense.size == 0
    assert np.abs(sparse.speed_pu - dense.speed_pu).max().max() < 1e-10
    assert np.abs(sparse.vm_pu - dense.vm_pu).max().max() < 1e-9


def test_an_island_without_a_source_is_dark() -> None:
    events = [LineTrip(name, 0.1) for name in ("trafo_3_9", "trafo_4_10", "line_8_9", "line_8_9b")]
    run = simulate(KUNDUR, events, until_s=0.2, step_s=0.01)
    assert (run.vm_pu[["bus_9", "bus_10"]].iloc[-1] == 0.0).all()
    assert run.f_bus_hz["bus_9"].isna().iloc[-1]
    assert run.vm_pu["bus_8"].iloc[-1] > 0.3  # fed from one side only


def test_each_island_has_its_own_centre_of_inertia() -> None:
    events = [LineTrip(name, 0.1) for name in ("line_8_9", "line_8_9b")]
    run = simulate(KUNDUR, events, until_s=1.0, step_s=0.01)
    f_hz = run.f_bus_hz.iloc[-1]
    assert f_hz["bus_10"] > 60.0 + 1.0 > f_hz["bus_8"]  # no load is left where bus 10 is
    assert f_hz["bus_1"] == f_hz["bus_8"]
    weights = run.session.solution.wiring.rotor_m_s
    mean_pu = np.average(run.speed_pu.iloc[-1], weights=weights)
    assert run.f_coi_hz.iloc[-1] == pytest.approx(60.0 * mean_pu)


def test_loads_beyond_what_the_network_carries_fail_the_run_with_the_bus() -> None:
    stiff = POWER.model_copy(update={"vmin_pu": 0.05})
    with pytest.raises(SolveError, match=r"t=.* bus_\d.* no solution|t=.*no solution.*bus_\d"):
        simulate(KUNDUR, [LoadStep(6000.0, 0.1, bus=7)], until_s=1.0, step_s=0.01, loads=stiff)


def test_a_machine_that_runs_away_is_named() -> None:
    smib = load_case("smib")
    with pytest.raises(SolveError, match=r"gen \(gencls\) omega is 1.5"):
        simulate(smib, [BusFault(bus="high", at_s=0.1, clear_after_s=50.0)], until_s=40.0, step_s=0.01)


def test_of_states_that_are_no_numbers_the_first_is_named() -> None:
    session = begin(KUNDUR)
    session.system.x[session.system.group("exdc2").state("field")][2] = np.nan
    with pytest.raises(SolveError, match=r"t=0.0050 s: gen_3 \(exdc2\) \w+ is nan"):
        session.advance(1.0)


def test_a_tripped_machine_no_longer_counts() -> None:
    run = simulate(KUNDUR, [GeneratorTrip("gen_2", 0.1)], until_s=0.3, step_s=0.01)
    assert run.speed_pu["gen_2"].isna().iloc[-1]
    assert run.p_mw["gen_2"].iloc[-1] == 0.0
