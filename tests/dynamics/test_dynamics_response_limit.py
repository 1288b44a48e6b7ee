"""The limit of primary response set by dispatch, in every governor that has one, and in the area model."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest

from grids.case import Case, load_case
from grids.dynamics import GeneratorTrip, simulate
from grids.dynamics.by_plant_type import _governor
from grids.dynamics.tables import read_units
from grids.fleet import fleet_from_case
from grids.plants import plant_types

LIMIT = 0.02
GOVERNED = {"gen_32": "rest_coal", "gen_35": "rest_hydro", "gen_36": "rest_gas"}


@pytest.fixture(scope="module")
def limited() -> Case:
    """The 39 buses; coal, hydro and gas governors of the plant types with a small limit at three of them."""
    case = load_case("ieee39")
    net, units = copy.deepcopy(case.net), read_units(case)
    tables = {m: [{"name": u.element, **u.params.model_dump()} for u in units if u.model == m]
              for m in ("genrou", "tgov1", "sexs", "ieeest")}  # fmt: skip
    tables["tgov1"] = [row for row in tables["tgov1"] if row["name"] not in GOVERNED]
    for name, plant in GOVERNED.items():
        kind = plant_types()[plant].model_copy(update={"limit_up_pu": LIMIT, "limit_down_pu": LIMIT})
        model, _, params = _governor(kind, name, 1000.0, 60.0)
        tables.setdefault(model, []).append({"name": name, **params})
    for model, rows in tables.items():
        net[model] = pd.DataFrame(rows)
    return dataclasses.replace(case, net=net, folder=None)


def test_governors_give_their_limit_and_no_more(limited: Case) -> None:
    """A loss of 830 MW asks every governor for more than 2 %."""
    run = simulate(limited, [GeneratorTrip(bus=38, at_s=1.0)], until_s=40.0, step_s=1 / 120)
    more = run.p_mw.iloc[-1] - run.p_mw.iloc[0]
    assert run.f_coi_hz.iloc[-1] < 59.9
    limit_mw = LIMIT * 1000.0
    hydro = next(u.params for u in read_units(limited) if u.model == "hygov")
    slow_s = hydro.rtemp_pu / hydro.rperm_pu * hydro.tr_s  # transient droop
    settled = {"gen_32": 1.0, "gen_36": 1.0, "gen_35": 1.0 - np.exp(-39.0 / slow_s)}
    for name, part in settled.items():
        inertia_mw = 0.1 * limit_mw  # the mean still falls
        assert part * limit_mw * 0.99 <= more[name] <= part * limit_mw + inertia_mw, name
    assert more["gen_33"] > 2.0 * limit_mw


def test_the_area_model_takes_the_limit_of_the_tables(limited: Case) -> None:
    fleet = fleet_from_case(limited)
    for name in ("gen_32", "gen_36"):
        k = fleet.name.index(name)
        assert fleet.limit_up_pu[k] * fleet.p_rated_mw[k] == pytest.approx(LIMIT * 1000.0)
