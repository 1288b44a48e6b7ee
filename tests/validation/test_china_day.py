"""The interconnection in one scenario: areas keep their frequency, links agree at both ends."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from cosim.assemble import prepare
from cosim.run import run


@pytest.fixture(scope="module")
def minutes(tmp_path_factory):
    """Five minutes of the day: a function that reads a column of a table, a row per exchange."""
    folder = tmp_path_factory.mktemp("china")
    run(prepare("china_day", changes={"until_s": 300, "clock.step_s": 60}), folder)
    (where,) = {path.parent.parent for path in folder.rglob("series/area")}

    def column(table, name):
        found = pq.read_table(where / "series" / table).to_pandas()
        return found.pivot(index="t_s", columns="name", values=name)

    return column


def test_every_area_stays_within_the_dead_band_while_loads_fall(minutes):
    f_hz = minutes("area", "f_hz")
    assert f_hz.shape[1] == 5
    assert (np.abs(f_hz - 50.0) < 0.033).all(axis=None)


def test_what_a_link_receives_is_what_is_sent_less_its_losses(minutes):
    sent, arrives, lost = (minutes("link", name) for name in ("p_from_mw", "p_to_mw", "loss_mw"))
    assert {"Hami-Chongqing", "Longdong-Shandong", "Changji-Guquan"} <= set(sent.columns)
    assert np.allclose(sent - arrives, lost, atol=1e-6)
    assert (lost["Changji-Guquan"] > 0.04 * sent["Changji-Guquan"]).all()


def test_the_slacks_close_the_change_in_losses_only(minutes):
    residual = minutes("grid", "slack_residual_mw")
    assert np.abs(residual).max(axis=None) < 1e-6


def test_every_hub_draws_power_at_their_own_places(minutes):
    halls = minutes("gpu_hall", "p_mw")
    assert halls.shape[1] == 11
    assert (halls.iloc[-1] > 20.0).all()
