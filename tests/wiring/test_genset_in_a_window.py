"""A gen-set through a window of the rms engine: blocks before and after, a machine within."""

import numpy as np
import pytest

from cosim.assemble import prepare
from cosim.run import run

TEXT = """\
title: a gen-set and a window
start: 2025-08-06T20:30:00+08:00
until_s: 6
seed: 1
clock: {step_s: 0.5}
grid:
  engine: powerflow
  case: campus
  windows: [{name: look, from_s: 2, to_s: 4, exchange_s: 0.1}]
units:
  on: {component: genset, at: main, p_rated_mw: 30, engine: {}}
  late: {component: genset, at: main, p_rated_mw: 10, start_s: 0.5, starts_by: command, engine: {}}
events:
  - {at_s: 0, order: {unit: on, p_mw: 20}}
  - {at_s: 2.5, start: {unit: late}}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the run."""
    folder = tmp_path_factory.mktemp("window")
    path = folder / "window.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return run(prepare(path), folder)


def test_entering_and_leaving_the_window_the_power_stands(results):
    drawn = results.series("point", "p_mw")["on"]
    assert np.abs(drawn + 20.0).max() < 0.02
    booked = results.series("genset", "p_delivered_mw")["on"]
    assert np.abs(booked - 20.0).max() < 0.02


def test_a_set_that_starts_within_the_window_is_synchronised_without_power(results):
    events = results.events
    closed = events[events["text"].str.contains("late connected")]
    assert len(closed) == 1
    assert 3.0 <= closed["t_s"].iloc[0] < 3.2  # half a second after its start, one exchange to hear of it
    assert results.series("point", "p_mw")["late"].abs().max() < 0.05
