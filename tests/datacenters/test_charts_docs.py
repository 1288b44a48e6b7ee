"""The charts of pages are drawn from the models: `python docs/plots <page>` writes those of a page."""

import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLOTS = runpy.run_path(str(DOCS / "plots" / "__main__.py"))
CHARTS = {name: draw for page in PLOTS["pages"]() for name, draw in PLOTS["charts_of"](page).items()}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.mark.parametrize("name", CHARTS)
def test_chart_in_the_docs_is_what_the_models_draw(name):
    # numbers to the printed digit may differ between processors: shapes must not
    drawn, kept = (
        NUMBER.findall(text) for text in (CHARTS[name](), (DOCS / "models" / "img" / name).read_text("utf-8"))
    )
    assert len(drawn) == len(kept)
    assert [float(n) for n in drawn] == pytest.approx([float(n) for n in kept], abs=0.11)


@pytest.mark.parametrize("name", CHARTS)
def test_chart_is_shown_on_a_page(name):
    assert any(f"](img/{name})" in page.read_text("utf-8") for page in (DOCS / "models").glob("*.md"))
