"""The page on import and export lists what the code does."""

import re
from pathlib import Path

from grids.formats.dyr_models import LAYOUTS, SUBSTITUTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "import_export.md").read_text(encoding="utf-8")
MODELS, REPLACED = PAGE.split("## Dynamic models of PSS/E")[1].split("## ANDES")[0].split("`--replace` puts")


def named(section):
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return set(re.findall(r"\b[A-Z][A-Z0-9]+\b", " ".join(rows))) - {"PSS", "E"}


def test_every_model_that_is_read_is_on_the_page():
    assert named(MODELS) == set(LAYOUTS)


def test_every_substitute_is_on_the_page_with_what_it_becomes():
    assert named(REPLACED) == set(SUBSTITUTES)
    for model, substitute in SUBSTITUTES.items():
        row = next(line for line in REPLACED.splitlines() if re.search(rf"\b{model}\b", line))
        assert (f"`{substitute.layout.table}`" if substitute.layout else "nothing") in row
        for value in set(substitute.typical.values()) - {0.0}:
            assert f"{value:g}" in row
