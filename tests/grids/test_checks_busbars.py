"""Real busbars behind a row of bus.csv: against pandapower and closed forms, and how they are counted."""

import dataclasses
import math
import shutil
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest
from nets_for_faults import currents, in_pandapower, with_only_a_plant

from cosim.core.errors import CaseError
from grids.case import CASES, Case, list_cases, load_case, operating_points
from grids.checks.base import solve_point
from grids.checks.busbar_counts import count_busbars, station_mva, write_counts
from grids.checks.finding import State
from grids.checks.levels import above_rating_ka, check_levels
from grids.checks.short_circuit import short_circuit

PROVINCES = [name for name in list_cases() if (CASES / name / "totals.csv").is_file()]

SPACING_KM = 1.5
"""Kundur's lines have 10.6 ohm and more per km."""


def opened(case: Case, bus: str, busbars: int, spacing_km: float = math.nan) -> Case:
    table = case.net.bus
    table.loc[table["name"] == bus, ["busbars", "spacing_km"]] = [busbars, spacing_km]
    return case


def only_a_plant(busbars: int = 1, spacing_km: float = math.nan) -> float:
    """Return the current at bus a of two_bus, fed by its plant alone [kA]."""
    case = load_case("two_bus")
    case = dataclasses.replace(case, meta={**case.meta, "dynamics": "by_plant_type"})
    found = short_circuit(opened(with_only_a_plant(case), "a", busbars, spacing_km))
    return float(found.ikss_ka[case.net.bus["name"].tolist().index("a")])


def test_an_opened_network_is_pandapowers_with_every_busbar_drawn() -> None:
    case = opened(opened(load_case("kundur"), "bus_6", 2, SPACING_KM), "bus_7", 3, SPACING_KM)
    found = short_circuit(case)
    net = in_pandapower(load_case("kundur"))
    six, seven = (net.bus.index[net.bus["name"] == name][0] for name in ("bus_6", "bus_7"))
    six_b, seven_b, seven_c = (pp.create_bus(net, 230.0) for _ in range(3))
    net.trafo.loc[net.trafo["hv_bus"] == six, "hv_bus"] = six_b
    net.line.loc[net.line["name"].isin(["line_6_7", "line_6_7b"]), "from_bus"] = six_b
    net.line.loc[net.line["name"].isin(["line_7_8", "line_7_8b"]), "from_bus"] = seven_b
    net.line.loc[net.line["name"] == "line_7_8c", "from_bus"] = seven_c
    mean = load_case("kundur").net.line[["r_ohm_per_km", "x_ohm_per_km"]].mean()
    for one, other in ((six, six_b), (seven, seven_b), (seven_b, seven_c), (seven_c, seven)):
        pp.create_line_from_parameters(
            net, one, other, SPACING_KM, mean["r_ohm_per_km"], mean["x_ohm_per_km"], 0.0, 1.0,
            parallel=2, endtemp_degree=80.0,
        )  # fmt: skip
    beside = currents(net)
    drawn = {six: (six, six_b), seven: (seven, seven_b, seven_c)}
    for bus in case.net.bus.index:
        at = [float(beside[net.bus.index.get_loc(b)]) for b in drawn.get(bus, (bus,))]
        row = case.net.bus.index.get_loc(bus)
        assert found.ikss_ka[row] == pytest.approx(max(at), rel=1e-6)
        assert found.least_ka[row] == pytest.approx(min(at), rel=1e-6)


def test_busbars_with_nothing_between_them_carry_the_current_of_the_row() -> None:
    assert only_a_plant(5, 1e-5) == pytest.approx(only_a_plant(), rel=1e-5)


def test_busbars_apart_carry_their_own_share() -> None:
    assert only_a_plant(5) == pytest.approx(only_a_plant() / 5.0, rel=1e-9)


@pytest.mark.parametrize("busbars", [2, 3, 6])
def test_a_ring_of_equal_busbars_has_the_impedance_of_its_modes(busbars: int) -> None:
    net, spacing_km = load_case("two_bus").net, 20.0
    line = net.line.iloc[0]
    link = 2.0 / ((line["r_ohm_per_km"] + 1j * line["x_ohm_per_km"]) * spacing_km)
    row = 1.1 * 220.0 / math.sqrt(3.0) / only_a_plant() * 1j  # a plant is a reactance
    share = 1.0 / row / busbars
    modes = [(1.0 - math.cos(2.0 * math.pi * m / busbars)) for m in range(1, busbars)]
    y = link / 2.0 if busbars == 2 else link  # two busbars have one link, a ring of two would have two
    z = row + sum(1.0 / (share + 2.0 * y * mode) for mode in modes) / busbars
    expected_ka = 1.1 * 220.0 / math.sqrt(3.0) / abs(z)
    assert only_a_plant(busbars, spacing_km) == pytest.approx(expected_ka, rel=1e-9)


def test_levels_hardly_depend_on_which_circuit_ends_at_which_busbar() -> None:
    case = load_case("guizhou", "winter_evening_peak")
    before = short_circuit(case)
    rows = (before.busbars > 1) & ~before.boundary
    apart = []
    for seed in range(4):
        for table in ("line", "trafo"):
            case.net[table] = case.net[table].sample(frac=1.0, random_state=seed)
        apart += np.abs(short_circuit(case).ikss_ka[rows] / before.ikss_ka[rows] - 1.0).tolist()
    assert np.median(apart) < 0.03
    assert np.quantile(apart, 0.9) < 0.15


def test_a_circuit_does_not_join_zones_that_are_run_apart() -> None:
    case = load_case("anhui", "summer_evening_peak")
    net = case.net
    hefei = net.bus.index[net.bus["name"] == "Hefei 220"][0]
    spurs = net.line[(net.line["from_bus"] == hefei) | (net.line["to_bus"] == hefei)]
    assert net.bus.at[hefei, "busbars"] > 1
    before = short_circuit(case).ikss_ka
    net.line.loc[spurs.index, "in_service"] = False
    drop = 1.0 - short_circuit(case).least_ka / before
    assert 0.0 < drop[net.bus.index.get_loc(hefei)] < 0.5


def test_a_ring_without_a_line_to_take_the_impedance_from_is_named() -> None:
    case = opened(load_case("kundur"), "bus_1", 2, 10.0)
    with pytest.raises(ValueError, match="bus 'bus_1': spacing_km needs a line of 20 kV in the case"):
        short_circuit(case)


@pytest.mark.parametrize(
    ("hv_kv", "lv_kv", "mva"), [(1000.0, 500.0, 6000.0), (750.0, 330.0, 4200.0), (500.0, 220.0, 3000.0)]
)
def test_a_station_has_the_transformers_of_its_voltages(hv_kv: float, lv_kv: float, mva: float) -> None:
    assert station_mva(hv_kv, lv_kv) == mva


@pytest.mark.parametrize("name", ["ningxia", "mengxi", "jing_jin_ji"])
def test_the_columns_of_a_case_are_what_the_rule_counts(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(CASES / name, tmp_path / name)
    shipped = (folder / "bus.csv").read_text(encoding="utf-8")
    write_counts(folder)
    assert (folder / "bus.csv").read_text(encoding="utf-8") == shipped


def test_stations_are_counted_by_transformers_and_converters() -> None:
    counts = count_busbars([load_case("ningxia", point) for point in operating_points(CASES / "ningxia")])
    assert counts["Yinchuandong 750"].busbars == 3  # 4 x 2100 MVA, and a converter
    assert math.isnan(counts["Yinchuan 220"].spacing_km)
    assert "Northwest 750" not in counts


def plant_of(current_ka: float) -> Case:
    """Return two_bus with a plant alone that feeds a fault at its bus a with a current."""
    case = load_case("two_bus")
    case = with_only_a_plant(dataclasses.replace(case, meta={**case.meta, "dynamics": "by_plant_type"}))
    case.net.gen["sn_mva"] *= current_ka / only_a_plant()
    case.net.gen["max_p_mw"] *= current_ka / only_a_plant()
    return case


@pytest.mark.parametrize(("current_ka", "sections"), [(49.9, 1), (50.1, 2), (249.0, 5)])
def test_a_row_is_run_apart_in_as_few_sections_as_hold_the_rating(current_ka: float, sections: int) -> None:
    counted = count_busbars([plant_of(current_ka)])["a"]
    assert counted.busbars == sections
    assert math.isnan(counted.spacing_km)
    said = f"1 counted, run apart in {sections} to keep the breakers' rating: {current_ka:.1f} kA tied"
    assert (said in counted.because) == (sections > 1)


def test_a_row_that_no_sections_hold_is_named() -> None:
    with pytest.raises(CaseError, match="two_bus: bus 'a' is above the breakers' rating in 50 sections"):
        count_busbars([plant_of(50.0 * 51.0)])


def test_a_level_above_the_rating_fails_a_province_and_names_the_row() -> None:
    solved = solve_point("mengxi", "winter_evening_peak")
    (sound,) = check_levels(solved)
    assert sound.state is not State.BAD
    gen = solved.net.gen
    at_jinshan = gen["bus"].map(solved.net.bus["name"]) == "Jinshan plant"
    gen.loc[at_jinshan, ["sn_mva", "max_p_mw"]] *= 10.0
    (refused,) = check_levels(solved)
    assert refused.state is State.BAD
    assert "above the breakers' rating: Jinshan plant " in refused.text


@pytest.mark.parametrize("name", PROVINCES)
def test_levels_of_a_province_hold_the_rating_at_all_points(name: str) -> None:
    cases = [load_case(name, point) for point in operating_points(CASES / name)]
    assert above_rating_ka(cases) == {}
    assert np.nanmax(short_circuit(cases[0]).ikss_ka) > 25.0


def test_weak_ends_of_corridors_are_told_with_how_many_there_are() -> None:
    solved = solve_point("ningxia", "winter_evening_peak")
    solved.net.line["x_ohm_per_km"] *= 10.0
    (weak,) = check_levels(solved)
    assert weak.state is State.NOTE
    assert " of 21 below 20 kA: " in weak.text
