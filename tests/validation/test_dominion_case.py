"""Case `dominion`: the incident of 2024-07-10, and where it lies in what is uncertain."""

import numpy as np
import pandapower as pp
import pytest

from grids.case import load_case
from grids.fleet import areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency

PUBLISHED_MHZ = 47.0
"""Rise of frequency in NERC's incident review (unconfirmed)."""


LEFT_MW = 1500.0
DRAWN_MORE_MW = 280.0
"""What 7,000 MW around Ashburn draw more as constant currents at a voltage 4 % higher."""


def rise_mhz(responding_pu: float, damping_pu: float, lost_mw: float = LEFT_MW) -> float:
    """Return how far frequency rises [mHz] when load leaves at once and nobody orders anything."""
    case = load_case("dominion")
    case.net.rest_fleet.loc[case.net.rest_fleet["responding_pu"] > 0.0, "responding_pu"] = responding_pu
    case.net.areas["load_damping_pu"] = damping_pu
    case.net.areas["agc_bias_mw_per_hz"] = 0.0
    nobody, none = offers_from_devices([], np.zeros(0, dtype=np.int64)), np.zeros(0)
    area = AreaFrequency(fleet_from_case(case), areas_from_case(case), nobody)
    result = area.step(0.0, 60.0, np.array([-lost_mw]), none, none, none)
    return 1e3 * (float(result.f_max_hz[0]) - 60.0)


def test_what_left_is_in_the_case() -> None:
    loads = load_case("dominion").net.load
    assert loads.loc[loads["type"] == "data_centre", "p_mw"].sum() == pytest.approx(LEFT_MW)


def test_the_published_rise_lies_within_what_is_uncertain_of_the_interconnection() -> None:
    stiff, soft = rise_mhz(0.4, 2.0, LEFT_MW - DRAWN_MORE_MW), rise_mhz(0.2, 1.0)
    assert stiff < PUBLISHED_MHZ < soft
    assert rise_mhz(0.3, 1.5, LEFT_MW - DRAWN_MORE_MW) == pytest.approx(PUBLISHED_MHZ, abs=8.0)


def test_the_interconnection_answers_between_its_obligation_and_twice_what_is_measured() -> None:
    mw_per_tenth_hz = LEFT_MW / rise_mhz(0.3, 1.5) * 100.0
    assert 920.0 < mw_per_tenth_hz < 2 * 2600.0


def test_230_kv_stands_where_it_can_rise() -> None:
    net = load_case("dominion").net
    pp.runpp(net, init="flat")
    at_230 = net.res_bus.vm_pu[net.bus.vn_kv == 230.0]
    assert at_230.between(1.0, 1.05).all()
