"""Jobs that begin in parts, and what needs no leave: never more power than was let in, and all work done."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_fleet import Run, one_job

SITE = {"gpu_kw": 1.0, "guarded": True, "guard_above_mw": 0.0}


@given(rooms_mw=st.lists(st.floats(0.0, 0.06), min_size=20, max_size=20), part=st.floats(0.1, 1.0))
@settings(max_examples=30, deadline=None)
def test_power_never_rises_by_more_than_was_let_in(rooms_mw, part):
    """0.1 MW wait for leave; what is let in is drawn or coming, and nothing else is."""
    run = Run(one_job(load_s=0.0), [200.0, 1.0], parts_pu=part, **SITE)
    drawn_mw = 0.0
    for k, room_mw in enumerate(rooms_mw):
        row = run.go(k + 1.0, room_mw=[room_mw, 0.0])
        now_mw = (row["work_gpu"][0]) / 1e3
        assert now_mw <= drawn_mw + room_mw + 1e-9
        assert now_mw == 0.0 or now_mw >= part * 0.1 - 1e-9
        drawn_mw = now_mw


def test_a_job_begins_with_a_part_and_does_all_of_its_work():
    """20 kW a second let in, from the first exchange after it comes: after five of them it is whole."""
    run = Run(one_job(load_s=0.0, checkpoint_every_s=None), [200.0, 1.0], parts_pu=0.2, **SITE)
    run.go(10.0, room_mw=[0.02, 0.0])
    work = [row["work_gpu"][0] for row in run.rows]
    assert work[:7] == pytest.approx([0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 100.0])
    run.go(3620.0, dt_s=10.0, room_mw=[0.02, 0.0])
    books = run.books()
    assert books["done_gpu_s"] == pytest.approx(books["arrived_gpu_s"], rel=1e-12)


def test_a_part_that_loads_draws_no_more_than_was_let_in():
    run = Run(one_job(load_s=30.0), [200.0, 1.0], parts_pu=0.1, **SITE)
    row = run.go(2.0, room_mw=[0.02, 0.0])
    assert row["work_gpu"][0] == pytest.approx(20.0)  # loading would be 35 of its 100 accelerators


def test_what_starts_whole_waits_and_is_told_once_with_both_numbers():
    run = Run(one_job(), [200.0, 1.0], **SITE)
    run.go(30.0, room_mw=[0.04, 0.0])
    assert run.rows[-1]["running_count"][0] == 0
    assert run.told("job_held") == [
        "job 0 waits: 0.04 MW of 0.1 MW may be added at once, and it starts whole"
    ]


@pytest.mark.parametrize("dt_s", [0.5, 1.0, 5.0])
def test_what_needs_no_leave_is_so_much_in_a_minute_however_long_exchanges_are(dt_s):
    """Twenty jobs of 10 kW and 30 kW a minute: three at once, and three in each minute from then on."""
    fleet = one_job(jobs_count=20, gpus_median_gpu=10.0, load_s=0.0)
    run = Run(fleet, [400.0, 1.0], gpu_kw=1.0, guarded=True, guard_above_mw=0.03)
    run.go(150.0, dt_s=dt_s)
    running = np.array([row["running_count"][0] for row in run.rows])
    at = (np.array([10.0, 70.0, 150.0]) / dt_s).astype(int) - 1
    assert running[at] == pytest.approx([3.0, 6.0, 10.0], abs=1.0)
