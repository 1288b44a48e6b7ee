"""What units hear beside their ports: rows of the grid's tables, and the range of another unit."""

from dataclasses import replace

import numpy as np
import pytest
from suandian_toys import Toy, ToyParams, kind, plan

from cosim.assemble import prepare
from cosim.core.errors import ComponentError, ScenarioError
from cosim.core.flexibility import Flexibility, Side
from cosim.plan import Ask
from cosim.run import run

LINK = """\
title: a link blocks and a battery hears of it
start: 2025-08-06T20:00:00+08:00
until_s: 6
seed: 1
clock: {step_s: 1, windows: [{from_s: 2, to_s: 4, step_s: 0.1}]}
grid: {case: guizhou}
units:
  cells: {component: battery, at: gaopo_500, p_rated_mw: 60, e_rated_mwh: 120}
  help:
    component: controller
    battery: cells
    down_mw: 50
    late: {blocked_pu: "grid.link.Gaopo-Zhaoqing.blocked_pu"}
    laws: [{law: emergency, p_mw: 50, reaction_s: 0.2, ramp_s: 0}]
events:
  - {at_s: 2.5, dc_block: {link: Gaopo-Zhaoqing}}
"""
PEAK = """\
title: a battery that cannot hold what is stated for the hours of the peak
start: 2025-08-06T17:00:00+08:00
until_s: 21600
seed: 1
clock: {step_s: 300}
grid: {case: ieee39}
units:
  cells: {component: battery, at: bus_16, p_rated_mw: 10, e_rated_mwh: 20, standby_pu: 0}
  day:
    component: controller
    battery: cells
    down_mw: 10
    asks_over_s: 3600
    laws: [{law: valley_filling, peak_from_h: 18, peak_to_h: 22, hold_mw: 10}]
"""


def outcome(folder, text):
    path = folder / "heard.yaml"
    path.write_text(text, encoding="utf-8")
    return run(prepare(path), folder)


def test_a_controller_hears_of_a_blocked_link_and_its_reaction_time_counts_from_the_block(tmp_path):
    results = outcome(tmp_path, LINK)
    p_mw = results.series("battery", "p_mw")["cells"]
    before = p_mw[p_mw.index < 2.69]
    assert np.abs(before).max() < 1.0
    assert p_mw[p_mw.index > 2.69].to_numpy() == pytest.approx(before.iloc[-1] - 50.0, abs=1e-6)


@pytest.mark.parametrize(
    ("key", "heard", "told"),
    [
        ("late", "grid.link.nowhere.blocked_pu", r"late\.blocked_pu.*unknown row of the table link"),
        ("late", "grid.links.Gaopo-Zhaoqing.blocked_pu", r"late\.blocked_pu.*table of the grid.*link"),
        ("late", "grid.link.Gaopo-Zhaoqing.blocked_mw", r"late\.blocked_pu.*column of the table link"),
        ("late", "grid.link", r"late\.blocked_pu.*table, row and column"),
        ("inputs", "grid.link.Gaopo-Zhaoqing.blocked_pu", r"inputs\.blocked_pu.*one exchange late"),
    ],
)
def test_what_the_grid_does_not_have_is_refused_by_name(tmp_path, key, heard, told):
    path = tmp_path / "heard.yaml"
    said = 'late: {blocked_pu: "grid.link.Gaopo-Zhaoqing.blocked_pu"}'
    path.write_text(LINK.replace(said, f'{key}: {{blocked_pu: "{heard}"}}'), encoding="utf-8")
    with pytest.raises(ScenarioError, match=told):
        prepare(path)


class OfOne(Toy):
    """A toy that tells the range of one unit, however many there are."""

    def flexibility(self, t_s, horizon_s, inputs):
        return Flexibility(np.zeros(1), Side.none(1), Side.none(1))


def test_a_range_of_too_few_units_is_refused(tmp_path):
    two = plan(kind(OfOne, ToyParams(), ToyParams()))
    with pytest.raises(ComponentError, match=r"flexibility: baseline_mw is .* for each unit"):
        run(replace(two, asks=(Ask("range of them", "ofone", 60.0, 60.0, ()),)), tmp_path)


def test_what_a_battery_is_asked_for_is_what_it_can_hold_and_nothing_lacks(tmp_path_factory):
    """9 MWh hold 10 MW for less than an hour of the four; stated alone, the rest lacks at the meter."""
    asked = outcome(tmp_path_factory.mktemp("asked"), PEAK)
    stated = outcome(tmp_path_factory.mktemp("stated"), PEAK.replace("    asks_over_s: 3600\n", ""))
    short = {name: r.series("controller", "short_mw")["day"] for name, r in (("a", asked), ("s", stated))}
    assert short["s"].max() == pytest.approx(10.0, rel=0.01)
    assert short["a"].max() < 0.05
    promised = asked.series("controller", "promised_mw")["day"]
    assert promised.min() < -7.0
    assert -promised.iloc[-24] < 5.0  # after two hours of the peak: less and less for an hour each time
    assert (-promised <= asked.series("controller", "range_mw")["day"] + 1e-9).all()


def test_a_grid_without_links_of_its_own_says_what_else_would_do(tmp_path):
    path = tmp_path / "block.yaml"
    head = "title: t\nstart: 2025-08-06T20:00:00+08:00\nuntil_s: 6\nseed: 1\nclock: {step_s: 1}\n"
    events = "grid: {case: two_bus}\nevents:\n  - {at_s: 2, dc_block: {link: nowhere}}\n"
    path.write_text(head + events, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"no direct-current link of its own; allowed: .*trip"):
        prepare(path)
