"""The cooling plant against published points and the results of other programs.

| what | bar | source |
|---|---|---|
| CDU design points and part load | 0.1 K | OCP Project Deschutes, Vertiv XDU1350, as in LBNL Buildings |
| COP over condenser water and load, 64 points | 0.5 % | DOE-2 and York curves of EnergyPlus |
| cold-plate resistance over flow | 4 % | OCP 1 kW OAM cold plate |
| tower fan speed over wet bulb and load | 0.005 of full | EnergyPlus 9 `CoolingTower:VariableSpeed:Merkel` |
| tower make-up water | 7 % | same; saturated exit, drift, three cycles |
| dry cooler at its rating | 0.1 K | BAC TDFS1238N-C60ET40B (as in LBNL Modelica Buildings) |
| vapour pressure, humidity, wet bulb | see tests | ASHRAE Fundamentals 2017 ch. 1; Ananthanarayanan |
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from datacenters.chillers import Chiller, chiller_row, record, record_row, records
from datacenters.cooling import PG25, WATER, coldplate_k_per_kw
from datacenters.kernels import chillers as chiller_kernel
from datacenters.kernels import plant as kernel
from datacenters.kernels import psychrometrics as air
from datacenters.plant import Cdu, HeatRejection, cdu_row, rejection_row

SEA_LEVEL_BAR = 1.01325

# heat MW, coolant and facility water kg/s, approach K, facility water °C; supply °C, effectiveness, NTU, kW/K
CDUS = {
    "deschutes": (2.0, 31.48, 32.30, 3.0, 26.8, 29.8, 0.844, 4.42, 542.0),
    "xdu1350": (1.368, 20.6, 20.6, 4.0, 28.0, 32.0, 0.809, 3.77, 305.0),
}
# COP at loads of 1, 0.75, 0.5 and 0.25 of the reference, by record, leaving and entering water [°C]
LOADS = np.array([1.0, 0.75, 0.5, 0.25])
COPS = {
    ("doe2_centrifugal_5_50", 6.67, 16): (7.02, 7.354, 7.151, 5.406),
    ("doe2_centrifugal_5_50", 6.67, 20): (6.687, 6.948, 6.68, 4.971),
    ("doe2_centrifugal_5_50", 6.67, 24): (6.231, 6.46, 6.191, 4.587),
    ("doe2_centrifugal_5_50", 6.67, 29.4): (5.509, 5.745, 5.551, 4.159),
    ("doe2_centrifugal_5_50", 10, 16): (7.255, 7.462, 7.071, 5.161),
    ("doe2_centrifugal_5_50", 10, 20): (7.017, 7.17, 6.733, 4.855),
    ("doe2_centrifugal_5_50", 10, 24): (6.639, 6.775, 6.35, 4.568),
    ("doe2_centrifugal_5_50", 10, 29.4): (5.982, 6.143, 5.81, 4.229),
    ("york_yt_1090kw", 6.67, 16): (7.654, 10.697, 15.554, 14.937),
    ("york_yt_1090kw", 6.67, 20): (6.814, 9.554, 14.131, 14.369),
    ("york_yt_1090kw", 6.67, 24): (5.994, 8.44, 12.796, 14.311),
    ("york_yt_1090kw", 6.67, 29.4): (4.859, 6.872, 10.823, 14.718),
    ("york_yt_1090kw", 10, 16): (9.625, 13.213, 17.829, 14.089),
    ("york_yt_1090kw", 10, 20): (8.454, 11.665, 16.047, 13.247),
    ("york_yt_1090kw", 10, 24): (7.407, 10.294, 14.592, 13.002),
    ("york_yt_1090kw", 10, 29.4): (6.064, 8.518, 12.722, 13.401),
}
# EnergyPlus' tower: rated heat, water and air pressure of its site
TOWER_MW, TOWER_KG_PER_S, TOWER_BAR = 0.02539, 1.089, 0.98886
# dry and wet bulb, returning water [°C], heat [W], make-up at three cycles of concentration [kg/s]
MAKE_UPS = (
    (27.78, 24.833, 37.400, 25380.5, 0.012124),
    (27.90, 24.797, 37.296, 25380.5, 0.012166),
    (28.11, 24.676, 37.179, 25380.5, 0.012245),
    (27.78, 24.833, 31.823, 8297.3, 0.0041238),
    (28.11, 24.676, 31.602, 7291.2, 0.0036915),
)
# L/min for each kW, K/kW
PLATE_PG25 = ((0.4, 38.9), (0.6, 30.0), (1.0, 24.5), (1.4, 22.0), (1.8, 20.9), (2.4, 19.7))
PLATE_WATER = ((2.0, 17.2), (3.0, 16.0), (4.0, 15.4), (5.0, 15.1))


def cdu(name):
    heat, coolant, facility, approach, *_ = CDUS[name]
    rise = heat / (coolant * PG25.heat_capacity_kj_per_kg_k * 1e-3)
    model = Cdu(approach_k=approach, facility_rise_k=heat / (facility * kernel.CP_WATER_MJ_PER_KG_K))
    return cdu_row(model, heat, rise)


@pytest.mark.parametrize("name", CDUS)
def test_a_cdu_has_the_effectiveness_and_conductance_of_its_data_sheet(name):
    *_, effectiveness, ntu, ua_kw_per_k = CDUS[name]
    row = cdu(name)
    least = min(row[kernel.CDU_SECONDARY_MW_PER_K], row[kernel.CDU_FACILITY_MW_PER_K])
    assert kernel.cdu_mw_per_k(row, 1.0, 1.0) / least == pytest.approx(effectiveness, abs=2e-3)
    assert row[kernel.CDU_UA_MW_PER_K] / least == pytest.approx(ntu, rel=0.01)
    assert row[kernel.CDU_UA_MW_PER_K] * 1e3 == pytest.approx(ua_kw_per_k, rel=0.015)


@pytest.mark.parametrize("name", CDUS)
@pytest.mark.parametrize("load", [1.0, 0.5, 0.25])
def test_the_approach_of_a_cdu_goes_with_its_load(name, load):
    heat, _, _, approach, facility_in, supply, *_ = CDUS[name]
    row = cdu(name)
    returning = facility_in + load * heat / kernel.cdu_mw_per_k(row, 1.0, 1.0)
    found = returning - load * heat / row[kernel.CDU_SECONDARY_MW_PER_K]
    assert found - facility_in == pytest.approx(load * approach, abs=0.1)
    if load == 1.0:
        assert found == pytest.approx(supply, abs=0.1)


def test_deschutes_sends_its_coolant_back_at_46_degrees():
    row = cdu("deschutes")
    assert 26.8 + 2.0 / kernel.cdu_mw_per_k(row, 1.0, 1.0) == pytest.approx(46.1, abs=0.1)


@pytest.mark.parametrize(("name", "leaving", "entering"), COPS)
def test_curves_as_published_give_the_published_cop(name, leaving, entering):
    # the points lie outside the ranges of the curves, too, which the model itself does not leave
    opened = replace(record(name), leaving_range_degc=(0.0, 20.0), entering_range_degc=(0.0, 50.0))
    row = record_row(opened, 1.0)
    found = [load / chiller_kernel.chiller_mw(row, load, leaving, entering) for load in LOADS]
    assert_allclose(found, COPS[name, leaving, entering], rtol=5e-3)


@pytest.mark.parametrize("name", records())
def test_a_chiller_has_its_rated_capacity_and_cop_at_its_reference_point(name):
    curves = record(name)
    row = chiller_row(Chiller(model=name), 3.0)
    at = (curves.leaving_degc, curves.entering_degc)
    assert chiller_kernel.chiller_capacity_mw(row, *at) == pytest.approx(3.0)
    assert 3.0 / chiller_kernel.chiller_mw(row, 3.0, *at) == pytest.approx(curves.cop_pu)


def test_the_york_curve_as_published_misses_its_own_reference_by_a_quarter():
    curves = record("york_yt_1090kw")
    row = record_row(curves, 1.0)
    capacity = chiller_kernel.chiller_capacity_mw(row, curves.leaving_degc, curves.entering_degc)
    found = capacity / chiller_kernel.chiller_mw(row, capacity, curves.leaving_degc, curves.entering_degc)
    assert curves.cop_pu / found == pytest.approx(1.2563 * 0.9925, abs=1e-3)


def test_the_carnot_chiller_has_its_calibration_cop_and_follows_the_ideal():
    row = chiller_row(Chiller(evaporator_approach_k=0.0, condenser_approach_k=0.0), 1.0)
    assert 1.0 / chiller_kernel.chiller_mw(row, 1.0, 5.0, 30.0) == pytest.approx(5.0)
    # ideal COP 278.15 / 25 = 11.126 there, 303.15 / 10 = 30.3 between 30 and 40 °C: above the bound of 12
    assert 1.0 / chiller_kernel.chiller_mw(row, 1.0, 30.0, 40.0) == 12.0
    assert 1.0 / chiller_kernel.chiller_mw(row, 1.0, 20.0, 45.0) == pytest.approx(
        5.0 / 11.126 * 293.15 / 25.0, rel=1e-4
    )


@pytest.mark.parametrize(("coolant", "points"), [(PG25, PLATE_PG25), (WATER, PLATE_WATER)])
def test_cold_plates_have_the_tabulated_resistance(coolant, points):
    for flow, resistance in points:
        assert coldplate_k_per_kw(coolant, flow) == pytest.approx(resistance, rel=0.04)


def energyplus_tower():
    """Return the row of EnergyPlus' tower: heat from water of 35 °C, air by volume at 20 °C on the site."""
    rise = TOWER_MW / (TOWER_KG_PER_S * kernel.CP_WATER_MJ_PER_KG_K)
    air_kg_per_s = 0.56124 * TOWER_BAR * 1e5 / (287.04 * 293.15)
    ratio = TOWER_KG_PER_S / air_kg_per_s
    model = HeatRejection(kind="tower", approach_k=35.0 - rise - 25.6, water_to_air_pu=ratio)
    return rejection_row(model, TOWER_MW, rise, TOWER_BAR)


def test_the_tower_turns_its_fan_as_energyplus_does():
    points = np.genfromtxt(
        Path(__file__).with_name("cooling_tower_points.csv"), delimiter=",", names=True, skip_header=3
    )
    row = energyplus_tower()
    found = [
        kernel.reject(
            row, p["heat_w"] * 1e-6, p["flow_kg_per_s"] / TOWER_KG_PER_S, 1.0, p["temp_return_degc"],
            p["temp_outdoor_degc"], p["temp_wetbulb_degc"], TOWER_BAR,
        )[1]
        for p in points
    ]  # fmt: skip
    assert_allclose(np.cbrt(np.array(found) / row[kernel.FAN_MW]), points["speed_pu"], atol=0.005)
    assert np.ptp(points["speed_pu"]) > 0.4  # the points are not all alike


@pytest.mark.parametrize(("outdoor", "wetbulb", "returning", "heat_w", "makeup_kg_per_s"), MAKE_UPS)
def test_the_tower_takes_the_make_up_water_of_energyplus(
    outdoor, wetbulb, returning, heat_w, makeup_kg_per_s
):
    # all five are 5 to 6 % above it, which thinner air does not explain: it changes them by 0.1 %
    row = energyplus_tower()
    _, _, evaporated = kernel.reject(row, heat_w * 1e-6, 1.0, 1.0, returning, outdoor, wetbulb, TOWER_BAR)
    assert kernel.makeup_kg_per_s(row, evaporated, 1.0) == pytest.approx(makeup_kg_per_s, rel=0.07)


def test_a_dry_cooler_leaves_the_water_of_its_rating():
    # 2,931 kW from 46.11 to 40.55 °C in air of 35 °C, fans 117.68 kW
    row = rejection_row(HeatRejection(approach_k=5.55, fan_pu=117.68 / 2931.0), 2.931, 5.56)
    heat, fan, water = kernel.reject(row, 9.0, 1.0, 1.0, 46.11, 35.0, 24.0, SEA_LEVEL_BAR)
    assert 46.11 - heat / row[kernel.WATER_MW_PER_K] == pytest.approx(40.55, abs=0.1)
    assert (fan, water) == (pytest.approx(0.11768), 0.0)


@pytest.mark.parametrize(
    ("temp_degc", "pascal"),
    [(-40.0, 12.85), (-20.0, 103.26), (-10.0, 259.90), (0.01, 611.66), (20.0, 2338.8), (40.0, 7383.5)],
)
def test_vapour_pressure_is_that_of_the_ashrae_tables(temp_degc, pascal):
    assert air.saturation_pressure_bar(temp_degc) * 1e5 == pytest.approx(pascal, rel=1e-3)


def test_wet_bulb_is_that_of_a_textbook_example():
    # P. N. Ananthanarayanan, Basic Refrigeration and Air Conditioning, example 17.1: 29.4 °C, 48 %, 21.1 °C
    humidity = air.humidity_at(29.4, 0.48, SEA_LEVEL_BAR)
    assert air.wet_bulb_degc(29.4, humidity, SEA_LEVEL_BAR) == pytest.approx(21.1, abs=0.1)


@pytest.mark.parametrize(
    ("temp_degc", "relative"), [(20.0, 0.5), (30.0, 0.3), (35.0, 0.6), (10.0, 0.8), (40.0, 0.15)]
)
def test_wet_bulb_agrees_with_stull(temp_degc, relative):
    # R. Stull, J. Appl. Meteorol. Climatol. 50 (2011) 2267, at sea level: within 1 K, mean 0.3 K
    rh = relative * 100.0
    stull = (
        temp_degc * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(temp_degc + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035
    )
    humidity = air.humidity_at(temp_degc, relative, SEA_LEVEL_BAR)
    assert air.wet_bulb_degc(temp_degc, humidity, SEA_LEVEL_BAR) == pytest.approx(stull, abs=0.7)


def test_the_wet_bulb_falls_with_pressure():
    # thinner air of the same temperature and relative humidity takes up more water
    low, high = (air.wet_bulb_degc(30.0, air.humidity_at(30.0, 0.4, p), p) for p in (0.84, SEA_LEVEL_BAR))
    assert 0.2 < high - low < 0.6
