"""The page on cases and the plant types say what the code checks."""

from pathlib import Path

import pytest

from grids.casetables import TABLES
from grids.plants import plant_types

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES)
def test_the_page_lists_every_column_with_what_it_may_hold(table):
    section = PAGE.split(f"### {table}.csv")[1].split("###")[0]
    for column in TABLES[table].columns:
        if column.name in {"evidence", "source", "name_zh", "note"}:
            continue  # said once for all tables
        assert f"`{column.name}`" in section
        assert f"| {column.allowed()} |" in section


def test_every_plant_type_has_a_source_and_a_mark():
    for name, kind in plant_types().items():
        assert kind.source, name
        assert kind.status in {"published", "computed", "derived", "(unconfirmed)"}, name


def test_only_governed_plants_have_a_droop_and_relays_have_none():
    for name, kind in plant_types().items():
        assert (kind.governor in {"none", "relay"}) == (kind.droop_pu == 0.0), name
        assert not kind.agc or kind.agc_rate_pu_per_s > 0.0, name
