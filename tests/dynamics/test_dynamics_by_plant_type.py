"""Machines, converters and the rest of an area by plant type, from a case without dynamic tables."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.dynamics import GeneratorTrip, begin, simulate
from grids.dynamics.by_plant_type import plant_dynamics
from grids.dynamics.registry import device
from grids.dynamics.start import POWER
from grids.dynamics.tables import read_units
from grids.governors import governors
from grids.plants import plant_types

CASE = load_case("ningxia", "winter_evening_peak")


def params(case, element):
    return {unit.model: unit.params for unit in read_units(case) if unit.element == element}


def test_a_machine_has_the_data_of_its_type_and_its_step_up_transformer() -> None:
    unit, kind = params(CASE, "Pingluo power station"), plant_dynamics()["coal_600"]
    assert set(unit) == {"genrou", "sexs", "ieeest", "ieeeg1"}
    assert unit["genrou"].xd2_pu == pytest.approx(kind.xd2_pu + kind.xt_pu)
    assert unit["genrou"].h_s == plant_types()["coal_600"].h_s
    assert unit["ieeeg1"].plim_pu == pytest.approx(0.4 * 0.06)
    assert unit["ieeeg1"].dbu_pu * 50 == pytest.approx(0.033)


def test_the_rest_of_the_area_is_a_machine_with_its_inertia_and_the_damping_of_its_load() -> None:
    rest, fleet = params(CASE, "Rest of Northwest"), CASE.net["rest_fleet"]
    energy = sum(plant_types()[row.plant_type].h_s * row.sn_mva for row in fleet.itertuples())
    assert rest["genrou"].h_s * rest["genrou"].sn_mva == pytest.approx(energy)
    load_mw = CASE.net["areas"]["rest_load_mw"].item()
    assert rest["genrou"].d_pu * rest["genrou"].sn_mva == pytest.approx(2.0 * load_mw)


def test_two_rows_of_one_type_in_the_rest_answer_as_one_with_their_sum() -> None:
    net = copy.deepcopy(CASE.net)
    half = net["rest_fleet"].assign(
        sn_mva=net["rest_fleet"]["sn_mva"] / 2, p_mw=net["rest_fleet"]["p_mw"] / 2
    )
    net["rest_fleet"] = pd.concat([half, half], ignore_index=True)
    whole = params(CASE, "Rest of Northwest")
    for model, found in params(dataclasses.replace(CASE, net=net), "Rest of Northwest").items():
        assert found.model_dump() == pytest.approx(whole[model].model_dump())


def test_a_machine_none_of_whose_governors_answers_still_takes_orders() -> None:
    net = copy.deepcopy(CASE.net)
    net.gen["responding_pu"] = 0.0
    unit = params(dataclasses.replace(CASE, net=net), "Pingluo power station")["ieeeg1"]
    assert unit.dbu_pu == 1.0
    assert unit.k_pu == pytest.approx(20.0)


def test_converters_that_stand_still_have_no_model() -> None:
    noon = load_case("ningxia", "spring_noon")
    assert params(noon, "Zhongwei direct-supply PV").keys() == {"regc_a", "reec_a"}
    assert params(noon, "Zhongwei storage").keys() == {"regc_a", "reec_c"}
    assert params(CASE, "Zhongwei direct-supply PV") == {}


def test_the_area_model_keeps_the_governors_of_the_plant_types() -> None:
    assert governors(CASE) == {}


def test_a_machine_without_data_is_named_with_what_is_allowed() -> None:
    net = copy.deepcopy(CASE.net)
    net["ties"] = net["ties"].iloc[:0]
    with pytest.raises(CaseError, match=r"ext_grid 'Rest of Northwest' has no dynamic data.*coal_300"):
        read_units(dataclasses.replace(CASE, net=net))


def test_a_word_case_yaml_may_not_say_is_refused() -> None:
    case = dataclasses.replace(CASE, meta={**CASE.meta, "dynamics": "by_plant"})
    with pytest.raises(CaseError, match="'by_plant' is unknown \\(allowed: by_plant_type\\)"):
        read_units(case)


@pytest.mark.parametrize("storage_pu", [0.45, -0.6])
def test_the_case_starts_flat_with_storage_that_discharges_or_charges(storage_pu: float) -> None:
    net = copy.deepcopy(CASE.net)
    stored = net.sgen["type"] == "storage"
    net.sgen.loc[stored, "p_mw"] = storage_pu * net.sgen.loc[stored, "sn_mva"]
    assert np.abs(begin(dataclasses.replace(CASE, net=net)).derivatives).max() < 1e-8


def test_frequency_starts_to_fall_as_inertia_says() -> None:
    name = "Ningdong Fangjiazhuang power station"
    lost_mw = CASE.net.gen.set_index("name").at[name, "p_mw"]
    machines = [u for u in read_units(CASE) if device(u.model).rotor is not None and u.element != name]
    energy_mws = sum(u.params.h_s * u.params.sn_mva for u in machines)
    run = simulate(CASE, [GeneratorTrip(generator=name, at_s=0.1)], until_s=0.3, loads=POWER)
    slope = (run.f_coi_hz.asof(0.15) - run.f_coi_hz.asof(0.11)) / 0.04  # before dead-bands and damping matter
    assert slope == pytest.approx(-lost_mw * 50 / (2 * energy_mws), rel=0.05)
