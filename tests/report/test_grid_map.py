"""The map of a case shows what its tables hold, where they say it is, and asks no network for anything."""

import re

import numpy as np
import pytest

from cosim.core.errors import CaseError
from cosim.report import grid_map
from cosim.report.albers import Albers
from cosim.report.grid_map import map_data, write_map
from cosim.report.map_colours import colour_of
from grids.case import load_case, load_cases
from grids.checks.base import solve_point


@pytest.fixture(scope="module")
def ningxia():
    case = load_case("ningxia")
    data, remarks = map_data(case, solve_point("ningxia", None).tables)
    assert remarks == []
    return data


def test_the_projection_agrees_with_the_example_of_snyder():
    # J. P. Snyder, USGS Professional Paper 1395, p. 291: sphere, unit radius
    x, y = Albers((29.5, 45.5, 23.0), -96.0, radius=1.0)(np.array([35.0]), np.array([-75.0]))
    assert x[0] == pytest.approx(0.2952720, abs=5e-8)
    assert y[0] == pytest.approx(0.2416774, abs=1e-7)


def test_distances_on_the_map_of_a_province_are_those_on_the_ground(ningxia):
    bus = load_case("ningxia").net.bus
    lat, lon = np.radians(bus["lat"].to_numpy()), np.radians(bus["lon"].to_numpy())
    half = np.sin((lat - lat[0]) / 2) ** 2 + np.cos(lat) * np.cos(lat[0]) * np.sin((lon - lon[0]) / 2) ** 2
    ground_km = 2 * 6371.0 * np.arcsin(np.sqrt(half))
    first, *others = ningxia["buses"]
    drawn_km = [np.hypot(b["x"] - first["x"], b["y"] - first["y"]) for b in others]
    np.testing.assert_allclose(drawn_km, ground_km[1:], rtol=2e-3, atol=0.05)


def test_every_element_is_on_the_map_with_its_evidence(ningxia):
    net = load_case("ningxia").net
    assert sum(len(c["circuits"]) for c in ningxia["corridors"]) == len(net.line)
    assert len(ningxia["trafos"]) == len(net.trafo)
    assert {p["name"] for p in ningxia["plants"]} >= set(net.gen["name"])
    drawn = [c for corridor in ningxia["corridors"] for c in corridor["circuits"]]
    assert all(row["evidence"] and row["source"] for row in [*drawn, *ningxia["buses"], *ningxia["plants"]])
    assert all(0.0 <= circuit["loading"] <= 100.0 for circuit in drawn)
    assert {c["name"] for c in ningxia["connections"] if c["park"]} == {"zhongwei_park"}


def test_flows_are_told_from_the_first_busbar_of_a_corridor_to_the_second(ningxia):
    net = load_case("ningxia").net
    tables = solve_point("ningxia", None).tables
    p_mw = dict(zip(net.line["name"], tables["line"]["p_from_mw"], strict=True))
    start = dict(zip(net.line["name"], net.bus["name"].loc[net.line["from_bus"]], strict=True))
    for corridor in ningxia["corridors"]:
        first = ningxia["buses"][corridor["a"]]["name"]
        for circuit in corridor["circuits"]:
            sign = 1.0 if start[circuit["name"]] == first else -1.0
            assert circuit["p_mw"] == pytest.approx(sign * p_mw[circuit["name"]], abs=1e-3)


def test_links_point_at_their_other_end(ningxia):
    far = {link["link"]: (link["far"], link["inward"]) for link in ningxia["links"]}
    assert far["Ningdong-Shandong"] == ("Shandong", False)
    joined = map_data(load_cases(["gansu", "shandong"], "spring_noon"))[0]
    whole = [link for link in joined["links"] if link["link"] == "Longdong-Shandong"]
    assert [joined["buses"][link["to"]]["name"] for link in whole] == [
        joined["buses"][link["bus"]]["name"] for link in reversed(whole)
    ]


def test_colours_go_by_class_of_voltage():
    assert colour_of(525.0) == colour_of(500.0) != colour_of(345.0) == colour_of(330.0)


def test_a_case_without_coordinates_is_drawn_schematically_unless_too_large(tmp_path, monkeypatch):
    case = load_case("ieee39")
    (remark,) = write_map(case, tmp_path / "map.html")
    assert remark == "no bus has coordinates: drawn schematically"
    monkeypatch.setattr(grid_map, "MOST_BUSES", 38)
    with pytest.raises(CaseError, match=r"39 are too many for a schematic \(allowed: 38\)"):
        map_data(case)


def test_the_page_loads_nothing(tmp_path):
    page = tmp_path / "two.html"
    write_map(load_case("two_bus"), page)
    text = page.read_text(encoding="utf-8")
    assert "{{" not in text
    urls = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert urls <= {"http://www.w3.org/2000/svg"}  # the name of a language, not an address
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\s*\(|@import|<link|src=", text)
