"""Hand-overs: work is conserved, phases come when they must, the impossible is refused with numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.handover import NO_LIMIT_GPU, PHASES, Handover, HandoverParams, Migrate

FLOWS = ("work_given_gpu", "work_source_gpu", "work_target_gpu", "work_overhead_gpu", "double_running_gpu")


def params(**changes: object) -> HandoverParams:
    return HandoverParams(work="chat", source="hefei", target="huaibei", **changes)


def handover(events: list | None = None, **changes: object) -> Handover:
    unit = Handover([params(**changes)])
    emit = (lambda *event: events.append(event)) if events is not None else (lambda *event: None)
    unit.reset(Context(names=("handover",), emit=emit))
    return unit


def inputs(work_gpu=1000.0, target_gpu=NO_LIMIT_GPU, offered_target_gpu=0.0):
    values = {
        "work_in_gpu": work_gpu,
        "capacity_source_gpu": NO_LIMIT_GPU,
        "capacity_target_gpu": target_gpu,
        "offered_source_gpu": 0.0,
        "offered_target_gpu": offered_target_gpu,
    }
    return {name: np.array([value]) for name, value in values.items()}


def run(unit, steps_s, orders=(), **fixed):
    """Step through `steps_s` from 0; hand over (at_s, share_pu, over_s) at the first step not before."""
    t_s, waiting, rows = 0.0, sorted(orders), []
    for dt_s in steps_s:
        while waiting and waiting[0][0] <= t_s + 1e-9:
            _, share_pu, over_s = waiting.pop(0)
            unit.command(t_s, 0, "migrate", Migrate(share_pu=share_pu, over_s=over_s))
        out = unit.step(t_s, dt_s, inputs(**fixed))
        rows.append({"t_s": t_s, "dt_s": dt_s, **{name: float(value[0]) for name, value in out.items()}})
        t_s += dt_s
    return rows


def integrals(rows):
    return {name: sum(row[name] * row["dt_s"] for row in rows) for name in FLOWS}


def test_handover_keeps_the_contract():
    units = [params(), params(moved_start_pu=0.4, drain="linear")]
    assert list(check_component(Handover, units, dt_s=10.0, levels={"work_in_gpu": 1000.0})) == []


def test_hefei_hands_all_its_work_to_huaibei_in_three_minutes():
    events: list = []
    rows = run(handover(events), [1.0] * 300, [(60.0, 1.0, 180.0)])
    assert rows[59]["moved_pu"] == 0.0
    assert rows[239]["moved_pu"] == 1.0
    assert rows[299]["work_source_gpu"] == 0.0
    assert rows[299]["work_target_gpu"] == pytest.approx(1000.0, rel=1e-12)
    starts = [(event[0], event[3]) for event in events if event[2] == "phase"]
    # 60 s warm-up, 141 GB at 100 Gbit/s = 11.28 s, drain until 16 s before the end, 15 s double, 1 s cut
    expected = (60.0, 120.0, 131.28, 224.0, 239.0, 240.0)
    assert_allclose([at_s for at_s, _ in starts], expected, rtol=1e-12)
    assert [text for _, text in starts] == [PHASES[k] for k in range(1, 7)]


def test_machines_at_huaibei_end_half_as_loaded_again():
    # published anchor: single-machine load +50 % after three minutes; here the arriving work is half
    # of what the target does already, all of it there after 180 s and none of it twice
    own_gpu = 2000.0
    rows = run(handover(reserved_target_gpu=own_gpu), [60.0] * 10, [(0.0, 1.0, 180.0)], target_gpu=4000.0)
    rises = [(row["work_target_gpu"] + own_gpu) / own_gpu for row in rows]
    assert rises[-1] == pytest.approx(1.5, rel=1e-12)
    assert rows[2]["moved_pu"] == 1.0


def test_a_training_state_of_6494_gb_does_not_pass_100_gbit_per_s_in_three_minutes():
    unit = handover(state_gb=6494.0)
    with pytest.raises(ScenarioError) as refused:
        unit.command(0.0, 0, "migrate", Migrate(share_pu=1.0, over_s=180.0))
    text = str(refused.value)
    assert "over_s = 180 is too short, 655.5 s are needed" in text
    assert "copy 519.5 s (6494 GB at 100 Gbit/s" in text
    assert run(unit, [60.0])[0]["phase_code"] == 0.0  # nothing began


def test_a_bare_copy_of_that_state_takes_520_s_and_130_s_on_four_lines():
    bare = {"warm_up_s": 0.0, "drain_s": 0.0, "double_running_s": 0.0, "cut_over_s": 0.0}
    assert params(state_gb=6494.0, **bare).least_s() == pytest.approx(520.0, rel=2e-3)
    faster = params(state_gb=6494.0, bandwidth_gbit_per_s=400.0, **bare)
    assert faster.least_s() == pytest.approx(130.0, rel=2e-3)


def test_a_copy_that_overlaps_the_warm_up_shortens_the_move_by_it():
    apart, together = params(state_gb=500.0), params(state_gb=500.0, overlap_pu=1.0)
    assert apart.least_s() - together.least_s() == pytest.approx(40.0)  # 500 GB take 40 s, within 60 s


@pytest.mark.parametrize(
    ("orders", "says"),
    [
        ([(0.0, 0.5, 180.0), (60.0, 0.2, 180.0)], "the last move lasts until t_s = 180"),
        ([(0.0, 0.8, 180.0), (240.0, 0.4, 180.0)], "0.8 of the work is at huaibei, 0.2 at hefei"),
        ([(0.0, -0.1, 180.0)], "0 of the work is at huaibei, 1 at hefei"),
    ],
)
def test_orders_that_cannot_be_are_refused_and_say_why(orders, says):
    with pytest.raises(ScenarioError, match=says):
        run(handover(), [60.0] * 10, orders)


def test_work_comes_back_as_it_went():
    rows = run(handover(cut_over_s=0.0), [60.0] * 10, [(0.0, 0.6, 180.0), (240.0, -0.6, 180.0)])
    assert rows[3]["moved_pu"] == pytest.approx(0.6)
    assert rows[-1]["moved_pu"] == pytest.approx(0.0, abs=1e-12)
    there = integrals(rows[0:4])["work_target_gpu"] - integrals(rows[0:4])["work_overhead_gpu"]
    back = integrals(rows[4:8])["work_source_gpu"] - integrals(rows[4:8])["work_overhead_gpu"]
    # the way back mirrors the way there: what the target gained, the source gains, 0.4 it kept anyway
    assert back - 0.4 * 240e3 == pytest.approx(there, rel=1e-12)


def test_warm_up_burns_gpus_at_the_destination_only():
    there, back = run(handover(), [60.0] * 8, [(0.0, 0.5, 180.0), (240.0, -0.5, 180.0)])[0::4]
    assert there["work_overhead_gpu"] == pytest.approx(0.35 * 500.0)
    assert there["work_target_gpu"] == pytest.approx(0.35 * 500.0)
    assert back["work_source_gpu"] == pytest.approx(500.0 + 0.35 * 500.0)


def test_double_running_loads_the_origin_a_second_time():
    rows = run(handover(double_running_s=30.0, double_running_pu=0.5), [1.0] * 240, [(0.0, 1.0, 180.0)])
    assert integrals(rows)["double_running_gpu"] == pytest.approx(30.0 * 0.5 * 1000.0, rel=1e-9)
    assert rows[160]["work_source_gpu"] == pytest.approx(500.0)


def test_training_waits_while_its_state_travels_and_catches_up():
    unit = handover(stops_during_transfer=True, state_gb=1130.0, drain_s=0.0)
    rows = run(unit, [1.0] * 600, [(0.0, 1.0, 180.0)])
    waited = max(row["backlog_gpu_h"] for row in rows)
    assert waited == pytest.approx(1000.0 * (90.4 + 1.0) / 3600.0, rel=1e-9)  # 1130 GB at 100 Gbit/s
    assert rows[-1]["backlog_gpu_h"] == 0.0
    assert rows[300]["work_target_gpu"] == pytest.approx(1500.0)  # works off at +50 %


def test_what_does_not_fit_the_target_waits_and_is_done_when_there_is_room():
    unit = handover()
    rows = run(unit, [60.0] * 5, [(0.0, 1.0, 180.0)], target_gpu=800.0)
    assert rows[-1]["work_target_gpu"] == pytest.approx(800.0)
    grew = rows[-1]["backlog_gpu_h"] - rows[-2]["backlog_gpu_h"]
    assert grew == pytest.approx(200.0 * 60.0 / 3600.0, rel=1e-9)
    backlog = rows[-1]["backlog_gpu_h"]
    out = unit.step(300.0, 60.0, inputs(target_gpu=1300.0))
    assert out["work_target_gpu"][0] == pytest.approx(1300.0)
    assert backlog - out["backlog_gpu_h"][0] == pytest.approx(300.0 * 60.0 / 3600.0, rel=1e-9)


def test_other_work_at_the_target_leaves_less_room():
    unit = handover()
    unit.command(0.0, 0, "migrate", Migrate(share_pu=1.0, over_s=180.0))
    given_gpu, others_gpu, taken = 0.0, 700.0, []
    for step in range(10):
        offered_gpu = given_gpu + others_gpu if step else 0.0  # what the hall was given an exchange ago
        out = unit.step(60.0 * step, 60.0, inputs(target_gpu=1500.0, offered_target_gpu=offered_gpu))
        given_gpu = float(out["work_target_gpu"][0])
        taken.append(given_gpu)
    assert_allclose(taken[4:], 800.0, rtol=1e-12)  # 1500 the target can do, less 700 of others
    assert out["backlog_gpu_h"][0] > 0.0


def test_the_end_of_a_backlog_is_told_when_it_happens_not_when_the_step_ends():
    events: list = []
    run(handover(events), [600.0], [(0.0, 1.0, 180.0)])
    gone = [event for event in events if event[2] == "backlog"]
    # 1 s of cut-over leaves 1000 GPU s; at +50 % they are gone 2 s after the move ended at 180 s
    assert len(gone) == 1
    assert gone[0][0] == pytest.approx(182.0, rel=1e-12)


drains = st.sampled_from(["linear", "exponential"])
steps = st.lists(st.sampled_from([0.1, 1.0, 7.5, 60.0, 600.0]), min_size=5, max_size=60)
moves = st.lists(
    st.tuples(st.floats(0.0, 3000.0), st.floats(-1.0, 1.0).filter(bool), st.floats(60.0, 900.0)), max_size=6
)


@settings(deadline=None, max_examples=60)  # the first call compiles
@given(
    steps=steps,
    moves=moves,
    drain=drains,
    stops=st.booleans(),
    start=st.floats(0.0, 1.0),
    target_gpu=st.sampled_from([0.0, 300.0, 900.0, NO_LIMIT_GPU]),
    work=st.lists(st.floats(0.0, 2000.0), min_size=60, max_size=60),
)
def test_no_work_is_lost_or_made_whatever_is_ordered(*, steps, moves, drain, stops, start, target_gpu, work):
    unit = handover(drain=drain, stops_during_transfer=stops, moved_start_pu=start)
    t_s, before, waiting = 0.0, 0.0, sorted(moves)
    for dt_s, work_gpu in zip(steps, work, strict=False):
        while waiting and waiting[0][0] <= t_s:
            order = waiting.pop(0)
            try:
                unit.command(t_s, 0, "migrate", Migrate(share_pu=order[1], over_s=order[2]))
            except ScenarioError:
                continue  # refused: the law must hold as if it had not been said
        out = unit.step(t_s, dt_s, inputs(work_gpu, target_gpu=target_gpu))
        row = {name: float(value[0]) for name, value in out.items()}
        useful = row["work_source_gpu"] + row["work_target_gpu"]
        useful -= row["work_overhead_gpu"] + row["double_running_gpu"]
        gap = (work_gpu - useful) * dt_s / 3600.0 - (row["backlog_gpu_h"] - before)
        # rounding of sums of a few hundred GPU h in double precision
        assert abs(gap) < 1e-9 * (1.0 + row["backlog_gpu_h"])
        assert min(row[name] for name in FLOWS) >= -1e-9
        assert row["backlog_gpu_h"] >= 0.0
        assert -1e-12 <= row["moved_pu"] <= 1.0 + 1e-12
        t_s, before = t_s + dt_s, row["backlog_gpu_h"]


@settings(deadline=None, max_examples=30)
@given(
    share=st.floats(0.05, 1.0),
    over_s=st.floats(150.0, 1500.0),
    drain=drains,
    target_gpu=st.sampled_from([250.0, 900.0, NO_LIMIT_GPU]),
    double_s=st.floats(0.0, 30.0),
    cut_s=st.floats(0.0, 5.0),
)
def test_one_long_step_equals_many_short_ones(*, share, over_s, drain, target_gpu, double_s, cut_s):
    changes = {"drain": drain, "double_running_s": double_s, "cut_over_s": cut_s, "drain_s": 10.0}
    orders = [(0.0, share, over_s)]
    ways = [
        run(handover(**changes), [dt_s] * int(1800 / dt_s), orders, target_gpu=target_gpu)
        for dt_s in (1.0, 60.0, 1800.0)
    ]
    sums = [integrals(rows) for rows in ways]
    for name in FLOWS:
        # the pieces are closed forms: only the rounding of 1800 sums remains
        assert_allclose([s[name] for s in sums], sums[0][name], rtol=1e-9, atol=1e-6)
    ends = [rows[-1] for rows in ways]
    for name in ("backlog_gpu_h", "moved_pu", "phase_code"):
        assert_allclose([row[name] for row in ends], ends[0][name], rtol=1e-9, atol=1e-9)


def test_reset_forgets_a_move_under_way():
    unit = handover()
    run(unit, [60.0] * 2, [(0.0, 1.0, 180.0)])
    unit.reset(Context())
    row = run(unit, [60.0])[0]
    assert (row["moved_pu"], row["phase_code"], row["work_source_gpu"]) == (0.0, 0.0, 1000.0)


def test_an_order_can_be_judged_before_the_run():
    unit = handover(state_gb=6494.0)
    assert unit.refusal(0, Migrate(share_pu=1.0, over_s=700.0)) is None
    assert "655.5 s are needed" in str(unit.refusal(0, Migrate(share_pu=1.0, over_s=180.0)))
