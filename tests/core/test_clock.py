"""The exchange clock is exact, complete and refuses steps that do not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.core.clock import Clock, Window
from cosim.core.errors import ScenarioError


def test_base_step_alone_gives_equal_exchanges():
    clock = Clock(60, 3600)
    assert len(clock) == 60
    assert clock.dt_s.tolist() == [60.0] * 60
    assert clock.tick_s == 60


def test_a_window_refines_exactly_its_span():
    clock = Clock(60, 300, [Window(60, 120, 0.1)])
    assert len(clock) == 4 + 600
    assert clock.t_s[1] == 60.0
    assert clock.t_s[2] == 60.1
    assert clock.t_s[601] == 120.0
    assert clock.dt_s[600] == pytest.approx(0.1, abs=0)


def test_where_windows_overlap_the_finest_step_holds():
    clock = Clock(60, 600, [Window(60, 300, 10), Window(120, 180, 1)])
    assert np.all(clock.dt_s[(clock.t_s >= 120) & (clock.t_s < 180)] == 1.0)
    assert np.all(clock.dt_s[(clock.t_s >= 180) & (clock.t_s < 300)] == 10.0)


@given(
    base=st.sampled_from([1, 10, 60, 0.5]),
    count=st.integers(2, 50),
    parts=st.sampled_from([1, 2, 4, 5, 8, 10]),
    first=st.integers(0, 10),
)
def test_exchanges_cover_the_run_without_gap_or_overlap(base, count, parts, first):
    until = base * count
    start = min(first, count - 1) * base
    clock = Clock(base, until, [Window(start, until, base / parts)])
    assert clock.ticks[0] == 0
    assert np.all(clock.lengths > 0)
    assert clock.ticks[-1] + clock.lengths[-1] == clock.until
    assert np.all(np.diff(clock.ticks) == clock.lengths[:-1])
    assert clock.until * clock.tick_s == pytest.approx(until, rel=1e-15)


def test_contains_knows_exchange_instants_and_nothing_else():
    clock = Clock(60, 600, [Window(60, 120, 1)])
    assert clock.contains(61)
    assert clock.contains(0)
    assert not clock.contains(61.5)
    assert not clock.contains(125)
    assert not clock.contains(600)


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        ((7, 60), ["step_s=7", "until_s=60"]),
        ((0, 60), ["step_s=0"]),
        ((60, 600, [Window(60, 120, 7)]), ["step_s=7", "60 s", "window 60..120"]),
        ((60, 600, [Window(90, 120, 1)]), ["from_s=90", "60 s"]),
        ((60, 600, [Window(540, 720, 1)]), ["0..600"]),
    ],
)
def test_steps_that_do_not_fit_are_refused_with_both_numbers(arguments, fragments):
    with pytest.raises(ScenarioError) as error:
        Clock(*arguments)
    for fragment in fragments:
        assert fragment in str(error.value)
