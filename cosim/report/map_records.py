"""What every element on the map of a case says of itself."""

from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]
"""One element as the page has it."""


def text_of(row: Mapping[str, Any], key: str) -> str:
    """Return a text of a row, empty where it has none."""
    value = row.get(key)
    return value if isinstance(value, str) else ""


def origin_of(row: Mapping[str, Any]) -> Record:
    """Return what a row says of its evidence, source and notes."""
    return {key: text_of(row, key) for key in ("evidence", "source", "note") if text_of(row, key)}
