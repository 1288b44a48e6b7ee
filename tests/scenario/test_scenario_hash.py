"""The hash of a scenario: the same for the same content, another one for any change of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.scenario import load, parse
from cosim.scenario.source import dump
from cosim.scenario.source import parse as parse_yaml

BODY = """\
units:
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120}
  work: {component: demand, mean_gpu: 60000, serves: hefei}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("it_rated_mw: 120", "it_rated_mw: 120.0"),
        ("mean_gpu: 60000", "mean_gpu: 6e4"),
        ("at: hefei_220, it_rated_mw: 120", "it_rated_mw: 120, at: hefei_220  "),
        ("serves: hefei}", "serves: hefei}  # a comment"),
        (
            "{component: hall, at: hefei_220, it_rated_mw: 120}",
            "\n    component: hall\n    at: hefei_220\n    it_rated_mw: 120",
        ),
        ("{component: hall, ", "{component: hall, process: false, "),
    ],
)
def test_another_way_of_writing_does_not_change_the_hash(write, models, old, new):
    before = load(write(BODY), **models).hash
    assert load(write(BODY.replace(old, new)), **models).hash == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("it_rated_mw: 120", "it_rated_mw: 121"),
        ("serves: hefei", "serves: [hefei]"),
        ("work:", "labour:"),
        ("units:\n", "limits: []\nunits:\n"),
    ],
)
def test_another_content_changes_the_hash(write, models, old, new):
    before = load(write(BODY), **models).hash
    assert load(write(BODY.replace(old, new)), **models).hash != before


def test_the_order_of_units_is_content_as_it_is_that_of_the_arrays(write, models):
    head, hall, work = BODY.splitlines(keepends=True)
    assert load(write(head + hall + work), **models).hash != load(write(head + work + hall), **models).hash


def test_another_seed_is_another_scenario(write, models):
    name = write(BODY)
    loaded, other = load(name, **models), load(name, changes={"seed": 7}, **models)
    assert other.seed == 7
    assert other.hash != loaded.hash
    assert parse(other.text).seed == 7
    assert loaded.seed == 1


def test_a_child_and_its_resolved_text_are_the_same_scenario(write, models):
    write(BODY, "base.yaml")
    child = load(write("parent: base.yaml\nseed: 5\n", "child.yaml", head=""), **models)
    again = parse(child.text)
    assert again.hash == child.hash
    assert re.fullmatch("[0-9a-f]{64}", child.hash)
    assert (again.start, again.units, again.clock, again.expect) == (
        child.start,
        child.units,
        child.clock,
        child.expect,
    )


def test_start_carries_its_zone(write, models):
    head = "title: a\nstart: 2025-08-06 20:00:00\nzone: Asia/Shanghai\nuntil_s: 600\nseed: 1\n"
    loaded = load(write(head + "clock: {step_s: 10}\ngrid: {case: three}\n" + BODY, head=""), **models)
    assert loaded.start.isoformat() == "2025-08-06T20:00:00+08:00"
    assert str(loaded.start.tzinfo) == "Asia/Shanghai"


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=12)
tricky = st.sampled_from(
    ["1e3", "no", "on", "1:30", "012", "null", "~", ".inf", "2025-08-06", "1_000", "<<", "="]
)
values = st.recursive(
    scalars | texts | tricky,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(texts, v, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_yaml_text_we_write_reads_back_unchanged(data):
    document = parse_yaml(dump(data) if data else "a: 1", "x.yaml")
    assert document.findings == []
    assert document.data == (data or {"a": 1})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0),
        ("6_000", 6000),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("true", True),
        ("", None),
        ("0.5", 0.5),
        ("-3", -3),
        ("2025-08-06", "2025-08-06"),
    ],
)
def test_scalars_mean_what_an_engineer_expects(text, value):
    assert parse_yaml(f"key: {text}", "x.yaml").data == {"key": value}


def test_anchors_merge_and_own_keys_win():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n"
    document = parse_yaml(text, "x.yaml")
    assert document.data["b"] == {"x": 1, "y": 3}
    assert document.findings == []


def test_an_alias_inside_itself_is_told_and_does_not_hang():
    document = parse_yaml("a: &a [*a]\n", "x.yaml")
    assert "nested more than" in document.findings[0].text
