from pathlib import Path

import pytest

from cosim.kpi import names
from cosim.verdict import limit_sets, load_limits

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", names())
def test_every_kpi_is_described_in_the_docs(name):
    assert f"| `{name}` |" in (DOCS / "kpis.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", limit_sets())
def test_every_limit_of_every_set_is_in_the_docs_with_severity_and_status(name):
    lines = (DOCS / "limits.md").read_text(encoding="utf-8").partition(f"## The set `{name}`")[2].splitlines()
    for limit in load_limits(name).limits:
        line = next(text for text in lines if text.startswith(f"| `{limit.id}` |"))
        assert f"| {limit.severity} |" in line
        assert line.rstrip(" |").endswith(limit.status)


def test_the_example_of_an_own_set_loads(tmp_path):
    text = (DOCS / "limits.md").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert load_limits(path).limits[0].over_s == 60
