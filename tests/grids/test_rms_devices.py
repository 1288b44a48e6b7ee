"""Units that hand the rms engine dynamic models: power is counted once, set-points in, reports out."""

import numpy as np
import pytest

from cosim.core.component import Context, DeviceInput, DeviceOffer, DevicePart, DeviceReport, DroopOffer
from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections, GridEvent, GridWindow
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams, RmsParams, RmsWindowParams
from grids.rms import RmsGrid
from grids.rms_events import Fault

UPS = DeviceOffer(
    models={"electronic_load": {"sn_mva": 600.0, "frecon_pu": 1.0, "rrecon_pu_per_s": 2.0, "trecon_s": 0.1}},
    inputs={
        "p_mw": DeviceInput("p_set_pu"),
        "q_mvar": DeviceInput("q_set_pu"),
        "reset_pu": DeviceInput("reset", base=1.0),
    },
    reports={
        "connected_pu": DeviceReport("connected_pu", rest=1.0),
        "locked_pu": DeviceReport("locked_out"),
        "p_drawn_mw": DeviceReport("p_mw"),
    },
)
UNITS = Connections(("hall", "store"), ("bus_16", "bus_4"), (None, DroopOffer(0.0, 0.2)), (UPS, None))


def inputs(hall_mw=200.0, reset_pu=0.0, droop_mw_per_hz=0.0):
    p = np.array([hall_mw, 50.0])
    return {
        "p_mw": p,
        "q_mvar": 0.1 * p,
        "droop_mw_per_hz": np.array([0.0, droop_mw_per_hz]),
        "droop_up_mw": np.array([0.0, 40.0]),
        "droop_down_mw": np.array([0.0, 40.0]),
        "scale_pu": np.zeros(0),
        "reset_pu": np.array([reset_pu, 0.0]),
    }


@pytest.fixture(scope="module")
def grid():
    return RmsGrid(RmsParams(case="ieee39"), UNITS)


def stepped(grid, until_s, dt_s=0.05, events=(), **what):
    """Step from reset and return the `point` table of every exchange, columns stacked."""
    grid.reset(Context())
    rows = []
    for k in range(round(until_s / dt_s)):
        t_s = round(k * dt_s, 9)
        due = [event for event in events if abs(event.at_s - t_s) < 1e-9]
        now = {name: value(t_s) for name, value in what.items()}
        rows.append(grid.step(t_s, dt_s, inputs(**now), due))
    return rows, {name: np.array([row["point"][name] for row in rows]) for name in rows[0]["point"]}


def test_a_device_starts_flat_and_follows_the_set_points_of_its_unit(grid):
    rows, point = stepped(grid, 2.0, hall_mw=lambda t_s: 200.0 if t_s < 1.0 else 260.0)
    assert point["p_mw"][:20, 0] == pytest.approx(200.0, abs=1e-6)
    assert point["p_mw"][-1, 0] == pytest.approx(260.0, abs=0.1)
    assert point["p_drawn_mw"][:, 0].tolist() == point["p_mw"][:, 0].tolist()
    assert rows[10]["area"]["f_hz"][0] == pytest.approx(60.0, abs=1e-9)
    assert np.isnan(point["connected_pu"][:, 1]).all()  # the store has no such device
    for row in rows:
        total = row["grid"]
        assert abs(total["generation_mw"] - total["load_mw"] - total["losses_mw"])[0] < 1e-4


def test_a_dip_makes_the_load_cease_and_come_back_and_three_lock_it_out_until_reset(grid):
    dips = [
        GridEvent(t, "fault", "bus_16", Fault(bus="bus_16", clear_after_s=0.055)) for t in (1.0, 4.0, 7.0)
    ]
    _, point = stepped(grid, 12.0, events=dips, reset_pu=lambda t_s: float(t_s >= 10.0))
    drawn, locked, at = point["p_mw"][:, 0], point["locked_pu"][:, 0], lambda t_s: round(t_s / 0.05)
    assert drawn[at(1.1)] < 1.0
    assert drawn[at(3.9)] == pytest.approx(200.0, abs=1.0)
    assert drawn[at(9.9)] < 1.0
    assert (locked[at(6.9)], locked[at(9.9)], locked[at(11.0)]) == (0.0, 1.0, 0.0)
    assert drawn[at(11.9)] == pytest.approx(200.0, abs=1.0)


def test_the_plan_does_not_pay_for_what_a_device_no_longer_draws(grid):
    dip = [GridEvent(1.0, "fault", "bus_16", Fault(bus="bus_16", clear_after_s=0.055))]
    rows, point = stepped(grid, 1.3, events=dip)
    imbalance = rows[-1]["area"]["p_imbalance_mw"][0]
    assert imbalance == pytest.approx(point["p_mw"][-2, 0] - 200.0, abs=1e-6)


def test_parts_of_a_device_share_a_units_power_and_one_of_them_may_let_go(grid):
    patient, hasty = ({"sn_mva": 600.0, "tcease_s": t} for t in (60.0, 0.0))
    heard = {"connected_pu": DeviceReport("connected_pu", rest=1.0)}
    sent = {"p_mw": DeviceInput("p_set_pu"), "q_mvar": DeviceInput("q_set_pu")}
    offer = DeviceOffer.of(
        [
            DevicePart("feed 1", 0.75, {"electronic_load": patient}, sent, heard),
            DevicePart("feed 2", 0.25, {"electronic_load": hasty}, sent, heard),
        ]
    )
    units = Connections(("hall", "store"), ("bus_16", "bus_4"), (None, UNITS.devices[1]), (offer, None))
    dip = [GridEvent(1.0, "fault", "bus_16", Fault(bus="bus_16", clear_after_s=0.055))]
    rows, point = stepped(RmsGrid(RmsParams(case="ieee39"), units), 1.5, events=dip)
    drawn, connected = point["p_mw"][:, 0], point["connected_pu"][:, 0]
    assert drawn[:20] == pytest.approx(200.0, abs=1e-6)
    assert (connected[19], connected[29]) == pytest.approx((1.0, 0.75))
    assert drawn[29] == pytest.approx(150.0, abs=0.5)
    for row in rows:
        total = row["grid"]
        assert abs(total["generation_mw"] - total["load_mw"] - total["losses_mw"])[0] < 1e-4


def test_a_droop_offer_is_delivered_for_the_frequency_there_is(grid):
    _, point = stepped(
        grid, 8.0, hall_mw=lambda t_s: 200.0 if t_s < 1.0 else 500.0, droop_mw_per_hz=lambda t_s: 200.0
    )
    expected = 200.0 * (point["f_hz"][-1, 1] - 60.0)
    assert expected < -5.0
    assert point["p_droop_mw"][-1, 1] == pytest.approx(expected, rel=0.02)
    assert point["p_mw"][-1, 1] == pytest.approx(50.0 + expected, abs=0.2)


def test_outside_its_window_a_device_rests_and_inside_it_starts_from_what_is_drawn():
    flow = PowerFlowGrid(PowerFlowParams(case="ieee39", tap_control=False), UNITS)
    grid = RmsGrid.within(flow, [GridWindow("dip", 1.0, 2.0, RmsWindowParams(loads="impedance"))], UNITS)
    _, point = stepped(grid, 3.0, dt_s=0.5)
    assert point["connected_pu"][:, 0].tolist() == [1.0] * 6
    assert point["p_mw"][:, 0] == pytest.approx(200.0, abs=1e-6)
    assert point["p_drawn_mw"][:, 0] == pytest.approx(200.0, abs=1e-6)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"electronic_lod": {}}, "Did you mean 'electronic_load'"),
        ({"electronic_load": {"imax_pu": -1.0}}, "imax_pu"),
        (
            {"tgov1": {"r_pu": 0.05, "vmax_pu": 1, "vmin_pu": 0, "t1_s": 1, "t2_s": 1, "t3_s": 1}},
            "carries its power",
        ),
    ],
)
def test_a_device_that_cannot_work_is_refused_with_its_unit(models, words):
    connections = Connections(("hall",), ("bus_16",), (None,), (DeviceOffer(models),))
    with pytest.raises(ScenarioError, match="unit 'hall'") as told:
        RmsGrid(RmsParams(case="ieee39"), connections)
    assert words in str(told.value)
