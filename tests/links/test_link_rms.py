"""Links in the rms engine: the same events as in the power flow, on every machine's own speed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.links.orders import Block, Ramp, Runback
from grids.params import RmsParams
from grids.rms import RmsGrid

LINK = "west-east DC"
SN_MVA, H_S = 400.0, 5.0
NOTHING = {
    port: np.zeros(0)
    for port in ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "scale_pu")
}


def folder_of(two_areas, **columns):
    """Write the case with a classical machine at each plant and slack, without governors."""
    folder = two_areas(**columns)
    names = ("plant", "slack", "east plant", "east slack")
    rows = [f"{name},{SN_MVA},{H_S},0.3" for name in names]
    (folder / "gencls.csv").write_text("\n".join(["name,sn_mva,h_s,xd1_pu", *rows]) + "\n")
    return folder


def run(folder, event=None, exchanges=20, dt_s=0.1):
    grid = RmsGrid(RmsParams(case=str(folder), loads="power", load_damping=False), Connections())
    events = [] if event is None else [event]
    assert grid.expect(events) == [None] * len(events)
    grid.reset(Context())
    tables = []
    for k in range(exchanges):
        due = [e for e in events if abs(e.at_s - k * dt_s) < 1e-9]
        tables.append(grid.step(k * dt_s, dt_s, NOTHING, due))
    return tables


def column(tables, table, name, row=0):
    return np.array([t[table][name][row] for t in tables])


def test_two_areas_with_a_link_start_flat(two_areas):
    tables = run(folder_of(two_areas))
    assert_allclose(column(tables, "area", "f_hz", 0), 50.0, atol=1e-6)
    assert_allclose(column(tables, "area", "f_hz", 1), 50.0, atol=1e-6)
    assert_allclose(column(tables, "link", "p_to_mw"), 94.0, atol=1e-9)


def test_a_bipole_block_speeds_one_area_up_and_slows_the_other_down_as_inertia_says(two_areas):
    """df/dt = dP f0 / (2 H S), two machines an area, until governors move; lines lose little."""
    tables = run(folder_of(two_areas), GridEvent(0.5, "dc_block", LINK, Block(link=LINK)))
    per_s = 50.0 / (2.0 * 2.0 * H_S * SN_MVA)
    f_hz = [column(tables, "area", "f_hz", area) for area in (0, 1)]
    slope = [(f[15] - f[5]) / 1.0 for f in f_hz]
    assert_allclose(slope, [100.0 * per_s, -94.0 * per_s], rtol=0.05)
    assert_allclose(column(tables, "link", "p_from_mw")[5:], 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("event", "left_mw"),
    [
        (GridEvent(0.5, "dc_runback", LINK, Runback(link=LINK, to_mw=40.0)), 40.0),
        (GridEvent(0.5, "dc_block", LINK, Block(link=LINK, pole_share_pu=0.5)), 50.0),
        (GridEvent(0.5, "dc_block", LINK, Block(link=LINK, restart_after_s=0.3)), 100.0),
        (GridEvent(0.5, "dc_ramp", LINK, Ramp(link=LINK, to_mw=70.0, over_s=0.5)), 70.0),
    ],
    ids=["runback", "pole", "restart", "ramp"],
)
def test_what_a_link_is_told_is_what_its_ends_draw_and_deliver(two_areas, event, left_mw):
    tables = run(folder_of(two_areas), event)
    assert column(tables, "link", "p_from_mw")[-1] == pytest.approx(left_mw, abs=1e-9)
    drawn = column(tables, "bus", "p_mw", 1) - 200.0  # the town beside the sending end draws 200 MW
    received = 200.0 - column(tables, "bus", "p_mw", 3)
    assert_allclose(drawn[1:], column(tables, "link", "p_from_mw")[1:], atol=1e-4)
    assert_allclose(received[1:], column(tables, "link", "p_to_mw")[1:], atol=1e-4)


def test_an_event_at_the_first_exchange_is_refused(two_areas):
    grid = RmsGrid(RmsParams(case=str(folder_of(two_areas))), Connections())
    said = grid.expect([GridEvent(0.0, "dc_block", LINK, Block(link=LINK))])
    assert "give a later instant" in said[0]


def test_ends_with_converter_models_obey_the_same_order_by_the_name_of_the_link(two_areas):
    folder = folder_of(two_areas)
    rows = ("send,receive,100", "receive,send,100")
    (folder / "hvdc_vsc.csv").write_text("\n".join(["name,partner,p_rated_mw", *rows]) + "\n")
    tables = run(folder, GridEvent(0.5, "dc_ramp", LINK, Ramp(link=LINK, to_mw=60.0, over_s=0.5)))
    assert_allclose(column(tables, "link", "p_from_mw")[1:5], 100.0, atol=1e-3)
    assert column(tables, "link", "p_from_mw")[-1] == pytest.approx(60.0, abs=0.5)
    assert 0.0 < column(tables, "link", "loss_mw")[-1] < 6.0
