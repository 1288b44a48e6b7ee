"""Provinces joined: stations once, areas once, nothing counted twice, links with one power at both ends."""

import csv
import shutil

import numpy as np
import pandapower as pp
import pytest

from cosim.core.component import Context
from cosim.core.errors import CaseError
from cosim.core.grid import Connections, GridEvent
from grids.case import CASES, case_folder, load_case, load_cases
from grids.dynamics import simulate
from grids.elements import Elements
from grids.engine import PowerFlowGrid
from grids.fleet import fleet_from_case
from grids.joining.tables import FOLDER
from grids.links.kernels.losses import line_loss_per_mw, received_mw
from grids.params import PowerFlowParams

POINTS = ("winter_evening_peak", "summer_evening_peak", "spring_noon", "night_valley")
NORTHWEST = ("gansu", "ningxia", "xinjiang_hami")
NORTH = ("mengxi", "jing_jin_ji", "shandong")
EAST = ("anhui", "yangtze_delta")
SOUTH = ("guizhou", "greater_bay")
ALL = (*NORTHWEST, *NORTH, *EAST, *SOUTH, "sichuan_chongqing", "hunan")
GROUPS = (NORTHWEST, NORTH, EAST, SOUTH, ("gansu", "ningxia", "shandong"), ALL)


def area_of(case, name):
    """Return kinetic energy [MW s], responding capacity [MW] and load [MW] of an area."""
    fleet, net = fleet_from_case(case), case.net
    k = list(net["areas"]["name"]).index(name)
    mine = (fleet.area == k) & fleet.online
    governed = mine & (fleet.governor_code > 0)
    here = net.bus["area"].loc[net.load["bus"]].to_numpy() == name
    return (
        float((fleet.sn_mva * fleet.h_s)[mine].sum()),
        float((fleet.p_rated_mw * fleet.responding_pu)[governed].sum()),
        float(net.load["p_mw"][here].sum() + net["areas"]["rest_load_mw"][k]),
    )


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("members", GROUPS, ids=lambda names: f"{len(names)}_cases")
def test_joined_grids_solve_flat_in_the_voltage_band_with_little_slack(members, point):
    net = load_cases(members, point).net
    pp.runpp(net, init="flat", enforce_q_lims=True)
    high = net.bus["vn_kv"] >= 220
    assert net.res_bus["vm_pu"][high].between(0.95, 1.08).all()
    assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) <= 100.0
    assert np.abs(net.res_ext_grid["p_mw"]).max() < 0.01 * net.load["p_mw"].sum()


def test_a_station_two_provinces_share_is_one_and_carries_the_lines_of_both():
    net = load_cases(["gansu", "ningxia"], "spring_noon").net
    station = net.bus.index[net.bus["name"] == "Tiandushan 750"]
    assert len(station) == 1
    ends = net.line[(net.line["from_bus"] == station[0]) | (net.line["to_bus"] == station[0])]["name"]
    assert sorted(name for name in ends if "Baiyin" in name) == [
        f"Baiyin 750 - Tiandushan 750 {k}" for k in (1, 2, 3)
    ]
    assert any("Shapotou" in name for name in ends)
    assert len(net.ext_grid) == 1
    assert not {"Ningxia interchange", "Northwest interchange"} & {*net.gen["name"], *net.sgen["name"]}


def test_a_case_named_alone_is_the_case():
    alone, listed = load_case("ningxia", "night_valley"), load_cases(["ningxia"], "night_valley")
    pp.toolbox.nets_equal(alone.net, listed.net)
    assert listed.folder == alone.folder


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("members", [NORTHWEST, NORTH, EAST, SOUTH], ids="+".join)
def test_inertia_response_and_load_of_an_area_are_the_means_of_its_members_alone(members, point):
    joined = load_cases(members, point)
    (name,) = joined.net["areas"]["name"]
    alone = np.array([area_of(load_case(member, point), name) for member in members])
    found = np.array(area_of(joined, name))
    assert found == pytest.approx(alone.mean(axis=0), rel=0.03)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("members", [NORTHWEST, (*NORTH, "hunan"), EAST, SOUTH], ids="+".join)
def test_an_area_is_the_same_from_each_of_its_cases(members, point):
    """Ratings agree by kind of machine; inertia differs as units of a kind do. See `grids.recipe.areas`."""
    cases = [load_case(member, point) for member in members]
    areas = [case.net["areas"].iloc[0] for case in cases]
    assert len({(a["name"], a["agc_bias_mw_per_hz"], a["load_damping_pu"]) for a in areas}) == 1
    alone = np.array([area_of(case, areas[0]["name"]) for case in cases])
    energy, responding, load = np.abs(alone / alone.mean(axis=0) - 1.0).T
    assert (energy < 0.04).all()
    assert (responding < 0.01).all()
    assert (load < 0.01).all()


def test_what_gansu_sends_arrives_in_shandong_less_the_losses():
    net = load_cases(["gansu", "shandong"], "winter_evening_peak").net
    link = net["links"].set_index("name").loc["Longdong-Shandong"]
    power = net.sgen.set_index("name")["p_mw"]
    assert link["from_element"] == "Longdong-Shandong DC, sending"
    sent, arrives = -power[link["from_element"]], power[link["to_element"]]
    assert (
        sent
        == -load_case("gansu", "winter_evening_peak")
        .net.sgen.set_index("name")["p_mw"]
        .loc["Longdong-Shandong DC"]
    )
    k = line_loss_per_mw(link["sn_mw"], link["loss_percent"] / 100, link["station_loss_percent"] / 100)
    assert arrives == pytest.approx(received_mw(sent, 1.0, link["station_loss_percent"] / 100, k))


def test_one_end_alone_keeps_its_name_and_its_schedule():
    net = load_cases(["gansu", "ningxia"], "winter_evening_peak").net
    assert "Longdong-Shandong DC" in set(net.sgen["name"])
    assert len(net["links"]) == 0


def test_provinces_of_one_area_that_do_not_touch_are_two_networks_with_one_frequency():
    case = load_cases(["ningxia", "xinjiang_hami"], "spring_noon")
    assert len(case.net.ext_grid) == 2
    assert len(case.net["areas"]) == 1
    assert case.net["ties"]["share_pu"].sum() == pytest.approx(1.0)


def test_a_trip_in_one_area_leaves_the_frequency_of_the_other_alone():
    none = np.zeros(0)
    inputs = dict.fromkeys(
        ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "scale_pu"), none
    )
    params = PowerFlowParams(cases=["ningxia", "shandong"], point="winter_evening_peak")
    grid = PowerFlowGrid(params, Connections((), (), ()))
    grid.reset(Context())
    trip = GridEvent(0.0, "trip", "Pingluo power station")
    f_hz = grid.step(0.0, 5.0, inputs, (trip,))["area"]["f_hz"]
    assert f_hz[0] < 49.99
    assert f_hz[1] == pytest.approx(50.0, abs=1e-6)


def test_a_joined_grid_starts_flat_in_rms():
    run = simulate(load_cases(NORTHWEST, "spring_noon"), [], until_s=0.5)
    assert np.abs(run.f_coi_hz - 50.0).max() < 1e-9


def test_every_row_of_the_interconnection_names_what_is_there():
    for table in ("boundaries", "names"):
        with (FOLDER / f"{table}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                names = (CASES / row["case"] / f"{row['table']}.csv").read_text(encoding="utf-8")
                assert (row.get("element") or row["name"]) in names, row


def test_a_profile_may_drive_what_one_province_has():
    case = load_cases(["gansu", "ningxia"], "spring_noon")
    elements = Elements(case.net, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    names = [
        elements.names["sgen"][k - elements.section["sgen"].start]
        for k in elements.driven(case.net, "gansu/wind")[0]
    ]
    assert set(names) == set(case.net.sgen.query("type == 'wind' and case == 'gansu'")["name"])
    assert len(elements.driven(case.net, "wind")[0]) > len(names)


def test_two_cases_that_use_one_name_are_refused_with_both_places(tmp_path):
    shutil.copytree(case_folder("two_bus"), tmp_path / "other")
    with pytest.raises(CaseError, match=r"other/bus.csv, row 2, .* is in two_bus/bus.csv, row 2, too"):
        load_cases(["two_bus", str(tmp_path / "other")])


def test_cases_of_another_frequency_are_refused_with_what_each_says():
    with pytest.raises(CaseError, match=r"f_nominal_hz differs: 60.0 of ieee39, 50.0 of two_bus"):
        load_case("ieee39+two_bus")


def test_a_province_dispatches_its_own_plants_for_what_its_load_does():
    connections = Connections((), (), (), drivers=("curve",), driven=("gansu/prefecture",))
    params = PowerFlowParams(cases=["gansu", "ningxia"], point="winter_evening_peak", q_limits=False)
    grid = PowerFlowGrid(params, connections)
    names = ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
    inputs = dict.fromkeys(names, np.zeros(0))
    before = grid.reset(Context())["gen"]["p_mw"]
    case = grid.inside.case.net.gen["case"].to_numpy()
    drawn = grid.inside.case.net.load.query("case == 'gansu' and type == 'prefecture'")["p_mw"].sum()
    tables = grid.step(0.0, 60.0, inputs | {"scale_pu": np.array([0.98])}, ())
    change = (tables["gen"]["p_mw"] - before)[: case.size]
    assert change[case == "gansu"].sum() == pytest.approx(-0.02 * drawn, rel=1e-3)
    assert np.abs(change[case == "ningxia"]).max() < 1e-6
