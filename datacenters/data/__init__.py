"""Built-in tables: every row says where its numbers come from and how sure they are."""

import csv
from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a built-in table, `<name>.csv` in this folder, in the order of its file."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def table(name: str) -> dict[str, dict[str, str]]:
    """Return a built-in table as {first column: {column: text}}, in the order of its file."""
    return {next(iter(row.values())): row for row in rows(name)}
