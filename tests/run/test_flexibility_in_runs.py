"""Ranges and orders through a whole run: asked for, recorded, settled at the meter, shown."""

import json

import pytest
from numpy.testing import assert_allclose
from page_data import data_of

from cosim import kpi
from cosim.assemble import prepare
from cosim.core.errors import ScenarioError
from cosim.outcome import judged_run
from cosim.report import write_report

BODY = """
title: A battery and a wind farm are ordered what they publish
start: 2025-07-10T19:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10}
grid: {case: two_bus}
units:
  bess: {component: battery, at: b, p_rated_mw: 20, e_rated_mwh: 8}
  wind: {component: must_take, at: a, kind: wind, p_rated_mw: 30}
events:
  - {at_s: 60, activate: {unit: bess, p_mw: -30, duration_s: 120}}
  - {at_s: 60, activate: {unit: wind, p_mw: 12, duration_s: 120}}
expect:
  - {kpi: delivered_share_pu, at_least: 0.99, because: a promise lies within the range}
"""
ASKED = BODY + "flexibility: {every_s: 60, horizon_s: 300}\n"


def plan(text, tmp_path):
    path = tmp_path / "flexible.yaml"
    path.write_text(text, encoding="utf-8")
    return prepare(path)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flexible")
    return judged_run(plan(ASKED, folder), folder)


def test_the_table_holds_what_units_last_said(outcome):
    down = outcome.results.series("flexibility", "down_mw")
    assert list(down.columns) == ["bess", "wind"]
    assert down["bess"].loc[0:50].nunique() == 1, "asked once a minute"
    assert_allclose(down["bess"].iloc[0], 20.0)
    assert_allclose(down["bess"].loc[60], 0.0, err_msg="it keeps a promise")
    assert_allclose(outcome.results.series("flexibility", "up_mw")["wind"].iloc[0], 30.0)


def test_orders_are_settled_at_the_meter(outcome):
    """From the power each said it would draw, which has the standby of the battery in it."""
    orders = kpi.orders(outcome.results).set_index("name")
    assert_allclose(orders["promised_mw"], [-20.0, 12.0])
    assert_allclose(orders["delivered_mw"], [-20.0, 12.0], rtol=5e-3)
    assert orders.loc["bess", "asked_mw"] == -30.0
    assert_allclose(orders.loc["bess", "baseline_mw"], 0.04)
    assert_allclose(orders.loc["wind", "response_s"], 30.0), "24 s of ramp, in steps of 10 s"
    kinds = list(outcome.results.events["kind"])
    assert kinds.count("promise") == 2
    assert kinds.count("order_clipped") == 1
    assert (outcome.results.path / "orders.csv").is_file()


def test_kpis_and_report_tell_them(outcome):
    assert_allclose(kpi.compute(outcome.results, "delivered_share_pu"), 1.0, atol=2e-3)
    assert kpi.compute(outcome.results, "response_time_max_s") == 30.0
    assert kpi.compute(outcome.results, "response_time_max_s", "bess") == 10.0
    assert "delivered_share_pu@wind" in kpi.compute_all(outcome.results)
    path = outcome.results.path / "report.html"
    write_report(outcome.results, outcome.verdict, path)
    text = path.read_text(encoding="utf-8")
    assert "Feasible range of bess" in json.dumps(data_of(text))
    assert "Promised and delivered" in text


def test_a_run_that_does_not_ask_has_no_table(tmp_path):
    results = judged_run(plan(BODY.replace("at_s: 60", "at_s: 500"), tmp_path), tmp_path).results
    assert "flexibility" not in results.tables
    assert len(kpi.orders(results)) == 2


def test_a_component_of_its_own_process_keeps_promises_too(tmp_path):
    text = BODY.replace("e_rated_mwh: 8}", "e_rated_mwh: 8, process: true}")
    orders = kpi.orders(judged_run(plan(text, tmp_path), tmp_path).results).set_index("name")
    assert_allclose(orders.loc["bess", "delivered_mw"], -20.0, rtol=5e-3)


def test_what_cannot_be_asked_is_told_at_once(tmp_path):
    text = ASKED.replace("every_s: 60", "every_s: 45").replace("8}", "8, process: true}")
    with pytest.raises(ScenarioError) as error:
        plan(text, tmp_path)
    assert "flexibility.every_s = 45: is not a multiple of clock.step_s = 10" in str(error.value)
    assert "units.bess.process = true: a process of its own does not tell its range" in str(error.value)


def test_somebody_must_have_a_range(tmp_path):
    head, _, rest = ASKED.partition("units:")
    text = head + "units:\n  sun: {component: profile, shape: anhui_pv_summer, relative_to: peak}\n"
    with pytest.raises(ScenarioError, match="no unit says its range: profile do not"):
        plan(text + rest[rest.index("flexibility:") :], tmp_path)
