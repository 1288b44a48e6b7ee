"""Built-in tables: every row says where its numbers come from and how sure they are."""

import csv
from functools import cache
from importlib.resources import files


@cache
def table(name: str) -> dict[str, dict[str, str]]:
    """Return a built-in table as {first column: {column: text}}, in the order of its file.

    Parameters
    ----------
    name
        `chillers`, `day_shapes`, `inference_models`, `inference_statistics`, `inference_services` or
        `site_climates`.
    """
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {next(iter(row.values())): row for row in rows}
