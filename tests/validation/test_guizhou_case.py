"""What is special in the Guizhou case: the park at Gui'an, the year's energy by plant type."""

import pandapower as pp
import pytest
import yaml

from grids.case import case_folder, load_case, operating_points

CASE = "guizhou"


@pytest.mark.parametrize("bank", ["Guian park 500/220", "Guian park 220/110"])
def test_the_park_is_fed_when_one_bank_is_lost(bank: str) -> None:
    net = load_case(CASE, "winter_evening_peak").net
    lost = net.trafo.index[net.trafo["name"] == bank][0]
    net.trafo.at[lost, "parallel"] -= 1
    pp.runpp(net, init="flat")
    park = net.bus["name"].str.startswith("Guian park")
    assert net.res_bus.loc[park, "vm_pu"].between(0.95, 1.08).all()
    assert net.res_trafo["loading_percent"].max() < 100.0


def test_thermal_and_hydro_plants_deliver_the_energy_of_2025_within_five_percent() -> None:
    thermal_mwh = hydro_mwh = 0.0
    for point in operating_points(case_folder(CASE)):
        path = case_folder(CASE) / "operating_points" / point / "point.yaml"
        hours = yaml.safe_load(path.read_text(encoding="utf-8"))["stands_for_h"]
        net = load_case(CASE, point).net
        gen, sgen = net.gen[net.gen["in_service"]], net.sgen
        thermal_mw = gen.loc[gen["plant_type"].str.startswith("coal"), "p_mw"].sum()
        thermal_mwh += hours * (thermal_mw + sgen.loc[sgen["type"] == "thermal", "p_mw"].sum())
        hydro_mw = gen.loc[gen["plant_type"] == "hydro", "p_mw"].sum()
        hydro_mwh += hours * (hydro_mw + sgen.loc[sgen["type"] == "hydro", "p_mw"].sum())
    assert thermal_mwh / 1e6 == pytest.approx(152.8, rel=0.05)
    assert hydro_mwh / 1e6 == pytest.approx(70.5, rel=0.05)
