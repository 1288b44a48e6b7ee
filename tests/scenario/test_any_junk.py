"""Whatever stands in a scenario file, the answer is a plan or a message for its author, never a traceback."""

import contextlib
import copy
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError
from cosim.scenario.source import dump, parse

GOOD = parse(
    """
title: a
start: 2025-08-06T20:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10, windows: [{from_s: 300, to_s: 400, step_s: 1}]}
grid: {case: three}
units:
  sky: {component: weather}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, sky: sky, late: {p_cap_mw: [cells.p_mw]}}
  work: {component: demand, mean_gpu: 6e4, serves: [hefei]}
  cells: {component: battery, at: hefei_220, p_rated_mw: 1, e_rated_mwh: 2, follows: hefei}
  boss: {component: control, late: {busy_gpu: hefei.busy_gpu}, inputs: {soc_pu: cells.soc_pu}}
  curve: {component: profile, drives: prefecture}
events:
  - {at_s: 10, spike: {unit: work, factor_pu: 2}}
  - {at_s: 20, trip: {element: suixi_xiangjian_1}}
  - {at_s: 30, set: {unit: cells, p_order_mw: 5}}
limits: [cn]
expect: [{kpi: vm_min_pu, at: hefei, equals: 1, tolerance: 0.1, because: a}]
""",
    "good",
).data


def places(data, path=()):
    """Yield the path of every value."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "hefei", "work", "grid", "a.b", "hefei.p_mw", "cells.soc_pu", ".", "x" * 200, "中文"]
    ),
    st.sampled_from([[], {}, [None], [[]], {"a": 1}, {"unit": "work"}, ["hefei", "hefei"], [{}], [1, 2]]),
)
CHANGES = st.lists(st.tuples(st.sampled_from(sorted(places(GOOD), key=str)), JUNK), min_size=1, max_size=3)


def put(data, path, value):
    """Replace one value, if its place is still there."""
    for key in path[:-1]:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(data, dict) or (
        isinstance(data, list) and isinstance(path[-1], int) and path[-1] < len(data)
    ):
        data[path[-1]] = copy.deepcopy(value)


def answer(text, models, folder) -> str:
    """Return the message a text causes, empty when it is a scenario."""
    with contextlib.chdir(folder):
        Path("junk.yaml").write_text(text, encoding="utf-8")
        try:
            prepare("junk.yaml", **models)
        except ScenarioError as error:
            return str(error)
    return ""


def test_what_is_changed_below_was_right(models, tmp_path):
    assert answer(dump(GOOD), models, tmp_path) == ""


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_any_value_anywhere_is_accepted_or_refused_with_its_place(models, tmp_path, changes):
    data = copy.deepcopy(GOOD)
    for path, value in changes:
        put(data, path, value)
    for line in answer(dump(data), models, tmp_path).splitlines():
        assert line.startswith("junk.yaml:")


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_accepted_or_refused(models, tmp_path, text):
    assert answer(text, models, tmp_path)
