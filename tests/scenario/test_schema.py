"""The JSON schema: up to date, and it lets through what the reader accepts and stops what it refuses."""

import json
import re
from pathlib import Path

import pytest

from cosim.core.places import scenario_folder
from cosim.core.registry import components, grids
from cosim.scenario import shipped
from cosim.scenario.schema import json_schema
from cosim.scenario.source import parse, read

BROKEN = Path(__file__).parent / "broken"

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}


class Checker:
    """The part of JSON schema that ours uses; an unknown keyword is an error, so nothing is skipped."""

    def __init__(self, schema):
        self.root = schema

    def errors(self, value, schema=None, path="") -> list[str]:
        schema = self.root if schema is None else schema
        if schema in (True, False):
            return [] if schema else [f"{path}: not allowed"]
        found = []
        for keyword, rule in schema.items():
            if keyword in ("$schema", "title", "description", "default", "definitions", "then", "else"):
                continue
            name = re.sub("[A-Z]", lambda letter: f"_{letter.group().lower()}", keyword.removeprefix("$"))
            found += getattr(self, f"_{name}")(value, rule, schema, path)
        return found

    def fits(self, value, schema) -> bool:
        return not self.errors(value, schema)

    def _ref(self, value, rule, schema, path):
        return self.errors(value, self.root["definitions"][rule.removeprefix("#/definitions/")], path)

    def _type(self, value, rule, schema, path):
        names = [rule] if isinstance(rule, str) else rule
        for name in names:
            if isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool)):
                return []
        return [f"{path}: is no {rule}"]

    def _enum(self, value, rule, schema, path):
        return [] if value in rule else [f"{path}: {value!r} not in {rule}"]

    def _const(self, value, rule, schema, path):
        return [] if value == rule else [f"{path}: is not {rule!r}"]

    def _pattern(self, value, rule, schema, path):
        return [f"{path}: {value!r}"] if isinstance(value, str) and not re.search(rule, value) else []

    def _min_length(self, value, rule, schema, path):
        return [f"{path}: too short"] if isinstance(value, str) and len(value) < rule else []

    def _bound(self, value, path, wrong):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return [f"{path}: {value} out of bounds"] if is_number and wrong(value) else []

    def _minimum(self, value, rule, schema, path):
        return self._bound(value, path, lambda v: v < rule)

    def _maximum(self, value, rule, schema, path):
        return self._bound(value, path, lambda v: v > rule)

    def _exclusive_minimum(self, value, rule, schema, path):
        return self._bound(value, path, lambda v: v <= rule)

    def _exclusive_maximum(self, value, rule, schema, path):
        return self._bound(value, path, lambda v: v >= rule)

    def _items(self, value, rule, schema, path):
        if not isinstance(value, list):
            return []
        return [e for i, item in enumerate(value) for e in self.errors(item, rule, f"{path}[{i}]")]

    def _min_items(self, value, rule, schema, path):
        return [f"{path}: too few"] if isinstance(value, list) and len(value) < rule else []

    def _max_items(self, value, rule, schema, path):
        return [f"{path}: too many"] if isinstance(value, list) and len(value) > rule else []

    def _prefix_items(self, value, rule, schema, path):
        if not isinstance(value, list):
            return []
        return [
            e
            for i, (v, s) in enumerate(zip(value, rule, strict=False))
            for e in self.errors(v, s, f"{path}[{i}]")
        ]

    def _properties(self, value, rule, schema, path):
        if not isinstance(value, dict):
            return []
        return [e for k, s in rule.items() if k in value for e in self.errors(value[k], s, f"{path}.{k}")]

    def _additional_properties(self, value, rule, schema, path):
        if not isinstance(value, dict):
            return []
        others = [k for k in value if k not in schema.get("properties", {})]
        return [e for k in others for e in self.errors(value[k], rule, f"{path}.{k}")]

    def _property_names(self, value, rule, schema, path):
        return (
            [e for k in value for e in self.errors(k, rule, f"{path}.{k}")] if isinstance(value, dict) else []
        )

    def _required(self, value, rule, schema, path):
        return [f"{path}: lacks {k}" for k in rule if k not in value] if isinstance(value, dict) else []

    def _min_properties(self, value, rule, schema, path):
        return [f"{path}: too few keys"] if isinstance(value, dict) and len(value) < rule else []

    def _max_properties(self, value, rule, schema, path):
        return [f"{path}: too many keys"] if isinstance(value, dict) and len(value) > rule else []

    def _all_of(self, value, rule, schema, path):
        return [e for option in rule for e in self.errors(value, option, path)]

    def _any_of(self, value, rule, schema, path):
        return [] if any(self.fits(value, o) for o in rule) else [f"{path}: fits nothing"]

    def _one_of(self, value, rule, schema, path):
        fitting = [o for o in rule if self.fits(value, o)]
        if len(fitting) == 1:
            return []
        return [f"{path}: fits {len(fitting)}", *[e for o in rule for e in self.errors(value, o, path)]]

    def _not(self, value, rule, schema, path):
        return [f"{path}: fits what it must not"] if self.fits(value, rule) else []

    def _if(self, value, rule, schema, path):
        branch = "then" if self.fits(value, rule) else "else"
        return self.errors(value, schema.get(branch, True), path)


@pytest.fixture(scope="module")
def small(models):
    return Checker(json_schema(models["kinds"], models["engines"]))


def test_the_committed_schema_is_that_of_the_installed_models():
    committed = json.loads((scenario_folder() / "schema.json").read_text(encoding="utf-8"))
    assert committed == json_schema(), "run `suandian schema --out scenarios/schema.json`"


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_fit_the_schema(name):
    document = read(scenario_folder() / f"{name}.yaml", name)
    assert document.findings == []
    assert Checker(json_schema()).errors(document.data) == []


def test_every_installed_kind_parameter_and_command_is_in_the_schema():
    text = json.dumps(json_schema())
    for registry in (components(), grids()):
        for name in registry.names():
            assert f'"const": "{name}"' in text
            for field in registry.get(name).params_type.model_fields:
                assert f'"{field}": {{' in text, f"{name}.{field}"


def test_a_child_may_leave_out_what_its_parent_says(small):
    child = {"parent": "a.yaml", "units": {"hefei": {"it_rated_mw": 60}, "work": None}, "events+": []}
    assert small.errors(child) == []
    assert small.errors({key: value for key, value in child.items() if key != "parent"}) != []


VISIBLE = (
    "bad_unit",
    "expectations",
    "missing_keys",
    "missing_parameter",
    "negative_capacity",
    "ratio_as_percent",
    "unit_in_value",
    "unit_names",
    "unit_of_time",
    "unknown_component",
    "unknown_engine",
    "unknown_engine_key",
    "unknown_top_key",
    "wrong_type",
    "events_of_all_kinds",
    "unknown_port",
)


@pytest.mark.parametrize("name", VISIBLE)
def test_an_editor_underlines_what_the_reader_refuses(name, small):
    assert small.errors(read(BROKEN / f"{name}.yaml", name).data) != []


GOOD = """
title: a
start: 2025-08-06T20:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10, windows: [{from_s: 300, to_s: 400, step_s: 1}]}
grid: {case: three}
units:
  sky: {component: weather}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, sky: sky, inputs: {p_cap_mw: [a.p_mw, b.p_mw]}}
  work: {component: demand, mean_gpu: 6e4, serves: [hefei], trace: null}
events:
  - {at_s: 10, spike: {unit: work, factor_pu: 2}}
  - {at_s: 20, trip: {element: suixi_xiangjian_1}}
  - {at_s: 30, set: {unit: hefei, p_cap_mw: 5}}
limits: []
expect: [{kpi: vm_min_pu, at: hefei, equals: 1, tolerance: 0.1, because: a}]
"""


def test_all_of_the_language_fits_the_schema(small):
    assert small.errors(parse(GOOD, "good").data) == []
