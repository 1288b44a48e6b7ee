import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_run import COLUMNS, made_run

from cosim.core.errors import ScenarioError
from cosim.verdict import Limit, LimitSet, judge
from cosim.verdict.judge import _nearest, lasting, margins

TRIP_S = 600.0


def one_limit(**more):
    base = {
        "id": "one",
        "title": "one limit",
        "quantity": {"table": "bus", "column": "vm_pu"},
        "clause": {"document": "test"},
        "status": "derived",
    }
    return LimitSet(title="test", limits=(Limit(**{**base, **more}),))


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="module")
def tripped(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("tripped"), trip_at_s=TRIP_S)


def test_a_run_within_all_limits_passes_and_tells_what_came_closest(quiet):
    verdict = judge(quiet, ["cn"])
    assert verdict.passed
    assert verdict.first is None
    assert verdict.summary().startswith("PASS")
    assert verdict.held[0].margin >= 0.0
    assert verdict.held[0].element


def test_an_overloaded_line_is_named_with_time_limit_margin_and_duration(tripped):
    verdict = judge(tripped, ["cn"])
    first = verdict.first
    assert not verdict.passed
    assert (first.id, first.element, first.t_s) == ("line_loading", "bengbu_huaibei_2", TRIP_S)
    assert first.where == "line, 220 kV"
    assert first.value == pytest.approx(116.6, abs=0.01)
    assert first.limit == 100.0
    assert first.margin == pytest.approx(-16.6, abs=0.01)
    assert first.lasted_s == 600.0


def test_the_cause_names_the_actions_the_moved_megawatts_and_the_branch_that_went_out(tripped):
    cause = judge(tripped, ["cn"]).first.cause
    assert "migrate of move (share_pu 0.67) at 60 s" in cause
    assert "trip bengbu_huaibei_1 at 600 s" in cause
    assert "+400 MW at huaibei" in cause
    assert "bengbu_huaibei_1 carried 265 MW before it went out" in cause
    assert "flow here 265 to 530 MW" in cause


def test_a_limit_broken_from_the_start_is_not_blamed_on_anything(quiet):
    verdict = judge(quiet, [one_limit(at_most=1.0)])
    assert verdict.first.t_s == 0.0
    assert verdict.first.cause == "already so in the first exchange, before anything happened"


def test_a_warning_does_not_fail_the_verdict(quiet):
    verdict = judge(quiet, [one_limit(at_most=1.0, severity="warn")])
    assert verdict.passed
    assert [f.id for f in verdict.warnings] == ["one"]


def test_a_missing_value_never_counts_as_satisfied(tmp_path):
    run = made_run(tmp_path, unsolved_s=(500.0,))
    verdict = judge(run, [one_limit(at_least=0.5)])
    assert not verdict.passed
    one = next(f for f in verdict.findings if f.id == "one")
    assert (one.outcome, one.t_s, one.unknown_s) == ("unknown", 500.0, 5.0)
    assert "largest mismatch at bengbu_220" in one.cause


def test_an_expectation_with_missing_values_is_not_met(tmp_path):
    run = made_run(tmp_path, unsolved_s=(500.0,))
    verdict = judge(run, [], [{"kpi": "vm_min_pu", "at_least": 0.5, "because": "test"}])
    assert [f.outcome for f in verdict.findings if f.kind == "expectation"] == ["unknown"]


@pytest.mark.parametrize("status", ["failed", "running"])
def test_an_incomplete_run_never_passes(tmp_path, status):
    verdict = judge(made_run(tmp_path, status=status), [])
    assert not verdict.passed
    assert verdict.first.id == "complete"


def test_a_run_that_died_before_its_first_exchange_is_judged_all_the_same(tmp_path):
    verdict = judge(made_run(tmp_path, end_s=0.0, status="failed"), ["cn"])
    assert not verdict.passed


def test_a_breach_shorter_than_allowed_is_no_violation(quiet):
    swing_s = 60.0  # the frequency dip below 49.95 Hz of the made-up run lasts less than this
    frequency = {"table": "area", "column": "f_hz"}
    assert not judge(quiet, [one_limit(quantity=frequency, at_least=49.95)]).passed
    assert judge(quiet, [one_limit(quantity=frequency, at_least=49.95, over_s=swing_s)]).passed


def test_the_spread_of_voltages_adds_deviations_of_both_signs(tmp_path):
    run = made_run(tmp_path, trip_at_s=TRIP_S)
    spread = {"table": "bus", "column": "vm_pu", "measure": "spread", "names": ["huaibei_220"]}
    held = judge(run, [one_limit(quantity=spread, at_most=0.10)]).held[0]
    assert held.value == pytest.approx(0.01 + 0.04, abs=1e-9)  # +1 % at the start, -4 % after the trip


def test_filters_by_voltage_choose_elements(tripped):
    low = {"table": "bus", "column": "vm_pu", "vn_kv_at_most": 20}
    assert judge(tripped, [one_limit(quantity=low, at_least=0.5)]).held[0].element == "合肥_10"


def test_expectations_are_judged_from_mappings_and_objects_alike(tripped):
    wanted = {"kpi": "vm_min_pu", "at": "huaibei_220", "at_least": 0.97, "because": "test"}
    for expectation in (wanted, SimpleNamespace(**wanted)):
        verdict = judge(tripped, [], [expectation])
        assert verdict.first.value == pytest.approx(0.96, abs=1e-12)
        assert verdict.first.t_s == TRIP_S
        assert verdict.first.remark == "test"


def test_equals_has_a_tolerance_on_both_sides(quiet):
    def met(equals, tolerance):
        return judge(quiet, [], [{"kpi": "tap_moves_count", "equals": equals, "tolerance": tolerance}]).passed

    assert met(2.0, 0.0)
    assert met(2.5, 0.5)
    assert not met(3.0, 0.5)
    assert not met(1.0, 0.5)


def test_a_limit_on_what_the_run_does_not_have_is_listed_and_not_held(tmp_path):
    run = made_run(tmp_path, tables=tuple(t for t in COLUMNS if t not in ("gpu_hall", "battery", "handover")))
    verdict = judge(run, ["cn"])
    assert "hall_die" in [f.id for f in verdict.not_applicable]
    assert "hall_die" not in [f.id for f in verdict.held]


def test_a_misspelt_column_or_key_is_the_authors_error(quiet):
    with pytest.raises(ScenarioError, match="did you mean 'vm_pu'"):
        judge(quiet, [one_limit(quantity={"table": "bus", "column": "vm_p"}, at_least=0.9)])
    with pytest.raises(ScenarioError, match="unknown keys at_lest"):
        judge(quiet, [], [{"kpi": "vm_min_pu", "at_lest": 0.9}])


def test_verdict_json_and_text_tell_the_same(tripped, tmp_path):
    verdict = judge(tripped, ["cn"])
    verdict.write(tmp_path / "verdict.json")
    content = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert content["passed"] is False
    assert content["findings"][0]["element"] == "bengbu_huaibei_2"
    assert content["limits"][0]["clause"]["document"]
    assert "bengbu_huaibei_2" in verdict.table()
    assert "116.6 %" in verdict.table()


def test_findings_are_sorted_by_time(tmp_path):
    run = made_run(tmp_path, trip_at_s=TRIP_S, unsolved_s=(300.0,))
    times = [f.t_s for f in judge(run, ["cn"]).findings]
    assert times == sorted(times)
    assert times[0] == 300.0


@given(
    arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 3))),
    st.floats(0.0, 50.0),
)
def test_lasting_keeps_whole_stretches_longer_than_allowed_and_nothing_else(broken, over_s):
    dt_s = np.full(broken.shape[0], 3.0)
    kept = lasting(broken, dt_s, over_s)
    assert not np.any(kept & ~broken)
    for column in range(broken.shape[1]):
        text = "".join("x" if b else "." for b in broken[:, column])
        expected = [len(part) * 3.0 > over_s for part in text.split(".") if part]
        found = [
            k for part, k in zip(text.split("."), _stretches(text, kept[:, column]), strict=True) if part
        ]
        assert found == expected


def _stretches(text, kept):
    position, out = 0, []
    for part in text.split("."):
        out.append(bool(part) and bool(kept[position]))
        position += len(part) + 1
    return out


@given(arrays(np.float64, (5, 2), elements=st.floats(-2, 2)), st.floats(-1, 0), st.floats(0, 1))
def test_margin_is_negative_exactly_outside_the_bounds(values, low, high):
    outside = (values < low) | (values > high)
    np.testing.assert_array_equal(margins(values, low, high) < 0.0, outside)


def test_a_dip_that_ends_in_an_outage_is_not_the_closest_to_a_limit_on_lasting_dips():
    margin = np.tile([0.2, 0.15], (10, 1))
    margin[2, 0], margin[3:, 0], margin[6, 1] = -0.1, np.nan, 0.1
    row, element = _nearest(margin, np.arange(10.0), 2.0)
    assert (element, margin[row, element]) == (1, 0.15)
