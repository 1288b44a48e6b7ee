"""A direct-current terminal in a case of the rms engine: blocked, run back and ramped by events."""

import shutil

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.case import load_case
from grids.params import RmsParams
from grids.rms import RmsGrid
from grids.rms_events import Block, Ramp, Runback

POWER_MW = 200.0
NOTHING = {
    port: np.zeros(0)
    for port in ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "scale_pu")
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Kundur's system with a sending station at bus 7."""
    copy = tmp_path_factory.mktemp("cases") / "kundur_dc"
    shutil.copytree(load_case("kundur").folder, copy)
    header, *rows = (copy / "load.csv").read_text().splitlines()
    like = dict(zip(header.split(","), rows[0].split(","), strict=True))
    like |= {"name": "sending", "bus": "bus_7", "p_mw": f"{POWER_MW:g}", "q_mvar": "0"}
    (copy / "load.csv").write_text("\n".join([header, *rows, ",".join(like.values())]) + "\n")
    (copy / "hvdc_lcc.csv").write_text("name,p_rated_mw,kf_pu,f_band_pu,kf_max_pu\nsending,250,0,0.0,0.2\n")
    return copy


def frequency(folder, *events):
    grid = RmsGrid(RmsParams(case=str(folder), loads="power"), Connections())
    assert grid.expect(events) == [None] * len(events)
    grid.reset(Context())
    f_hz, load_mw = [], []
    for k in range(60):
        due = [event for event in events if abs(event.at_s - 0.1 * k) < 1e-9]
        tables = grid.step(0.1 * k, 0.1, NOTHING, due)
        f_hz.append(tables["area"]["f_hz"][0])
        load_mw.append(tables["grid"]["load_mw"][0])
    return np.array(f_hz), np.array(load_mw)


def test_a_block_throws_the_load_off_and_a_restart_takes_it_back(folder):
    f_hz, load_mw = frequency(
        folder, GridEvent(1.0, "dc_block", "sending", Block(link="sending", restart_after_s=2.0))
    )
    assert np.ptp(f_hz[:10]) < 1e-6
    assert load_mw[9] - load_mw[20] == pytest.approx(POWER_MW, rel=0.05)
    assert f_hz[28] > f_hz[9] + 0.05
    assert load_mw[-1] == pytest.approx(load_mw[9], rel=0.02)


@pytest.mark.parametrize(
    ("action", "params"),
    [("dc_runback", Runback(link="sending", to_mw=100.0)), ("dc_ramp", Ramp(link="sending", to_mw=100.0))],
)
def test_a_runback_and_a_ramp_leave_what_was_asked(folder, action, params):
    f_hz, load_mw = frequency(folder, GridEvent(1.0, action, "sending", params))
    assert load_mw[9] - load_mw[-1] == pytest.approx(100.0, rel=0.05)
    assert f_hz[-1] > f_hz[9]
