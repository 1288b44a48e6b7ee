"""A case of two synchronous areas that only a direct-current link joins: `two_bus` twice."""

import csv
import shutil

import pytest

from grids.case import CASES

LINK = "west-east DC"
ORIGIN = "synthetic,invented"
LOSS_PERCENT = 6.0


@pytest.fixture
def two_areas(tmp_path):
    """Return what writes the case: `two_areas(sent_mw=..., overload_pu=...)` gives its folder."""
    return lambda folder="mine", **kwargs: _two_areas(tmp_path / folder, **kwargs)


def _two_areas(folder, *, sent_mw=100.0, received_mw=94.0, **link):
    """Write the case into a new folder and return its path.

    West sends `sent_mw` of 100 MW rated to east; `link` are further columns of links.csv.
    """
    copy = shutil.copytree(CASES / "two_bus", folder / "two_areas")
    for table in ("bus", "line", "gen", "load", "points", "ext_grid", "areas"):
        _twice(copy / f"{table}.csv")
    sgen = f"send,b,dc,100,{-sent_mw},-5,{ORIGIN}\nreceive,east b,dc,100,{received_mw},-5,{ORIGIN}\n"
    (copy / "sgen.csv").write_text("name,bus,type,sn_mva,p_mw,q_mvar,evidence,source\n" + sgen)
    columns = {"sn_mw": 100, "loss_percent": LOSS_PERCENT, "ramp_mw_per_min": 600, **link}
    head = ",".join(("name", "from_element", "to_element", *columns, "evidence", "source"))
    cells = ",".join(str(value) for value in columns.values())
    (copy / "links.csv").write_text(f"{head}\n{LINK},send,receive,{cells},{ORIGIN}\n")
    west, east = {"p_mw": 200 + sent_mw, "min_p_mw": 20}, {"p_mw": 200 - received_mw, "min_p_mw": 20}
    _set(copy / "gen.csv", {"plant": west, "east plant": east})
    shutil.rmtree(copy / "operating_points")
    shutil.rmtree(copy / "expected")
    text = (copy / "case.yaml").read_text()
    (copy / "case.yaml").write_text("".join(s for s in text.splitlines(True) if "default_point" not in s))
    return copy


def _rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _twice(path):
    rows = _rows(path)
    refers = ("name", "bus", "from_bus", "to_bus", "area")
    _write(path, rows + [{k: f"east {v}" if k in refers else v for k, v in row.items()} for row in rows])


def _set(path, changes):
    rows = _rows(path)
    for row in rows:
        row.update(changes.get(row["name"], {}))
    _write(path, rows)
