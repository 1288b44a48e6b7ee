"""pydantic's errors as findings: what is wrong and what would be right, in the words of a scenario."""

import json
import types
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cosim.core.registry import nearest
from cosim.core.units import unit_of
from cosim.scenario.findings import Finding, KeyPath, lookup, one_of, quoted_key, unknown

M = TypeVar("M", bound=BaseModel)

_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "dict": "a mapping",
    "Path": "a file name",
    "datetime": "a date and time such as 2025-08-06T20:00:00+08:00",
    "NoneType": "null",
}
_BOUNDS = (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("multiple_of", "a multiple of"))


def validated(
    model: type[M], data: Any, path: KeyPath, reserved: tuple[str, ...] = ()
) -> tuple[M | None, list[Finding]]:
    """Return `data` as a model, or None and everything wrong with it.

    Strict: a number in quotes is text and true is no number. `reserved` are further keys that are
    allowed at this place, for the message about an unknown one.
    """
    try:
        return model.model_validate_json(json.dumps(data, default=str), strict=True), []
    except ValidationError as error:
        return None, _findings(error, model, data, path, reserved)


def _findings(
    error: ValidationError, model: type[BaseModel], data: Any, path: KeyPath, reserved: tuple[str, ...]
) -> list[Finding]:
    found: dict[KeyPath, list[Finding]] = {}
    for item in error.errors(include_url=False):
        inner = _inside(data, item["loc"], item["type"] in ("missing", "extra_forbidden"))
        if _of_another_branch(item, model, inner) or _only_broken_items(item, lookup(data, inner)):
            continue
        if item["type"] == "value_error":  # of a whole model, or of one field
            inner = (*inner, *quoted_key(lookup(data, inner), item["msg"]))
        if item["type"].startswith("union_tag"):
            finding = _tagged(item, (*path, *inner))
        else:
            finding = _finding(item, model, path, inner, reserved if len(inner) == 1 else ())
        found.setdefault(inner, []).append(finding)
    return [_united(model, data, inner, items) for inner, items in found.items()]


def _inside(data: Any, loc: tuple[str | int, ...], is_key: bool) -> KeyPath:
    """Return the part of pydantic's location that is a place in the data (no names of union branches)."""
    inner: list[str | int] = []
    for position, key in enumerate(loc):
        is_last = position == len(loc) - 1
        place = range(len(data)) if isinstance(data, list) else data if isinstance(data, Mapping) else ()
        if key in place:
            data = data[key]
            inner.append(key)
        elif is_last and is_key:
            inner.append(key)
    return tuple(inner)


def _only_broken_items(item: Any, value: Any) -> bool:
    """Return whether a list is too short for the sole reason that its items are wrong, and told so."""
    return item["type"] == "too_short" and len(value) >= int(item["ctx"]["min_length"])


def _of_another_branch(item: Any, model: type[BaseModel], inner: KeyPath) -> bool:
    """Return whether a mapping was tried as a plain value where a model may stand: that one tells."""
    if not item["type"].endswith("_type") or not isinstance(item["input"], Mapping):
        return False
    field = field_at(model, inner)
    members = () if field is None else _members(field.annotation)
    return any(isinstance(member, type) and issubclass(member, BaseModel) for member in members)


def _finding(
    item: Any, model: type[BaseModel], path: KeyPath, inner: KeyPath, reserved: tuple[str, ...]
) -> Finding:
    full = (*path, *inner)
    kind = item["type"]
    if kind == "extra_forbidden":
        owner = _model_at(model, inner[:-1])
        known = () if owner is None else tuple(owner.model_fields)
        return unknown(full, "key", str(inner[-1]), (*known, *reserved))
    field = field_at(model, inner)
    right = "" if field is None else allowed(str(inner[-1]), field)
    if kind == "missing":
        what = "" if field is None or not field.description else f" ({field.description})"
        return Finding(full, "missing", f"{right}{what}", missing=True)
    if kind in ("literal_error", "enum") and field is not None:
        options = _options(field.annotation)
        return Finding(full, "not one of these", one_of(options), nearest(str(item["input"]), options))
    if kind.endswith("_type"):
        return Finding(full, _wrong_type(item["input"], field), right)
    return Finding(full, _told(item), "" if kind == "value_error" else right)


def _tagged(item: Any, full: KeyPath) -> Finding:
    """Return the finding for a mapping whose kind is unknown, or not said."""
    said = item["ctx"]
    path = (*full, said["discriminator"].strip("'"))
    if "tag" not in said:
        return Finding(path, "missing", missing=True)
    known = [tag.strip("' ") for tag in said["expected_tags"].split(",")]
    return unknown(path, str(path[-1]), str(said["tag"]), known)


def _told(item: Any) -> str:
    """Return what is wrong with a value of the right type."""
    for key, sign in _BOUNDS:
        if key in item.get("ctx", {}):
            return f"must be {sign} {item['ctx'][key]:g}"
    if item["type"] in {"string_too_short", "too_short"}:
        return "must not be empty"
    text: str = (
        item["msg"].removeprefix("Value error, ").removeprefix("Input ").replace("should be", "must be")
    )
    return text[:1].lower() + text[1:]


def _united(model: type[BaseModel], data: Any, inner: KeyPath, items: list[Finding]) -> Finding:
    """Return one finding for a value that fits none of the types of a union."""
    if len(items) == 1:
        return items[0]
    field = field_at(model, inner)
    return Finding(items[0].path, _wrong_type(lookup(data, inner), field), items[0].allowed)


def _wrong_type(value: Any, field: FieldInfo | None) -> str:
    wants_number = field is not None and ({float, int} & set(_members(field.annotation)))
    if wants_number and isinstance(value, str):
        first = value.split()[0] if value.split() else ""
        if _is_number(first):
            return f"must be a number, not text (the unit stands in the key: write {first})"
    wants_text = field is not None and str in _members(field.annotation)
    if wants_text and isinstance(value, int | float) and not isinstance(value, bool):
        return f'must be text, not a number (in quotes: "{value}")'
    return f"wrong type, {_type_of(value)}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _type_of(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    if isinstance(value, Mapping):
        return "a mapping"
    return names.get(type(value), "nothing")


def _members(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone, without what pydantic annotates."""
    members = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return tuple(get_args(m)[0] if get_origin(m) is Annotated else m for m in members)


def _options(annotation: Any) -> tuple[str, ...]:
    found: list[str] = []
    for member in _members(annotation):
        if get_origin(member) is Literal:
            found += [str(value) for value in get_args(member)]
        elif isinstance(member, type) and issubclass(member, Enum):
            found += [str(value.value) for value in member]
    return tuple(found)


def _word(annotation: Any) -> str:
    """Return one type in plain words."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if options := _options(annotation):
        return "one of " + ", ".join(options)
    origin = get_origin(annotation) or annotation
    if origin in (tuple, list, set, frozenset):
        inner = [a for a in get_args(annotation) if a is not Ellipsis]
        return f"a list of {_word(inner[0]).removeprefix('a ')}s" if inner else "a list"
    if origin in (Union, types.UnionType) and all(_models(member) for member in get_args(annotation)):
        return "a mapping"
    if isinstance(origin, type) and issubclass(origin, BaseModel):
        return "{" + ", ".join(origin.model_fields) + "}"
    name = getattr(origin, "__name__", "a value")
    return _WORDS.get(name, name)


def allowed(name: str, field: FieldInfo) -> str:
    """Return what a field takes: type, bounds and unit.

    >>> allowed("it_rated_mw", FieldInfo(annotation=float))
    'a number [MW]'
    """
    members = [m for m in _members(field.annotation) if m is not type(None)]
    text = " or ".join(dict.fromkeys(_word(member) for member in members))
    bounds = [
        f"{sign} {getattr(rule, key):g}"
        for rule in field.metadata
        for key, sign in _BOUNDS
        if getattr(rule, key, None) is not None
    ]
    unit = unit_of(name)
    symbol = f" [{unit.symbol}]" if unit is not None and unit.symbol else ""
    return f"{text} {' and '.join(bounds)}".rstrip() + symbol


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models an annotation holds, also inside lists, mappings and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _model_at(model: type[BaseModel], inner: KeyPath) -> type[BaseModel] | None:
    """Return the model whose keys stand below `inner`."""
    current: type[BaseModel] | None = model
    for key in inner:
        if current is None or key not in current.model_fields:
            continue  # a list place or the key of a mapping: the model is that of its values
        held = _models(current.model_fields[str(key)].annotation)
        current = held[0] if held else None
    return current


def field_at(model: type[BaseModel], inner: KeyPath) -> FieldInfo | None:
    """Return the field at a place in a model, or None where there is none."""
    if not inner:
        return None
    owner = _model_at(model, inner[:-1])
    return None if owner is None else owner.model_fields.get(str(inner[-1]))


def holds_path(field: FieldInfo) -> bool:
    """Return whether a field takes a file name."""
    return Path in _members(field.annotation)
