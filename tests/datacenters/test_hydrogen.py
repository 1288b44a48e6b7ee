"""Hydrogen plants: mass and energy, pressure limits, warm and cold starts."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.converter import Converter
from datacenters.hydrogen import Electrolyser, FuelCell, Hydrogen, HydrogenParams
from datacenters.hydrogen_tank import LHV_MJ_PER_KG, Tank, compressibility, density, pressure
from datacenters.orders import Order

PLANT = HydrogenParams(
    tank=Tank(volume_m3=200.0),
    electrolyser=Electrolyser(p_rated_mw=5.0),
    fuel_cell=FuelCell(p_rated_mw=3.0),
)
ALKALINE = HydrogenParams(
    tank=Tank(volume_m3=50.0, p_max_bar=200.0, p_initial_bar=5.0),
    electrolyser=Electrolyser(technology="alkaline", p_rated_mw=2.0, warm_at_start=False),
)
BACKUP = HydrogenParams(
    tank=Tank(volume_m3=20.0, p_max_bar=350.0, p_initial_bar=350.0),
    fuel_cell=FuelCell(p_rated_mw=1.5, warm_at_start=False, auxiliary_pu=0.0),
)


def step(plant, dt_s, order_mw, **others):
    values = {p.name: others.get(p.name, p.default) for p in plant.inputs} | {"p_order_mw": order_mw}
    out = plant.step(0.0, dt_s, {name: np.array([float(value)]) for name, value in values.items()})
    return {name: value[0] for name, value in out.items()}


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(
    "levels",
    [
        {"p_order_mw": 4.0, "h2_delivered_kg_per_s": 0.01},
        {"p_order_mw": -2.0, "h2_taken_kg_per_s": 0.01},
        {"p_order_mw": 0.1},
        {"p_order_mw": -2.0, "vm_pu": 0.0, "h2_taken_kg_per_s": 0.01},
    ],
)
def test_plants_keep_the_contract(dt_s, levels):
    units = [PLANT, ALKALINE, BACKUP]
    assert list(check_component(Hydrogen, units, dt_s=dt_s, levels=levels)) == []


def test_density_is_that_of_the_published_check_values():
    """Lemmon, Huber, Leachman, J. Res. NIST 113 (2008) 341, table 2."""
    bar, degc = np.array([10.0, 100.0, 500.0]), np.array([200.0, 300.0, 400.0]) - 273.15
    assert_allclose(compressibility(bar, degc), [1.00675450, 1.05985282, 1.24304763], rtol=5e-9)
    mol_per_litre = [0.59732645, 3.78267048, 12.09449023]
    assert_allclose(density(bar, degc) / 2.01588, mol_per_litre, rtol=1e-8)


@settings(deadline=None, max_examples=60)
@given(st.floats(1.0, 700.0), st.floats(-40.0, 85.0))
def test_pressure_is_the_inverse_of_density(bar, degc):
    at = (np.array([bar]), np.array([degc]))
    assert_allclose(pressure(density(*at), at[1]), bar, rtol=1e-9)


def test_an_hour_at_full_power_makes_what_its_specific_energy_says():
    roomy = PLANT.model_copy(update={"tank": Tank(volume_m3=5000.0)})
    plant = Hydrogen([roomy])
    before = step(plant, 1.0, 5.0)
    after = step(plant, 3600.0, 5.0)
    kwh_per_kg = 5000.0 / (after["h2_kg"] - before["h2_kg"])
    assert kwh_per_kg == pytest.approx(LHV_MJ_PER_KG / 3.6 / 0.62, rel=1e-9)
    assert 52.0 < kwh_per_kg < 55.0


def test_a_round_trip_returns_the_product_of_both_efficiencies():
    electrolyser = PLANT.electrolyser.model_copy(update={"auxiliary_pu": 0.0})
    fuel_cell = PLANT.fuel_cell.model_copy(update={"auxiliary_pu": 0.0})
    tank = Tank(volume_m3=1000.0, p_initial_bar=5.0)
    plant = Hydrogen([HydrogenParams(tank=tank, electrolyser=electrolyser, fuel_cell=fuel_cell)])
    drawn_mwh = sum(step(plant, 600.0, 5.0)["p_mw"] / 6.0 for _ in range(12))
    flows = [step(plant, 600.0, -3.0)["p_mw"] / 6.0 for _ in range(40)]
    drawn_mwh += sum(flow for flow in flows if flow > 0.0)
    given_mwh = -sum(flow for flow in flows if flow < 0.0)
    assert given_mwh / drawn_mwh == pytest.approx(0.62 * 0.50, rel=0.01)  # a rest below a step at least load
    assert flows[-1] == 0.0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.floats(-5.0, 7.0),
            st.sampled_from([1.0, 60.0, 900.0]),
            st.floats(0.0, 0.05),
            st.floats(0.0, 0.05),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_mass_stays_within_the_pressure_limits_and_closes_under_any_order(history):
    plant = Hydrogen([PLANT])
    low, high, kg = (PLANT.tank.holds_kg(bar) for bar in (5.0, 30.0, 17.5))
    for order_mw, dt_s, brought, taken in history:
        out = step(plant, dt_s, order_mw, h2_delivered_kg_per_s=brought, h2_taken_kg_per_s=taken)
        flow_mw = out["p_h2_made_mw"] + out["p_h2_in_mw"] - out["p_h2_used_mw"] - out["p_h2_out_mw"]
        assert_allclose(out["h2_kg"] - kg, flow_mw * dt_s / LHV_MJ_PER_KG, rtol=1e-9, atol=1e-9)
        kg = out["h2_kg"]
        assert low - 1e-9 <= kg <= high + 1e-9
        assert 5.0 - 1e-6 <= out["h2_bar"] <= 30.0 + 1e-6
        assert min(out["p_electrolyser_mw"], out["p_fuel_cell_mw"], out["heat_mw"]) >= 0.0
        assert out["p_electrolyser_mw"] <= 5.0 + 1e-12
        assert out["p_fuel_cell_mw"] <= 3.0 + 1e-12


@pytest.mark.parametrize(
    ("warm", "code", "until_s"), [(True, "electrolyser_code", 10.0), (False, "electrolyser_code", 600.0)]
)
def test_an_electrolyser_starts_as_late_as_its_temperature_says(warm, code, until_s):
    electrolyser = Electrolyser(p_rated_mw=5.0, warm_at_start=warm)
    plant = Hydrogen([HydrogenParams(tank=Tank(volume_m3=5000.0), electrolyser=electrolyser)])
    idle = step(plant, 10.0, 0.0)
    assert idle["p_mw"] == (0.05 if warm else 0.0)
    rows = [step(plant, 10.0, 5.0) for _ in range(80)]
    assert 10.0 * np.argmax([row["p_electrolyser_mw"] > 0.0 for row in rows]) == until_s
    assert [row[code] for row in rows[: int(until_s / 10.0) - 1]] == [1.0] * (int(until_s / 10.0) - 1)
    first = rows[int(until_s / 10.0)]
    ramp_s = 0.95 / 0.1
    mean_pu = ((0.05 + 1.0) / 2.0 * ramp_s + (10.0 - ramp_s)) / 10.0
    assert first["p_electrolyser_mw"] == pytest.approx(5.0 * mean_pu)


def test_a_warm_fuel_cell_is_at_full_power_within_ten_seconds_and_a_cold_one_after_a_minute():
    cold, warm = Hydrogen([BACKUP]), Hydrogen([PLANT])
    for plant in (cold, warm):
        step(plant, 1.0, 0.0)
    warm_mw = [step(warm, 1.0, -3.0)["p_fuel_cell_mw"] for _ in range(12)]
    assert 5.0 <= np.argmax(np.array(warm_mw) == 3.0) <= 10.0
    cold_mw = [step(cold, 1.0, -1.5)["p_fuel_cell_mw"] for _ in range(80)]
    assert (max(cold_mw[:60]), cold_mw[-1]) == (0.0, 1.5)


def test_a_stack_that_rests_too_long_turns_cold():
    plant = Hydrogen([PLANT])
    step(plant, 10.0, 5.0)
    codes = [step(plant, 600.0, 0.0)["electrolyser_code"] for _ in range(8)]
    assert codes == [3.0] * 6 + [0.0] * 2
    assert step(plant, 60.0, 5.0)["electrolyser_code"] == 1.0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-3.0, 5.0), st.integers(1, 60)), min_size=1, max_size=8),
    st.sampled_from([2, 5]),
)
@example([(0.0, 1), (-1.0, 2), (0.0, 1), (-1.0, 1)], 2)  # at its lowest load just as a step ends
def test_means_do_not_depend_on_the_step(orders, parts):
    roomy = PLANT.model_copy(update={"tank": Tank(volume_m3=5000.0)})
    whole, split = Hydrogen([roomy]), Hydrogen([roomy])
    for order_mw, dt_s in orders:
        expected = step(whole, dt_s, order_mw)
        got = [step(split, dt_s / parts, order_mw) for _ in range(parts)]
        for name in ("p_mw", "heat_mw", "p_h2_made_mw", "p_h2_used_mw"):
            mean = np.mean([row[name] for row in got])
            assert mean == pytest.approx(expected[name], rel=1e-9, abs=1e-9)


def test_without_voltage_stacks_are_off_at_once_and_start_anew():
    plant = Hydrogen([PLANT])
    step(plant, 1.0, 5.0)
    dead = step(plant, 1.0, 5.0, vm_pu=0.0)
    assert (dead["p_mw"], dead["heat_mw"], dead["p_h2_made_mw"]) == (0.0, 0.0, 0.0)
    assert step(plant, 1.0, 5.0)["electrolyser_code"] == 1.0


def test_an_order_by_event_is_followed_and_reactive_power_is_refused():
    plant = Hydrogen([PLANT])
    step(plant, 1.0, 0.0)
    plant.command(1.0, 0, "order", Order(p_mw=-2.0))
    assert [step(plant, 60.0, 0.0)["p_fuel_cell_mw"] for _ in range(2)][-1] == 2.0
    with pytest.raises(ScenarioError, match="hydrogen 0: q_mvar = 1"):
        plant.command(1.0, 0, "order", Order(p_mw=-2.0, q_mvar=1.0))


def test_hydrogen_for_48_hours_weighs_what_the_fuel_cell_needs():
    """1.5 MW for 48 h (Caterpillar and Ballard): 72 MWh, at 0.5 of 33.3 kWh/kg."""
    full = Tank(volume_m3=200.0, p_max_bar=350.0, p_initial_bar=350.0)
    plant = Hydrogen([BACKUP.model_copy(update={"tank": full})])
    before_kg, now = full.holds_kg(350.0), {}
    for _ in range(48):
        now = step(plant, 3600.0, -1.5)
        assert now["p_mw"] == -1.5
    assert before_kg - now["h2_kg"] == pytest.approx(72.0 / 0.5 * 3600.0 / 119.96, rel=1e-9)


@pytest.mark.parametrize(
    ("model", "values", "text"),
    [
        (Tank, {"volume_m3": 1.0, "p_min_bar": 40.0}, "p_min_bar=40 is not below p_max_bar=30"),
        (
            Tank,
            {"volume_m3": 1.0, "p_initial_bar": 31.0},
            "p_initial_bar=31 is not between p_min_bar=5 and p_max_bar=30",
        ),
        (Tank, {"volume_m3": 1.0, "p_max_bar": 900.0}, "less than or equal to 700"),
        (Electrolyser, {"p_rated_mw": 1.0, "min_load_pu": 1.1}, "less than 1"),
        (HydrogenParams, {"tank": {"volume_m3": 1.0}}, "needs an electrolyser, a fuel_cell, or both"),
    ],
)
def test_what_cannot_be_a_plant_is_refused_with_numbers(model, values, text):
    with pytest.raises(ValidationError, match=text):
        model(**values)


def test_a_plant_stands_for_itself_as_a_converter_that_follows_its_power():
    plant = PLANT.model_copy(update={"converter": Converter()})
    (offer,) = Hydrogen([plant]).devices()
    assert offer.models["regc_a"]["sn_mva"] == pytest.approx(5.5)  # of the larger stack
    assert set(offer.inputs) == {"p_mw", "q_mvar"}
    assert Hydrogen([PLANT]).devices() == (None,)


def test_stacks_do_not_form_a_grid():
    with pytest.raises(ValidationError, match="'forming_vsm': stacks follow the grid's voltage"):
        HydrogenParams(
            tank=Tank(volume_m3=1.0),
            fuel_cell=FuelCell(p_rated_mw=1.0),
            converter=Converter(control="forming_vsm"),
        )
