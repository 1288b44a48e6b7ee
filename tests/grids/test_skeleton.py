"""A new case runs as it is, says what its columns hold, and takes the place of nothing."""

import pytest

from cosim.core.errors import CaseError
from grids.case import load_case, operating_points
from grids.casetables import TABLES
from grids.checks.finding import State
from grids.checks.run import check_beyond
from grids.examination import examine
from grids.recipe.write import write_points
from grids.skeleton import PROVINCE, new_case


def test_a_new_case_passes_its_check_at_every_point(tmp_path):
    new_case(tmp_path / "mine")
    folder = str(tmp_path / "mine")
    assert [str(f) for f in examine(load_case(folder), 0.005) if not f.good] == []
    for point in operating_points(PROVINCE):
        assert [str(f) for f in check_beyond(folder, point) if f.state is State.BAD] == []


def test_a_new_case_has_an_example_row_of_every_table(tmp_path):
    new_case(tmp_path / "mine")
    net = load_case(str(tmp_path / "mine")).net
    assert [table for table in TABLES if not len(net[table])] == []


def test_its_page_says_what_every_column_holds(tmp_path):
    new_case(tmp_path / "mine")
    page = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    for table in TABLES.values():
        section = page.split(f"## {table.name}.csv")[1].split("\n## ")[0]
        for column in table.columns:
            assert (
                column.name in {"evidence", "source", "name_zh", "note"} or f"| `{column.name}` |" in section
            )


def test_its_operating_points_are_those_its_recipe_works_out(tmp_path):
    new_case(tmp_path / "mine")
    written = [
        *(tmp_path / "mine" / "operating_points").rglob("*.csv"),
        *(tmp_path / "mine").glob("expected/*"),
    ]
    before = {path: path.read_text() for path in written}
    write_points(str(tmp_path / "mine"))
    assert {path: path.read_text() for path in before} == before


def test_a_case_can_be_started_from_another_and_keeps_its_provenance(tmp_path):
    new_case(tmp_path / "mine", "two_bus")
    assert load_case(str(tmp_path / "mine")).meta["title"] == "mine"
    assert "copy of `two_bus`" in (tmp_path / "mine" / "PROVENANCE.md").read_text(encoding="utf-8")


def test_nothing_is_overwritten_and_an_unknown_template_leaves_nothing(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(CaseError, match="is not empty"):
        new_case(tmp_path / "mine")
    with pytest.raises(CaseError, match="two_bus"):
        new_case(tmp_path / "other", "two_bu")
    assert not (tmp_path / "other").exists()
