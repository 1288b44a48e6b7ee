"""Direct-current links in the power flow: energy, schedules, blocks, runbacks, overload, filters."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.errors import CaseError, ScenarioError
from cosim.core.grid import Connections, GridEvent
from cosim.testing.grid import check_grid
from grids.case import load_case
from grids.engine import PowerFlowGrid
from grids.links.orders import Block, Ramp, Runback
from grids.params import PowerFlowParams

LINK = "west-east DC"
WEST, EAST = 0, 1
RESIDUAL_MW = 1e-6


def block(at_s=1.0, **more):
    return GridEvent(at_s, "dc_block", LINK, Block(link=LINK, **more))


def ramp(to_mw, at_s=1.0, **more):
    return GridEvent(at_s, "dc_ramp", LINK, Ramp(link=LINK, to_mw=to_mw, **more))


def runback(to_mw, at_s=1.0, **more):
    return GridEvent(at_s, "dc_runback", LINK, Runback(link=LINK, to_mw=to_mw, **more))


def run(folder, events=(), *, exchanges=6, dt_s=1.0, connections=None, scale=(), seen=None):
    """Return the tables of each exchange; events happen at the second one."""
    emitted = [] if seen is None else seen
    grid = PowerFlowGrid(PowerFlowParams(case=str(folder)), connections or Connections())
    grid.reset(Context(emit=lambda *event: emitted.append(event)))
    nothing = {name: np.zeros(0) for name in ("p_mw", "q_mvar")}
    nothing |= {f"droop_{name}": np.zeros(0) for name in ("mw_per_hz", "up_mw", "down_mw")}
    tables = []
    for k in range(exchanges):
        factor = np.array([scale[min(k, len(scale) - 1)]] if len(scale) else [])
        now = grid.step(k * dt_s, dt_s, {**nothing, "scale_pu": factor}, events if k == 1 else ())
        tables.append(now)
    return tables


def link(tables, column):
    return np.array([t["link"][column][0] for t in tables])


def f_hz(tables, area):
    return np.array([t["area"]["f_hz"][area] for t in tables])


def ends_mw(tables):
    """Return what the buses of both ends say flows, apart from what the load draws."""
    town = 200.0
    west = np.array([t["bus"]["p_mw"][1] for t in tables]) - town
    return west, town - np.array([t["bus"]["p_mw"][3] for t in tables])


def test_a_link_on_schedule_stands_still_and_loses_what_its_row_says(two_areas):
    tables = run(two_areas())
    assert_allclose(link(tables, "p_from_mw"), 100.0, atol=1e-9)
    assert_allclose(link(tables, "loss_mw"), 6.0, atol=1e-9)
    assert_allclose(f_hz(tables, WEST), 50.0, atol=1e-12)
    assert_allclose(f_hz(tables, EAST), 50.0, atol=1e-12)


@pytest.mark.parametrize(
    "event",
    [block(), block(pole_share_pu=0.5), block(restart_after_s=2.5), ramp(40.0), ramp(-60.0), runback(30.0)],
    ids=["bipole", "pole", "restart", "ramp", "reversal", "runback"],
)
def test_what_leaves_one_end_arrives_at_the_other_less_the_losses(two_areas, event):
    tables = run(two_areas(), [event], exchanges=25)
    sent, received, lost = (link(tables, c) for c in ("p_from_mw", "p_to_mw", "loss_mw"))
    assert_allclose(sent, received + lost, atol=1e-9)
    assert np.all(lost >= 0.0)
    west, east = ends_mw(tables)
    damped = 200.0 * 2.0 * np.array([f_hz(tables, a) / 50.0 - 1.0 for a in (WEST, EAST)])
    assert_allclose(west, sent + damped[WEST], atol=1e-6)
    assert_allclose(east, received - damped[EAST], atol=1e-6)
    assert max(abs(t["grid"]["slack_residual_mw"][0]) for t in tables) < RESIDUAL_MW


def test_a_blocked_bipole_leaves_a_surplus_at_one_end_and_a_deficit_at_the_other(two_areas):
    tables = run(two_areas(), [block()])
    assert_allclose([t["area"]["p_imbalance_mw"] for t in tables[1:]], [[-100.0, 94.0]] * 5, atol=1e-6)
    assert f_hz(tables, WEST)[1] > 50.05
    assert f_hz(tables, EAST)[1] < 49.95


def test_a_new_schedule_is_dispatched_in_both_areas_and_moves_no_frequency(two_areas):
    tables = run(two_areas(), [ramp(40.0, over_s=3.0)])
    assert_allclose(link(tables, "p_from_mw"), [100, 90, 70, 50, 40, 40], atol=1e-9)
    assert_allclose(f_hz(tables, WEST), 50.0, atol=1e-12)
    plants = np.array([t["gen"]["p_mw"][:2] for t in tables])
    assert_allclose(plants[-1, 0], 240.0, atol=1e-6)
    assert_allclose(plants[-1, 1], 200.0 - link(tables, "p_to_mw")[-1], atol=1e-6)


def test_a_driver_of_one_end_moves_the_other_at_the_ramp_of_the_link(two_areas):
    folder = two_areas(ramp_mw_per_min=600)  # 10 MW/s
    driven = Connections(drivers=("plan",), driven=("send",))
    tables = run(folder, connections=driven, scale=(1.0, 0.7))
    assert_allclose(link(tables, "p_from_mw"), [100, 95, 85, 75, 70, 70], atol=1e-9)
    driven = Connections(drivers=("plan",), driven=("receive",))
    tables = run(folder, connections=driven, scale=(0.5,))
    assert_allclose(link(tables, "p_to_mw"), 47.0, atol=1e-9)


def test_drivers_of_both_ends_are_refused(two_areas):
    both = Connections(drivers=("one", "two"), driven=("send", "receive"))
    with pytest.raises(ScenarioError, match=f"both ends of link '{LINK}'"):
        PowerFlowGrid(PowerFlowParams(case=str(two_areas())), both)


def test_one_pole_takes_over_what_its_overload_lets_it_and_ramps_down(two_areas):
    folder = two_areas(overload_pu=1.2, overload_s=2.0, ramp_mw_per_min=300)
    tables = run(folder, [block(pole_share_pu=0.5)], exchanges=8)
    assert_allclose(link(tables, "p_from_mw"), [100, 60, 60, 57.5, 52.5, 50, 50, 50], atol=1e-9)
    assert_allclose(link(tables, "blocked_pu"), [0, *[0.5] * 7], atol=1e-12)


def test_poles_that_restart_bring_back_the_schedule(two_areas):
    tables = run(two_areas(), [block(restart_after_s=1.25)])
    assert_allclose(link(tables, "p_from_mw"), [100, 0, 75, 100, 100, 100], atol=1e-9)


def test_a_runback_holds_while_the_schedule_is_higher(two_areas):
    seen = []
    tables = run(two_areas(), [runback(50.0, over_s=2.0)], seen=seen)
    assert_allclose(link(tables, "p_from_mw"), [100, 87.5, 62.5, 50, 50, 50], atol=1e-9)
    assert_allclose(link(tables, "p_order_mw"), 100.0, atol=1e-9)
    assert any(kind == "dc_runback" for _, _, kind, *_ in seen)


def test_after_a_runback_a_new_schedule_meets_what_the_link_carries_without_a_jump(two_areas):
    grid = PowerFlowGrid(PowerFlowParams(case=str(two_areas())), Connections())
    grid.reset(Context())
    empty = {name: np.zeros(0) for name in ("p_mw", "q_mvar", "scale_pu")}
    empty |= {f"droop_{name}": np.zeros(0) for name in ("mw_per_hz", "up_mw", "down_mw")}
    due = {1: runback(50.0, over_s=1.0), 3: ramp(60.0, over_s=4.0)}
    tables = [grid.step(float(k), 1.0, empty, [due[k]] if k in due else ()) for k in range(9)]
    carried = [100, 75, 50, 51.25, 53.75, 56.25, 58.75, 60, 60]
    assert_allclose(link(tables, "p_from_mw"), carried, atol=1e-9)
    assert_allclose(link(tables, "p_order_mw"), [100, 100, 100, 95, 85, 75, 65, 60, 60], atol=1e-9)


def test_halving_the_exchange_carries_the_same_energy(two_areas):
    folder = two_areas(overload_pu=1.1, overload_s=3.0)
    event = [block(at_s=1.0, pole_share_pu=0.5, restart_after_s=4.7)]
    coarse = run(folder, event, exchanges=12)
    grid = PowerFlowGrid(PowerFlowParams(case=str(folder)), Connections())
    grid.reset(Context())
    empty = {name: np.zeros(0) for name in ("p_mw", "q_mvar", "scale_pu")}
    empty |= {f"droop_{name}": np.zeros(0) for name in ("mw_per_hz", "up_mw", "down_mw")}
    fine = [grid.step(0.5 * k, 0.5, empty, event if k == 2 else ()) for k in range(24)]
    energy = link(coarse, "p_to_mw").sum(), 0.5 * link(fine, "p_to_mw").sum()
    assert energy[1] == pytest.approx(energy[0], rel=1e-3)


def test_filters_of_a_blocked_link_stay_until_they_are_tripped(two_areas):
    folder = two_areas(filter_pu=0.5, filter_trip_s=0.5)
    tables = run(folder, [block()])
    q = np.array([t["bus"]["q_mvar"][1] for t in tables])  # load 50, residual of the converter 5
    assert_allclose(q, [55.0, 50.0 - 25.0, 50, 50, 50, 50], atol=1e-6)


def test_a_tripped_end_takes_the_other_with_it(two_areas):
    tables = run(two_areas(), [GridEvent(1.0, "trip", "send")])
    assert_allclose(link(tables, "p_to_mw"), [94.0, *[0.0] * 5], atol=1e-9)
    assert_allclose([t["area"]["p_imbalance_mw"] for t in tables[1:]], [[-100.0, 94.0]] * 5, atol=1e-6)


def test_ends_that_disagree_about_losses_are_refused_with_what_would_do(two_areas):
    with pytest.raises(CaseError, match=r"receives 99 MW of 100 MW sent \(allowed: 94 MW"):
        load_case(str(two_areas(received_mw=99.0)))


def test_unknown_ends_and_impossible_losses_are_all_told(two_areas):
    folder = two_areas(loss_percent=1.0)
    text = (folder / "links.csv").read_text().replace("send,receive", "sent,receive")
    (folder / "links.csv").write_text(text)
    with pytest.raises(CaseError) as caught:
        load_case(str(folder))
    assert "column from_element: 'sent' is unknown" in str(caught.value)
    assert "column loss_percent: 1.0 is below that of two stations" in str(caught.value)


def test_an_order_beyond_the_rating_is_refused_before_the_run(two_areas):
    grid = PowerFlowGrid(PowerFlowParams(case=str(two_areas())), Connections())
    assert grid.subjects("dc_ramp") == (LINK,)
    said = grid.expect([ramp(120.0), ramp(80.0)])
    assert said == [f"to_mw=120: link {LINK!r} carries 100 MW at most", None]


def test_the_engine_keeps_the_contract_with_a_link(two_areas):
    folder = two_areas(overload_pu=1.1, support_to_mw_per_hz=50, support_limit_mw=20)

    def build(connections):
        return PowerFlowGrid(PowerFlowParams(case=str(folder)), connections)

    assert list(check_grid(build, "b")) == []
