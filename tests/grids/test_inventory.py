"""What `suandian grid show` adds up is what the power flow, the tables and the published totals say."""

import json

import pytest

from cosim.grid_tables import print_inventory
from grids.case import load_case
from grids.inventory import inventory, points_of
from grids.makers import makers_of


@pytest.fixture(scope="module")
def ningxia():
    return inventory("ningxia")


def test_load_and_losses_are_what_comes_in_at_every_point(ningxia):
    assert len(ningxia["points"]) == 4
    for point in ningxia["points"]:
        comes_mw = sum(point["made_mw"].values()) + point["dc_in_mw"] - point["dc_out_mw"]
        comes_mw += point["interchange_mw"] + point["slack_mw"]
        assert comes_mw == pytest.approx(point["load_mw"] + point["losses_mw"], abs=0.01)
        assert point["losses_mw"] > 0.005 * point["load_mw"]


def test_wind_by_type_is_within_two_percent_of_what_is_published(ningxia):
    rated = {row["kind"]: row["rated_mw"] for row in ningxia["capacity"]}
    published = {row["quantity"]: row["published"] for row in ningxia["published"]}
    assert rated["wind"] == pytest.approx(published["wind_mw"], rel=0.02)
    assert rated["coal"] + rated["gas"] == pytest.approx(published["thermal_mw"], rel=0.02)


def test_circuits_are_counted_with_their_parallels():
    net = load_case("two_bus").net
    (level,) = inventory("two_bus")["levels"]
    assert level["vn_kv"] == 220.0
    assert level["buses_count"] == 2
    assert level["circuits_km"] == float((net.line["length_km"] * net.line["parallel"]).sum())


def test_neighbours_condensers_and_plants_are_told_apart():
    kinds = makers_of(load_case("gansu").net).set_index("name")["kind"]
    assert kinds["Qilian condensers"] == "condenser"
    assert kinds["Xinjiang interchange"] == kinds["Shaanxi interchange"] == "interchange"
    assert kinds["Longdong-Shandong DC"] == "dc"
    assert kinds["Rest of Northwest"] == "slack"


def test_joined_cases_are_shown_at_points_all_of_them_have():
    points = points_of("gansu+shandong")
    assert points[0] == "winter_evening_peak"
    assert set(points) == {"winter_evening_peak", "summer_evening_peak", "spring_noon", "night_valley"}


def test_levels_say_for_what_a_bus_stands(ningxia):
    levels = {row["name"]: row for row in ningxia["short_circuit"]}
    zones, stations = levels["Yinchuan 220"], levels["Yinchuandong 750"]
    assert zones["busbars_count"] > 1
    assert zones["spacing_km"] is None
    assert stations["busbars_count"] > 1
    assert stations["spacing_km"] > 10.0
    assert all(row["least_ka"] <= row["most_ka"] <= row["rating_ka"] for row in (zones, stations))
    assert levels["Northwest 750"]["boundary"]


def test_shown_levels_say_how_many_rows_are_run_apart(ningxia, capsys):
    print_inventory(ningxia)
    assert "or lie above the rating (11 run apart)" in " ".join(capsys.readouterr().out.split())


def test_an_inventory_is_plain_data():
    found = inventory("two_bus")
    assert json.loads(json.dumps(found)) == found
