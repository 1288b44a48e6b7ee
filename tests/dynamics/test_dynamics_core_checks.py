"""What cannot be run is refused before it runs, with element, parameter, value and what is allowed."""

import copy
import dataclasses

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from cosim.core.errors import CaseError, ScenarioError
from grids.case import Case, load_case
from grids.dynamics import GeneratorTrip, LoadStep, LoadTrip, begin, simulate
from grids.dynamics.checks import check_sources
from grids.dynamics.tables import read_units

KUNDUR = load_case("kundur")


def changed(model: str, **changes: object) -> Case:
    """Return Kundur's case with the first row of a table changed."""
    net = copy.deepcopy(KUNDUR.net)
    for name in ("genrou", "tgov1", "exdc2"):
        rows = [{"name": u.element, **u.params.model_dump()} for u in read_units(KUNDUR) if u.model == name]
        net[name] = pd.DataFrame(rows)
    for column, value in changes.items():
        net[model].loc[0, column] = value
    return dataclasses.replace(KUNDUR, net=net, folder=None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"step_s": 0.0}, "step_s=0 must be a finite number above 0"),
        ({"step_s": float("nan")}, "step_s=nan"),
        ({"tolerance_pu": -1e-6}, "tolerance_pu=-1e-06"),
        ({"method": "rk5"}, r"method='rk5' is unknown \(allowed: heun, rk4\).*Did you mean 'rk4'"),
    ],
)
def test_settings_no_run_can_have_are_refused(settings, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        begin(KUNDUR, **settings)


@pytest.mark.parametrize("table", ["load", "gen"])
def test_an_element_that_nothing_feeds_is_refused(table: str) -> None:
    net = copy.deepcopy(KUNDUR.net)
    bus = pp.create_bus(net, 230.0, name="lonely")
    if table == "load":
        pp.create_load(net, bus, 10.0, name="lost")
    else:
        pp.create_gen(net, bus, 10.0, name="lost")
    with pytest.raises(CaseError, match=rf"lost \({table}\) .* bus lonely, which no ext_grid feeds"):
        begin(dataclasses.replace(KUNDUR, net=net))


def test_an_island_in_which_all_units_follow_is_refused() -> None:
    session = begin(KUNDUR, [GeneratorTrip(f"gen_{k}", 0.0) for k in (1, 2, 3, 4)])
    check_sources(session)
    session.advance(0.0)
    with pytest.raises(CaseError, match=r"load_7 \(load\) at bus bus_7: its island has no source"):
        check_sources(session)


def test_what_becomes_no_number_is_named() -> None:
    inf = pytest.raises(CaseError, match=r"gen_1 \(tgov1\) aux_gain becomes inf at the operating point")
    with np.errstate(over="ignore"), inf:
        begin(changed("tgov1", r_pu=1e-320))


def test_powers_and_times_that_are_no_numbers_are_refused() -> None:
    nan = float("nan")
    with pytest.raises(ScenarioError, match=r"load_7 tripped: at_s=nan"):
        begin(KUNDUR, [LoadTrip("load_7", at_s=nan)])
    session = begin(KUNDUR)
    with pytest.raises(ScenarioError, match=r"load 'load_7': nan.* is no finite power"):
        session.set_loads({"load_7": complex(nan, 0.0)})
    with pytest.raises(ScenarioError, match=r"input 'paux' of 'gen_1': nan"):
        session.set_input("gen_1", "paux", nan)
    with pytest.raises(ScenarioError, match="to_s=inf, every=0"):
        session.advance(float("inf"))
    assert np.abs(session.derivatives).max() < 1e-8  # and left everything as it was


def test_a_step_of_nothing_moves_nothing() -> None:
    run = simulate(KUNDUR, [LoadStep(0.0, 0.1, bus=7)], until_s=0.3, step_s=0.01)
    assert np.abs(run.f_coi_hz - 60.0).max() < 1e-9
