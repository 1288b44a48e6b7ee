"""The JSON schema of scenario files, from the installed models: editors complete from it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel

from cosim.core.component import commands_of
from cosim.core.grid import actions_of
from cosim.core.registry import Registry, components, grids
from cosim.core.units import unit_of
from cosim.scenario.happenings import SET
from cosim.scenario.language import ClockSpec, Event, Expectation, GridSpec, GridWindowSpec, Text, UnitSpec
from cosim.scenario.parents import APPENDED

Json: TypeAlias = dict[str, Any]

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""What the YAML extensions of today's editors understand."""


def json_schema(kinds: Registry | None = None, engines: Registry | None = None) -> Json:
    """Return the schema of the whole language: keys, each installed kind, its commands, each engine.

    A file with a `parent` may leave out what the parent says; without one, the schema asks for
    everything that is required. Names of units, ports and elements are checked by `suandian check`.
    """
    kinds, engines = kinds or components(), engines or grids()
    known = kinds.sound()
    top = _plain(Text)
    top["properties"] |= {
        "parent": {
            "type": "string",
            "description": "scenario this one differs from: a file or a shipped name",
        },
        "clock": _plain(ClockSpec),
        "grid": {"$ref": "#/definitions/grid"},
        "units": {
            "type": "object",
            "description": "what acts, by name; null takes a unit of the parent away",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"const": "grid"}},
            "additionalProperties": {"oneOf": [{"$ref": "#/definitions/unit"}, {"type": "null"}]},
        },
        "events": {"type": "array", "items": {"$ref": "#/definitions/event"}},
        "expect": {"type": "array", "items": _plain(Expectation)},
    }
    for name in APPENDED:
        grown = dict(top["properties"][name], description=f"added to the parent's {name}")
        top["properties"][f"{name}+"] = {key: value for key, value in grown.items() if key != "default"}
    required = top.pop("required")
    whole = {"additionalProperties": {"$ref": "#/definitions/whole_unit"}}
    return {
        "$schema": _DIALECT,
        "title": "Suandian scenario",
        **{key: value for key, value in top.items() if key not in ("title", "$defs")},
        "if": {"required": ["parent"]},
        "else": {"required": required, "properties": {"units": whole, "grid": _whole_grid(engines)}},
        "definitions": {
            "grid": _grid(engines),
            "unit": _unit(known),
            "whole_unit": _whole_unit(known),
            "event": _event(known, engines),
        },
    }


def _plain(model: type[BaseModel]) -> Json:
    """Return a model's schema without references and titles, units in the descriptions."""
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    result: Json = _cleaned(schema, definitions)
    for name, field in result.get("properties", {}).items():
        unit = unit_of(name)
        if unit is not None and unit.symbol:
            field["description"] = f"{field.get('description', name)} [{unit.symbol}]"
    return result


def _cleaned(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_cleaned(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[-1]]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _cleaned({**target, **rest}, definitions)
    options = schema.get("anyOf")
    if options and {"type": "null"} in options and schema.get("default", 0) is None:
        left = [option for option in options if option != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        if len(left) == 1 and isinstance(left[0].get("type"), str) and "enum" not in left[0]:
            return _cleaned({**rest, **left[0], "type": [left[0]["type"], "null"]}, definitions)
        return _cleaned({**rest, "anyOf": options}, definitions)
    is_named = isinstance(schema.get("properties"), dict)
    return {
        key: {name: _cleaned(field, definitions) for name, field in value.items()}
        if key == "properties" and is_named
        else _cleaned(value, definitions)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and key not in ("format", "discriminator")
    }


def _when(key: str, value: str, then: Json) -> Json:
    """Return a branch of the schema for objects whose `key` is `value`."""
    return {"if": {"required": [key], "properties": {key: {"const": value}}}, "then": then}


def _merged(base: Json, extra: Json, names: Mapping[str, Json]) -> Json:
    """Return one closed object with the keys of the language and those of a model."""
    properties = {**base["properties"], **names, **extra.get("properties", {})}
    return {"properties": properties, "additionalProperties": False}


def _unit(known: Mapping[str, type[Any]]) -> Json:
    base = _plain(UnitSpec)
    base["properties"]["component"]["enum"] = list(known)
    branches = []
    for name, cls in known.items():
        model = _plain(cls.params_type)
        inputs = {"properties": {port.name: _source(port.description) for port in cls.inputs}}
        ports = {
            key: {"type": "object", **inputs, "additionalProperties": False} for key in ("inputs", "late")
        }
        then = {"description": model.get("description", name), **_merged(base, model, ports)}
        branches.append(_when("component", name, then))
    return {"type": "object", "properties": base["properties"], "allOf": branches}


def _source(description: str) -> Json:
    one = {"type": "string", "pattern": r"^[A-Za-z_]\w*\.[a-z]\w*$"}
    return {"description": description, "anyOf": [one, {"type": "array", "items": one}]}


def _whole_unit(known: Mapping[str, type[Any]]) -> Json:
    branches = []
    for name, cls in known.items():
        required = _plain(cls.params_type).get("required", [])
        if required:
            branches.append(_when("component", name, {"required": required}))
    return {"type": "object", "required": ["component"], "allOf": branches}


def _engines(engines: Registry) -> dict[str, Json]:
    return {name: _plain(engines.get(name).params_type) for name in engines.names()}


def _grid(engines: Registry) -> Json:
    base = _plain(GridSpec)
    models = _engines(engines)
    base["properties"]["engine"]["enum"] = list(models)
    base["properties"]["windows"] = {
        **base["properties"]["windows"],
        "items": _grid_window(engines),
    }
    branches = [_when("engine", name, _merged(base, model, {})) for name, model in models.items()]
    default = base["properties"]["engine"]["default"]
    if default in models:
        absent = {"if": {"not": {"required": ["engine"]}}, "then": _merged(base, models[default], {})}
        branches.append(absent)
    return {
        "type": "object",
        "description": "the network: engine, case, operating point",
        "properties": base["properties"],
        "allOf": branches,
    }


def _grid_window(engines: Registry) -> Json:
    """Return the schema of a window: its own keys and those of the engine that takes over."""
    base = _plain(GridWindowSpec)
    able = {name: one for name, one in engines.sound().items() if hasattr(one, "within")}
    base["properties"]["engine"]["enum"] = list(able)
    default = base["properties"]["engine"]["default"]
    branches = []
    for name, engine in able.items():
        merged = _merged(base, _plain(engine.window_type), {})
        branches.append(_when("engine", name, merged))
        if name == default:
            branches.append({"if": {"not": {"required": ["engine"]}}, "then": merged})
    return {
        "type": "object",
        "properties": base["properties"],
        "required": base["required"],
        "allOf": branches,
    }


def _whole_grid(engines: Registry) -> Json:
    default = GridSpec.model_fields["engine"].default
    return {
        "allOf": [
            {
                "if": {
                    "properties": {"engine": {"const": name}},
                    **({} if name == default else {"required": ["engine"]}),
                },
                "then": {"required": model["required"]},
            }
            for name, model in _engines(engines).items()
            if model.get("required")
        ]
    }


def _event(known: Mapping[str, type[Any]], engines: Registry) -> Json:
    """Return the schema of one event: `at_s` and exactly one action."""
    grid_actions = {
        name: params for engine in engines.sound().values() for name, params in actions_of(engine).items()
    }
    actions: dict[str, Json] = {
        name: {**_plain(params), "additionalProperties": False} for name, params in grid_actions.items()
    }
    ports = {port.name: port.description for cls in known.values() for port in cls.inputs}
    actions[SET] = {
        "type": "object",
        "description": "the input of a unit holds this value from now on",
        "properties": {
            "unit": {"type": "string"},
            **{name: {"type": "number", "description": text} for name, text in sorted(ports.items())},
        },
        "required": ["unit"],
        "minProperties": 2,
        "additionalProperties": False,
    }
    for name, bodies in sorted(_commands(known).items()):
        actions[name] = bodies[0] if len(bodies) == 1 else {"anyOf": bodies}
    at_s = _plain(Event)["properties"]["at_s"]
    return {
        "type": "object",
        "properties": {"at_s": at_s, **actions},
        "required": ["at_s"],
        "minProperties": 2,
        "maxProperties": 2,
        "additionalProperties": False,
    }


def _commands(known: Mapping[str, type[Any]]) -> dict[str, list[Json]]:
    """Return the bodies of each command; kinds may share the name of one."""
    found: dict[str, list[Json]] = {}
    for kind, cls in known.items():
        for name, params in commands_of(cls).items():
            model = _plain(params)
            unit = {"type": "string", "description": f"a {kind}"}
            body = {
                "type": "object",
                "description": model.get("description", name),
                "properties": {"unit": unit, **model.get("properties", {})},
                "required": ["unit", *model.get("required", [])],
                "additionalProperties": False,
            }
            found.setdefault(name, []).append(body)
    return found
