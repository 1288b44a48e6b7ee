"""N-1: every loss against pandapower without the element; poles balanced by the area's response."""

import copy
import io
import math
import shutil
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from grids.case import CASES, load_case
from grids.checks.after import pole_outages, pole_units
from grids.checks.base import Solved, solve_point
from grids.checks.consequence import POLE, Consequence, write_csv
from grids.checks.outages import branch_outages


@pytest.fixture(scope="module")
def ieee39() -> Solved:
    return solve_point("ieee39", None)


@pytest.fixture(scope="module")
def losses(ieee39: Solved) -> dict[str, Consequence]:
    return {one.lost: one for one in branch_outages(ieee39, least_kv=100.0)}


def without(net: Any, table: str, name: str) -> Any:
    """Return pandapower's solution with an element out of service."""
    net = copy.deepcopy(net)
    net[table].loc[net[table]["name"] == name, "in_service"] = False
    pp.runpp(net, init="dc", enforce_q_lims=True)
    return net


@pytest.mark.parametrize(
    ("table", "name"), [("line", "line_4_14"), ("line", "line_6_11"), ("trafo", "trafo_11_12")]
)
def test_a_loss_is_pandapowers_power_flow_without_the_element(
    ieee39: Solved, losses: dict[str, Consequence], table: str, name: str
) -> None:
    theirs, ours = without(ieee39.net, table, name), losses[name]
    high = theirs.bus["vn_kv"] >= 220.0
    assert ours.vm_low_pu == pytest.approx(theirs.res_bus.loc[high, "vm_pu"].min(), abs=1e-6)
    assert ours.vm_high_pu == pytest.approx(theirs.res_bus.loc[high, "vm_pu"].max(), abs=1e-6)
    assert ours.line_percent == pytest.approx(theirs.res_line["loading_percent"].max(), abs=1e-4)


def test_every_branch_is_lost_once(ieee39: Solved, losses: dict[str, Consequence]) -> None:
    assert len(losses) == len(ieee39.net.line) + len(ieee39.net.trafo)


def test_a_loss_that_leaves_machines_behind_says_so(losses: dict[str, Consequence]) -> None:
    radial = losses["trafo_22_35"]
    assert "bus_35" in radial.dark
    assert "lost generation" in radial.dark
    assert radial.f_extreme_hz < 60.0
    assert radial.worth_a_note()


def test_one_of_two_equal_circuits_is_half_of_the_row(tmp_path) -> None:
    folder = shutil.copytree(CASES / "ieee39", tmp_path / "mine")
    line = pd.read_csv(folder / "line.csv")
    twin = line[line["name"] == "line_16_17"].copy()
    two = line.copy()
    two.loc[two["name"] == "line_16_17", "parallel"] = 2
    two.to_csv(folder / "line.csv", index=False)
    merged = next(
        one for one in branch_outages(solve_point(str(folder), None), 100.0) if "line_16_17" in one.lost
    )
    assert merged.lost == "one of 2 of line_16_17"
    pd.concat([line, twin.assign(name="line_16_17 b")]).to_csv(folder / "line.csv", index=False)
    apart = next(
        one for one in branch_outages(solve_point(str(folder), None), 100.0) if one.lost == "line_16_17 b"
    )
    assert merged.vm_low_pu == pytest.approx(apart.vm_low_pu, abs=1e-9)
    assert merged.line_percent == pytest.approx(apart.line_percent, abs=1e-6)


def test_half_of_a_link_is_lost_and_frequency_answers() -> None:
    name, point = "ningxia", "winter_evening_peak"
    net = load_case(name, point).net
    poles = pole_units(net)
    solved = solve_point(name, point, poles)
    lost = {one.lost: one for one in pole_outages(solved, poles)}
    exported = -float(net.sgen.set_index("name").loc["Ningxia-Hunan DC", "p_mw"])
    one = lost["a pole of Ningxia-Hunan DC"]
    assert one.lost_mw == pytest.approx(-exported / 2)
    assert one.f_extreme_hz > 50.03
    assert not one.unacceptable()


def test_both_layers_of_a_link_lose_their_half_together() -> None:
    net = load_case("shandong", "summer_evening_peak").net
    poles = pole_units(net)
    solved = solve_point("shandong", "summer_evening_peak", poles)
    lost = {one.lost: one.lost_mw for one in pole_outages(solved, poles)}
    sgen = net.sgen[net.sgen["name"].str.startswith("Zhalute-Qingzhou DC,")]
    assert len(sgen) == 2
    assert lost["a pole of Zhalute-Qingzhou DC"] == pytest.approx(sgen["p_mw"].sum() / 2)


def test_what_breaks_a_limit_is_named_with_its_value() -> None:
    one = Consequence("a line", "line", vm_low_pu=0.89, vm_low_at="A", line_percent=104.0, line_at="L")
    assert one.unacceptable()
    assert str(one) == "without a line: A 0.890 pu, L 104 %"
    short = Consequence("a bank", "trafo", trafo_percent=140.0, trafo_at="T")
    assert short.worth_a_note()
    assert not short.unacceptable()
    assert Consequence("all", "line", solved=False).unacceptable()
    assert Consequence("a line", "line", trafo_percent=101.0).unacceptable()
    pole = Consequence("half a link", POLE, line_percent=101.0)
    assert pole.worth_a_note()
    assert not pole.unacceptable()
    assert Consequence("half a link", POLE, solved=False).unacceptable()
    assert math.isclose(np.sum([c.lost_mw for c in (one, short)]), 0.0)


def test_the_table_of_losses_begins_with_what_breaks_a_limit(losses: dict[str, Consequence]) -> None:
    table = pd.read_csv(io.StringIO(write_csv(list(losses.values()))), keep_default_na=False)
    assert len(table) == len(losses)
    broken = table["violated"].str.contains("line_|pu")
    assert broken.any()
    assert broken.iloc[: int(broken.sum())].all()
