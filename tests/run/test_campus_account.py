"""A campus over half an hour: what its meters count, and the picture the report draws of it."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cosim.assemble import prepare
from cosim.kpi import compute
from cosim.report.single_line import single_lines
from cosim.run import run

DIESELS = "\n".join(f"  diesel_{k}: {{component: genset, at: b, p_rated_mw: 2}}" for k in range(10))
TEXT = f"""\
title: a campus
start: 2025-08-06T20:30:00+08:00
until_s: 2400
seed: 1
clock: {{step_s: 60}}
grid: {{engine: powerflow, case: two_bus}}
units:
  hall: {{component: gpu_hall, at: b, it_rated_mw: 20}}
  work: {{component: demand, service: steady, mean_gpu: 9000, serves: hall}}
  battery: {{component: battery, at: b, p_rated_mw: 50, e_rated_mwh: 100, soc_initial_pu: 0.5}}
  reactor: {{component: must_take, at: b, kind: nuclear, p_rated_mw: 5}}
{DIESELS}
  far: {{component: gpu_hall, at: a, it_rated_mw: 5}}
campuses:
  park: {{at: [b], critical: [hall]}}
  other: {{at: [a], meters: [a_b]}}
events:
  - {{at_s: 0, order: {{unit: diesel_0, p_mw: 2}}}}
  - {{at_s: 600, order: {{unit: battery, p_mw: 40, q_mvar: 9}}}}
  - {{at_s: 1500, order: {{unit: battery, p_mw: -40, q_mvar: -9}}}}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the run."""
    folder = tmp_path_factory.mktemp("campus")
    path = folder / "park.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return run(prepare(path), folder)


def column(results, table, name, element):
    return results.series(table, name)[element].to_numpy()


def test_a_meter_at_a_point_counts_all_that_is_connected_there(results):
    drawn = results.series("point", "p_mw").drop(columns="far").sum(axis=1)
    assert_allclose(column(results, "meter", "p_mw", "b"), drawn, atol=1e-9)
    assert_allclose(column(results, "campus", "p_mw", "park"), drawn, atol=1e-9)


def test_what_loads_draw_comes_through_the_meter_or_from_own_units(results):
    load, store, genset, source = (
        column(results, "campus", f"p_{what}_mw", "park") for what in ("load", "store", "genset", "source")
    )
    assert_allclose(load - store - genset - source, column(results, "campus", "p_mw", "park"), atol=1e-9)
    assert source[-1] == pytest.approx(5.0)
    assert genset[0] == pytest.approx(2.0)
    assert_allclose(load, column(results, "gpu_hall", "p_mw", "hall"), atol=1e-9)


def test_a_meter_in_a_line_counts_towards_the_campus(results):
    assert_allclose(column(results, "meter", "p_mw", "a_b"), -column(results, "line", "p_from_mw", "a_b"))


def test_import_and_export_are_counted_apart(results):
    p_mw, hours = column(results, "meter", "p_mw", "b"), 60.0 / 3600.0
    assert p_mw.min() < 0.0 < p_mw.max()
    imported, exported = (compute(results, f"energy_{way}_mwh", "b") for way in ("import", "export"))
    assert imported == pytest.approx(np.maximum(p_mw, 0.0).sum() * hours)
    assert imported - exported == pytest.approx(p_mw.sum() * hours)


def test_maximum_demand_is_the_highest_mean_of_fifteen_minutes(results):
    imported = column(results, "meter", "p_import_mw", "b")
    means = [imported[k : k + 15].mean() for k in range(imported.size - 14)]
    assert compute(results, "demand_max_mw", "b") == pytest.approx(max(means))
    assert max(means) == pytest.approx(imported[10:25].mean())  # the quarter of an hour the battery charged


def test_reactive_energy_sent_back_counts_in_the_power_factor(results):
    imported, q_mvar = column(results, "meter", "p_import_mw", "b"), column(results, "meter", "q_mvar", "b")
    assert q_mvar.min() < 0.0 < q_mvar.max()
    expected = imported.sum() / np.hypot(imported.sum(), np.abs(q_mvar).sum())
    assert compute(results, "power_factor_pu", "b") == pytest.approx(expected)


def test_own_units_cover_a_share_of_what_the_halls_draw(results):
    load = column(results, "gpu_hall", "p_mw", "hall").sum()
    assert compute(results, "green_share_pu", "park") == pytest.approx(5.0 * 40 / load, rel=1e-6)
    assert compute(results, "own_share_pu", "park") == pytest.approx(7.0 * 40 / load, rel=1e-6)
    facility, it = (column(results, "gpu_hall", name, "hall").sum() for name in ("facility_mw", "it_mw"))
    assert compute(results, "campus_pue_pu", "park") == pytest.approx(facility / it)


def test_the_picture_shows_every_unit_with_its_power(results):
    pictures = ET.fromstring(f"<div>{single_lines(results)}</div>")
    park, other = pictures.findall(".//svg")
    told = [text.text for text in park.iter("text")]
    assert {"hall", "battery", "reactor", *(f"diesel_{k}" for k in range(10))} <= set(told)
    assert "b, continued" in told  # thirteen units take two rows
    assert "-2.0 MW" in told
    assert "a_b" in [text.text for text in other.iter("text")]
    width = float(park.get("viewBox").split()[2])
    assert all(0.0 < float(text.get("x")) < width for text in park.iter("text"))
