"""What goes into a hall: catalog, sizes, cold plates, chillers, and what is refused."""

import re
from itertools import pairwise

import pytest
from pydantic import ValidationError

from datacenters.catalog.racks import Rack, provenance, rack, rack_names
from datacenters.cooling import PG25, WATER, coldplate_k_per_kw, flow_l_per_min
from datacenters.hall import GpuHallParams
from datacenters.kernels.clocks import speed_at_clock, utilisation_curve

# OCP 1 kW OAM cold plate, case to inlet [K/kW] at a flow [L/min] (published through LBNL)
PG25_POINTS = [(0.4, 38.9), (0.6, 30.0), (0.8, 26.5), (1.0, 24.5), (1.4, 22.0), (2.0, 20.4), (2.4, 19.7)]
WATER_POINTS = [(2.0, 17.2), (3.0, 16.0), (4.0, 15.4), (5.0, 15.1)]


@pytest.mark.parametrize(("flow", "published"), PG25_POINTS)
def test_cold_plate_on_glycol_is_within_4_percent_of_the_table(flow, published):
    assert coldplate_k_per_kw(PG25, flow) == pytest.approx(published, rel=0.04)


@pytest.mark.parametrize(("flow", "published"), WATER_POINTS)
def test_cold_plate_on_water_is_within_a_quarter_percent_of_the_table(flow, published):
    assert coldplate_k_per_kw(WATER, flow) == pytest.approx(published, rel=0.0025)


def test_nominal_flow_of_a_kilowatt_is_one_and_a_half_litres_at_10_kelvin():
    assert flow_l_per_min(PG25, 1.0, 10.0) == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize("name", rack_names())
def test_every_number_of_the_catalog_has_status_and_source(name):
    numbers = {f for f, i in Rack.model_fields.items() if i.annotation is float}
    told = provenance(name)
    assert set(told) == numbers
    for status, source, date in told.values():
        assert status in {"published", "derived", "unconfirmed"}
        assert source
        assert re.fullmatch(r"20\d\d-\d\d", date)


@pytest.mark.parametrize("exponent", [1.0, 1.4, 2.0])
def test_utilisation_curve_starts_at_nothing_ends_at_all_and_never_falls(exponent):
    curve = [utilisation_curve(k / 50.0, exponent) for k in range(51)]
    assert curve[0] == 0.0
    assert curve[-1] == pytest.approx(1.0)
    assert all(b >= a for a, b in pairwise(curve))


def test_memory_bound_work_does_not_slow_and_compute_bound_work_slows_with_the_clock():
    assert speed_at_clock(0.5, 0.0) == pytest.approx(0.5)
    assert speed_at_clock(0.5, 1.0) == pytest.approx(1.0)


def test_one_number_sizes_a_hall_and_the_rack_gives_the_others():
    by_power = GpuHallParams(it_rated_mw=12.0).size()
    by_racks = GpuHallParams(racks_count=100).size()
    by_gpus = GpuHallParams(gpus_count=7200).size()
    assert by_power.gpus_count == pytest.approx(7200.0)
    assert by_racks == by_gpus
    assert by_racks.it_rated_mw == pytest.approx(12.0)
    both = GpuHallParams(it_rated_mw=10.0, gpus_count=7200).size()
    assert (both.it_rated_mw, both.racks_count) == (10.0, 100.0)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "size given by nothing"),
        ({"it_rated_mw": 10, "racks_count": 3}, "size given by it_rated_mw and racks_count"),
        ({"it_rated_mw": -1}, "greater than 0"),
        ({"it_rated_mw": 10, "rack": "gb300"}, "'gb300' is not in the catalog: .*Did you mean 'gb300_nvl72'"),
        ({"it_rated_mw": 10, "idle_pu": 0.05}, "idle_pu=0.05 is less than the rack's leak_pu=0.1"),
        ({"it_rated_mw": 10, "curve_exponent_pu": 3}, "less than or equal to 2"),
        (
            {
                "it_rated_mw": 10,
                "cooling": {"air": {"chiller": {"condenser_degc": 11, "evaporator_degc": 12}}},
            },
            "above",
        ),
        (
            {
                "it_rated_mw": 10,
                "cooling": {"liquid": {"rejection": {"approach_k": 0.5, "air_capacity_pu": 0.3}}},
            },
            r"liquid\.rejection: at 1 MW rated heat needs .* no exchanger takes more than 0\.03",
        ),
        ({"it_rated_mw": 10, "it_rated_kw": 3}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_a_hall_is_refused_with_numbers(given, text):
    with pytest.raises(ValidationError, match=text):
        GpuHallParams(**given)


def test_racks_whose_heat_shares_do_not_fit_are_refused():
    plain = rack("gb200_nvl72").model_dump()
    with pytest.raises(ValidationError, match="coolant must take at least the heat of the dies"):
        Rack(**{**plain, "liquid_heat_pu": 0.5})
    with pytest.raises(ValidationError, match="must be 0 in an air-cooled rack"):
        Rack(**{**plain, "cooling": "air"})
    with pytest.raises(ValidationError, match="which is part of it"):
        Rack(**{**plain, "idle_pu": 0.01})
