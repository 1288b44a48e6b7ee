"""Racks of one's own: like one of the catalog, or from parts; and what the catalog's racks draw."""

import json

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from cosim.scenario.explain import validated
from datacenters.catalog.racks import Rack, rack, rack_names
from datacenters.gpu import FRONTIER_NODE, GB200_TRAY, H100_LIQUID_NODE, H100_NODE
from datacenters.hall import GpuHall, GpuHallParams

OWN = """
rack:
  like: h100_hgx_air
  title: two systems of eight cards
  gpus_count: 16
  full_load_kw: 12.5
  idle_pu: 0.2
  gpu_heat_pu: 0.6
it_rated_mw: 5
"""


def settled_mw(params, work_pu):
    hall = GpuHall([params])
    calm = {port.name: np.array([port.default]) for port in hall.inputs}
    work = {"work_gpu": np.array([work_pu * params.size().gpus_count])}
    return hall.step(0.0, 1.0, {**calm, **work, "temp_outdoor_degc": np.array([15.0])})["it_mw"][0]


@pytest.mark.parametrize("name", rack_names())
def test_every_rack_of_the_catalog_draws_its_full_load_and_its_idle_power(name):
    params = GpuHallParams(rack=name, racks_count=100)
    full_mw = rack(name).full_load_kw / 10.0
    # full load is stated at a die temperature within 1 K of what the hall settles at: 0.1 % of leakage
    assert settled_mw(params, 1.0) == pytest.approx(full_mw, rel=0.002)
    # at idle dies are colder than that: at most the leakage of 50 K less
    idle_mw = settled_mw(params, 0.0)
    assert rack(name).idle_pu * full_mw - 0.05 * full_mw < idle_mw <= rack(name).idle_pu * full_mw


@pytest.mark.parametrize(
    ("name", "gpus", "low_kw", "high_kw"),
    [
        ("gb200_nvl72", 72, 120, 132),  # introl, leviathansystems
        ("gb300_nvl72", 72, 120, 142),  # introl, M. KL
        ("ascend_910c_cloudmatrix384", 384, 559, 559),  # SemiAnalysis
        ("h100_hgx_air", 32, 4 * 8.4, 4 * 8.48),  # arXiv 2412.08602
    ],
)
def test_published_full_loads_are_those_of_the_catalog(name, gpus, low_kw, high_kw):
    assert rack(name).gpus_count == gpus
    assert low_kw <= rack(name).full_load_kw <= high_kw


@pytest.mark.parametrize("name", rack_names())
def test_heat_of_the_dies_is_a_plausible_power_of_one_accelerator(name):
    model = rack(name)
    gpu_kw = model.gpu_heat_pu * model.full_load_kw / model.gpus_count
    tdp_kw = {"gb200": 1.2, "gb300": 1.4, "h100": 0.7, "h200": 0.7, "b200": 1.0}.get(name.split("_")[0])
    assert 0.3 < gpu_kw < 1.5
    if tdp_kw:
        assert gpu_kw == pytest.approx(tdp_kw, rel=0.01)


@pytest.mark.parametrize(
    ("name", "node", "nodes"),
    [
        ("h100_hgx_air", H100_NODE, 4),
        ("h100_hgx_liquid", H100_LIQUID_NODE, 8),
        ("gb200_nvl72", GB200_TRAY, 18),
    ],
)
def test_racks_of_the_catalog_draw_what_their_parts_do(name, node, nodes):
    model = rack(name)
    assert nodes * node.p_kw(1.0, 1.0) == pytest.approx(model.full_load_kw, rel=0.002)
    assert node.p_kw(0.0, 0.0) / node.p_kw(1.0, 1.0) == pytest.approx(model.idle_pu, rel=0.01)


def test_a_rack_of_ones_own_is_ten_lines():
    assert len(OWN.strip().splitlines()) <= 10
    params = GpuHallParams(**yaml.safe_load(OWN))
    assert params.size().gpus_count == pytest.approx(5e3 / 12.5 * 16)
    assert params.the_rack().temp_throttle_degc == rack("h100_hgx_air").temp_throttle_degc
    assert settled_mw(params, 1.0) == pytest.approx(5.0, rel=0.06)  # its dies are not at the like's reference


def test_a_rack_from_parts_draws_what_they_draw():
    own = Rack(like="gb200_nvl72", parts={"node": FRONTIER_NODE, "nodes_count": 128})
    assert own.gpus_count == 512.0
    assert own.full_load_kw == pytest.approx(128 * FRONTIER_NODE.p_kw(1.0, 1.0))
    assert own.idle_pu * own.full_load_kw == pytest.approx(128 * FRONTIER_NODE.p_kw(0.0, 0.0))
    assert Rack(**own.model_dump()) == own


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"idle_pu": 1.2}, r"full_load_kw=120 is not above the 144 kW .* idle_pu below 1"),
        ({"like": "h100_hgx"}, r"'h100_hgx' is not in the catalog: .* mean 'h100_hgx_air'"),
        ({"gpu_heat_pu": 0.9}, "liquid_heat_pu=0.87 is less than gpu_heat_pu=0.9"),
        ({"full_load_kw": -1}, "greater than 0"),
        ({"full_load_mw": 1}, "Extra inputs"),
        ({"parts": {"node": FRONTIER_NODE, "nodes_count": 2}, "gpus_count": 9}, "parts make gpus_count=8"),
    ],
)
def test_what_cannot_be_a_rack_is_refused_with_its_numbers(given, text):
    with pytest.raises(ValidationError, match=text):
        Rack(**{"like": "gb200_nvl72", **given})


def test_a_rack_that_names_nothing_is_told_what_is_missing():
    with pytest.raises(ValidationError, match="full_load_kw\n  Field required"):
        Rack(cooling="air")


@pytest.mark.parametrize(
    ("own", "place", "text"),
    [
        ({"idle_pu": 1.3}, "rack.idle_pu", "full_load_kw=120 is not above the 156 kW"),
        ({"full_load_kv": 3}, "rack.full_load_kv", "unknown key"),
        ({"gpus_count": 0}, "rack.gpus_count", "must be > 0"),
    ],
)
def test_a_scenario_is_told_what_is_wrong_with_its_rack_and_nothing_else(own, place, text):
    hall = {"it_rated_mw": 5.0, "rack": {"like": "gb200_nvl72", **own}}
    _, findings = validated(GpuHallParams, hall, ())
    assert [".".join(map(str, finding.path)) for finding in findings] == [place]
    assert text in findings[0].text


def test_stages_of_a_rack_of_ones_own_are_a_list_of_the_scenario():
    node = {"gpus_count": 4, "gpu_idle_kw": 0.1, "gpu_full_kw": 1.0, "stages": [{"eta_pu": 0.8}]}
    own = {"like": "gb200_nvl72", "parts": {"nodes_count": 10, "node": node}}
    params = GpuHallParams.model_validate_json(json.dumps({"it_rated_mw": 1, "rack": own}), strict=True)
    assert params.the_rack().full_load_kw == pytest.approx(10 * 4 / 0.8)
