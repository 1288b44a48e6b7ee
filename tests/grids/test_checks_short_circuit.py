"""Short-circuit currents against pandapower's, which is checked against the examples of IEC 60909-4."""

import dataclasses
import math
import shutil

import numpy as np
import pandapower as pp
import pandapower.shortcircuit as sc
import pandas as pd
import pytest
from nets_for_faults import beside_pandapower, with_only_a_plant

from grids.case import CASES, load_case
from grids.checks.short_circuit import C_MAX, rating_ka, short_circuit

COS = 0.9
XD2_PU, XT_PU = 0.2, 0.14


@pytest.mark.parametrize("name", ["k2a", "kundur"])
def test_currents_are_pandapowers(name: str) -> None:
    case = load_case(name)
    np.testing.assert_allclose(short_circuit(case).ikss_ka, beside_pandapower(case), rtol=1e-6)


def test_a_power_station_unit_has_the_factor_of_the_standard() -> None:
    """IEC 60909-0, 6.7.2: a generator of 20 kV behind its transformer, seen from 220 kV."""
    net = pp.create_empty_network(sn_mva=100.0)
    high, low = pp.create_bus(net, 220.0), pp.create_bus(net, 20.0)
    pp.create_transformer_from_parameters(
        net, high, low, sn_mva=1000.0, vn_hv_kv=220.0, vn_lv_kv=20.0, vk_percent=100 * XT_PU, vkr_percent=0.0,
        pfe_kw=0.0, i0_percent=0.0, tap_side="hv", tap_neutral=0, tap_pos=0, tap_step_percent=2.5,
        oltc=False, power_station_unit=True, vector_group="Yd",
    )  # fmt: skip
    pp.create_gen(net, low, 900.0, vn_kv=20.0, sn_mva=1000.0, xdss_pu=XD2_PU, rdss_ohm=0.0, cos_phi=COS)
    net.gen["power_station_trafo"] = 0
    net.gen["pg_percent"] = 0.0
    sc.calc_sc(net, fault="3ph", case="max", ip=False, ith=False, bus=high)
    factor = C_MAX / (1.0 + XD2_PU * math.sqrt(1.0 - COS**2))
    ours = C_MAX * 1000.0 / (factor * (XD2_PU + XT_PU)) / (math.sqrt(3.0) * 220.0)
    assert net.res_bus_sc.at[high, "ikss_ka"] == pytest.approx(ours, rel=1e-6)


def test_a_plant_at_its_busbar_is_a_power_station_unit(tmp_path) -> None:
    folder = shutil.copytree(CASES / "two_bus", tmp_path / "mine")
    case = load_case(str(folder))
    case = dataclasses.replace(case, meta={**case.meta, "dynamics": "by_plant_type"})
    found = short_circuit(with_only_a_plant(case))
    gen = case.net.gen.iloc[0]
    own, x, cos = 0.218, 0.218 + 0.14, float(gen["max_p_mw"] / gen["sn_mva"])
    factor = C_MAX / (1.0 + own * math.sqrt(1.0 - cos**2))
    at = case.net.bus.index.get_loc(gen["bus"])
    expected_ka = C_MAX * gen["sn_mva"] / (factor * x) / (math.sqrt(3.0) * 220.0)
    assert found.ikss_ka[at] == pytest.approx(expected_ka, rel=1e-9)


def test_the_rest_of_an_area_leaves_its_own_busbar_at_the_breakers_rating_at_most() -> None:
    case = load_case("anhui", "summer_evening_peak")
    found = short_circuit(case)
    un_kv = case.net.bus["vn_kv"].to_numpy()
    fed = found.boundary & (un_kv == 1000.0)
    assert found.boundary.sum() == 5
    np.testing.assert_allclose(found.ikss_ka[fed], 63.0, rtol=1e-6)
    assert rating_ka(750.0) == 63.0
    assert rating_ka(330.0) == 50.0
    assert rating_ka(110.0) == math.inf


def test_a_bus_without_a_machine_behind_it_has_no_current() -> None:
    case = load_case("k2a")
    case.net.gen["in_service"] = False
    case.net.ext_grid["in_service"] = False
    assert np.isnan(short_circuit(case).ikss_ka).all()


def test_elements_without_an_equation_are_named() -> None:
    case = load_case("k2a")
    case.net["switch"] = pd.DataFrame({"bus": [0]})
    with pytest.raises(ValueError, match="no equations for switch"):
        short_circuit(case)
