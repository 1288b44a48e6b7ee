"""What is particular to western Inner Mongolia: the parks of Horinger and Ulanqab on the 220 kV grid."""

import pandapower as pp
import pytest

from grids.case import load_case


@pytest.mark.parametrize("park", ["Horinger park", "Ulanqab park"])
def test_a_park_keeps_its_load_when_a_feed_or_a_bank_is_lost(park: str) -> None:
    net = load_case("mengxi", "winter_evening_peak").net
    feeds = net.line.index[net.line["name"].str.endswith(f"{park} 220")]
    banks = net.trafo.index[net.trafo["name"].str.startswith(park)]
    assert (len(feeds), len(banks)) == (2, 2)
    for table, row in [*((net.line, i) for i in feeds), *((net.trafo, i) for i in banks)]:
        table.at[row, "parallel"] -= 1
        pp.runpp(net, init="flat")
        table.at[row, "parallel"] += 1
        assert max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()) < 100
        assert net.res_bus["vm_pu"].between(0.95, 1.08).all()


def test_storage_and_own_generation_of_the_parks_are_the_published_ones() -> None:
    rated = load_case("mengxi").net.sgen.set_index("name")["sn_mva"]
    assert rated["Horinger park storage"] == pytest.approx(64.8, abs=0.5)
    assert rated["Ulanqab park storage"] == pytest.approx(45)
    assert rated[["Horinger park wind", "Horinger park PV"]].sum() == pytest.approx(360)
