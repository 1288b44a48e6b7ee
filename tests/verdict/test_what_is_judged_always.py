"""Loss of voltage, no solution and doubts of the run itself count whatever limits are named."""

import numpy as np
import pytest
from made_run import made_run

from cosim.kpi import compute
from cosim.report.head import badge, headline
from cosim.results import Event, TableSpec, Writer, load
from cosim.verdict import Limit, LimitSet, judge


def finding(verdict, wanted):
    return next(f for f in (*verdict.findings, *verdict.held) if f.id == wanted)


@pytest.mark.parametrize("limits", [["cn"], []])
def test_a_hall_without_supply_from_the_first_exchange_fails(tmp_path, limits):
    verdict = judge(made_run(tmp_path, without_voltage=("hefei_500",)), limits)
    dead = finding(verdict, "without_voltage")
    assert not verdict.passed
    assert (dead.element, dead.t_s, dead.severity, dead.lasted_s) == ("hefei_500", 0.0, "fail", 1200.0)
    assert dead.elements == ("hefei_500",)


def test_a_bus_that_nothing_hangs_on_and_that_never_had_a_voltage_is_out_of_service(tmp_path):
    verdict = judge(made_run(tmp_path, without_voltage=("wuhu_500",)), ["cn"])
    assert verdict.passed
    assert "without_voltage" not in [f.id for f in verdict.findings]


def test_a_bus_that_loses_its_voltage_warns_when_nothing_is_supplied_there(tmp_path):
    run = made_run(tmp_path, without_voltage=("wuhu_500",), without_voltage_s=(300.0, 400.0))
    lost = finding(judge(run, ["cn"]), "without_voltage")
    assert (lost.severity, lost.t_s, lost.lasted_s) == ("warn", 300.0, 100.0)


def test_a_unit_that_sees_no_voltage_fails_also_where_no_bus_was_recorded(tmp_path):
    run = made_run(tmp_path, without_voltage=("hefei_500",), tables=("point", "grid"), end_s=60.0)
    dead = finding(judge(run, []), "without_voltage")
    assert (dead.element, dead.t_s, dead.severity) == ("hefei", 0.0, "fail")


@pytest.mark.parametrize("at", ["hefei_500", "hefei"])
@pytest.mark.parametrize(("at_most", "passed"), [(100.0, True), (99.0, False)])
def test_an_outage_that_is_expected_is_judged_by_its_bound(tmp_path, at, at_most, passed):
    run = made_run(tmp_path, without_voltage=("hefei_500",), without_voltage_s=(300.0, 400.0))
    verdict = judge(run, [], [{"kpi": "outage_max_s", "at": at, "at_most": at_most}])
    told = finding(verdict, "expect_1_outage_max_s")
    assert (told.value, told.t_s, verdict.passed) == (100.0, 300.0, passed)
    assert "without_voltage" not in [f.id for f in verdict.findings]


def test_an_outage_that_is_expected_elsewhere_still_fails(tmp_path):
    run = made_run(tmp_path, without_voltage=("hefei_500",), without_voltage_s=(300.0, 400.0))
    verdict = judge(run, [], [{"kpi": "outage_max_s", "at": "wuhu_500", "at_most": 100.0}])
    assert finding(verdict, "without_voltage").element == "hefei_500"


def test_a_place_that_never_had_a_voltage_meets_no_expected_outage(tmp_path):
    run = made_run(tmp_path, without_voltage=("hefei_500",))
    verdict = judge(run, [], [{"kpi": "outage_max_s", "at": "hefei_500", "at_most": 1e6}])
    assert finding(verdict, "expect_1_outage_max_s").outcome == "unknown"


def test_an_exchange_without_solution_fails_whatever_the_limits(tmp_path):
    run = made_run(tmp_path, unsolved_s=(500.0, 505.0))
    frequency = LimitSet(title="frequency only", limits=(_frequency_limit(),))
    for limits in ([], [frequency], ["cn"]):
        verdict = judge(run, limits)
        collapse = finding(verdict, "power_flow_solution")
        assert not verdict.passed
        assert (collapse.outcome, collapse.t_s, collapse.lasted_s) == ("violated", 500.0, 10.0)
        assert "largest mismatch at bengbu_220" in collapse.cause
        assert collapse.sentence().startswith("The power flow has no solution at 500 s: ")
        assert "First violation:</b> The power flow has no solution at <b>grid</b>" in headline(verdict, "")


def _frequency_limit():
    return Limit(
        id="f",
        title="frequency",
        quantity={"table": "area", "column": "f_hz"},
        at_least=40.0,
        clause={"document": "test"},
        status="derived",
    )


def test_a_pass_without_limits_says_that_nothing_was_judged(tmp_path):
    verdict = judge(made_run(tmp_path), [])
    assert verdict.passed
    assert not verdict.judged
    assert verdict.summary() == (
        "PASS: no limits and no expectations were given; the run is complete and solved in every exchange, "
        "nothing else was judged"
    )
    assert "nothing else was judged" in headline(verdict, "")
    assert "judged by no limit" in badge(verdict)


def test_a_pass_where_no_limit_applies_says_so(tmp_path):
    writer = Writer(tmp_path, {"electrolyser": TableSpec(("e1",), ("p_mw",))})
    writer.append(0.0, 1.0, {"electrolyser": {"p_mw": np.array([1.0])}})
    writer.close()
    (tmp_path / "manifest.json").write_text('{"status": "complete"}', encoding="utf-8")
    verdict = judge(load(tmp_path), ["cn"])
    count = len(verdict.limits)
    assert verdict.summary().startswith(f"PASS: none of the {count} limits applies to this run")


def test_an_expectation_that_is_met_is_judged(tmp_path):
    verdict = judge(made_run(tmp_path), [], [{"kpi": "vm_min_pu", "at_least": 0.9}])
    assert verdict.summary().startswith("PASS: 1 limits and expectations hold; closest: Expected")


def test_what_pandapower_does_not_confirm_is_a_warning_with_time_and_words(tmp_path):
    said = Event(300.0, "grid", "cross_check", "voltages differ from pandapower's by 0.02 pu")
    verdict = judge(made_run(tmp_path, events=(said,)), ["cn"])
    doubt = finding(verdict, "cross_check")
    assert verdict.passed
    assert (doubt.severity, doubt.t_s) == ("warn", 300.0)
    assert doubt.sentence() == (
        "Results not confirmed by pandapower at 300 s: voltages differ from pandapower's by 0.02 pu"
    )
    assert "0.02 pu" in verdict.table()


def test_a_dispatch_that_could_not_be_followed_is_one_warning_however_often(tmp_path):
    said = [Event(t, "grid", "dispatch_limit", f"{t:g} MW find no plant") for t in (100.0, 700.0)]
    verdict = judge(made_run(tmp_path, events=tuple(said)), [])
    assert [f.cause for f in verdict.warnings] == ["100 MW find no plant (and 1 more)"]
    assert not verdict.judged


def test_an_overloaded_three_winding_transformer_fails_and_leads_the_kpi(tmp_path):
    run = made_run(tmp_path, loading3w_percent=130.0)
    first = judge(run, ["cn"]).first
    assert (first.id, first.element, first.value) == ("trafo3w_loading", "bengbu_3w", 130.0)
    assert compute(run, "loading_max_percent") == 130.0
    assert compute(run, "loading_max_percent", "bengbu_3w") == 130.0
