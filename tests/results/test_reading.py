"""Reading results: pandas and SQL, of one run or many, finished or not."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cosim.core.errors import ResultsError
from cosim.results import Event, TableSpec, Writer, load, sql
from cosim.results.layout import write_json


def folder_with(path, offset=0.0, status="complete", exchanges=4, **manifest):
    path.mkdir()
    write_json(path / "manifest.json", {"status": status, "pid": os.getpid(), **manifest})
    tables = {
        "gpu_hall": TableSpec(("hefei", "huaibei"), ("p_mw",)),
        "grid": TableSpec(("grid",), ("load_mw",)),
    }
    writer = Writer(path, tables, exchanges=3)
    for place in range(exchanges):
        hall = np.array([place + offset, 10.0 * place])
        row = {"gpu_hall": {"p_mw": hall}, "grid": {"load_mw": np.array([hall.sum()])}}
        writer.append(60.0 * place, 60.0, row)
    writer.add_events([Event(120.0, "hefei", "late", "second"), Event(60.0, "hefei", "early", "first")])
    writer.add_events([Event(120.0, "huaibei", "late", "third")])
    writer.close()
    return path


def test_a_series_has_time_down_and_elements_across(tmp_path):
    frame = load(folder_with(tmp_path / "run")).series("gpu_hall", "p_mw")
    assert list(frame.columns) == ["hefei", "huaibei"]
    assert list(frame.index) == [0.0, 60.0, 120.0, 180.0]
    assert_array_equal(frame["huaibei"], [0.0, 10.0, 20.0, 30.0])


def test_a_series_equals_the_pivoted_table(tmp_path):
    results = load(folder_with(tmp_path / "run"))
    pivoted = results.table("gpu_hall").pivot_table(index="t_s", columns="name", values="p_mw")
    assert_array_equal(results.series("gpu_hall", "p_mw").to_numpy(), pivoted.to_numpy())


def test_events_come_in_order_of_time_and_of_emission_where_times_are_equal(tmp_path):
    assert list(load(folder_with(tmp_path / "run")).events["text"]) == ["first", "second", "third"]


def test_sql_sees_tables_and_events_by_name(tmp_path):
    results = load(folder_with(tmp_path / "run"))
    peaks = results.sql("SELECT name, max(p_mw) AS peak_mw FROM gpu_hall GROUP BY name ORDER BY name")
    assert dict(zip(peaks["name"], peaks["peak_mw"], strict=True)) == {"hefei": 3.0, "huaibei": 30.0}
    joined = results.sql("SELECT e.text, g.load_mw FROM events e JOIN grid g USING (t_s) ORDER BY e.text")
    assert list(joined["load_mw"]) == [11.0, 22.0, 22.0]


def test_sql_over_many_runs_says_which_run_a_row_is_from(tmp_path):
    runs = [folder_with(tmp_path / "low"), folder_with(tmp_path / "it's high", offset=100.0)]
    frame = sql("SELECT run, max(p_mw) AS peak_mw FROM gpu_hall WHERE name = 'hefei' GROUP BY run", runs)
    assert dict(zip(frame["run"], frame["peak_mw"], strict=True)) == {"low": 3.0, "it's high": 103.0}


def test_a_wrong_query_is_an_error_about_results_with_the_engines_words(tmp_path):
    with pytest.raises(ResultsError, match="gpu_hal"):
        load(folder_with(tmp_path / "run")).sql("SELECT * FROM gpu_hal")


@pytest.mark.parametrize(
    ("told", "status"),
    [("complete", "complete"), ("failed", "failed"), ("running", "incomplete"), ("incomplete", "incomplete")],
)
def test_only_a_run_that_says_so_counts_as_complete(tmp_path, told, status):
    assert load(folder_with(tmp_path / "run", status=told)).status == status


def test_a_run_counts_as_running_only_while_its_process_lives(tmp_path):
    results = load(folder_with(tmp_path / "run", status="running"))
    assert results.running
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    results.manifest["pid"] = gone.pid
    assert not results.running


def test_rows_a_killed_run_wrote_to_some_tables_only_are_left_out(tmp_path):
    folder = folder_with(tmp_path / "run", status="running")
    ahead = folder / "series" / "gpu_hall"
    (ahead / "000002.parquet").write_bytes((ahead / "000001.parquet").read_bytes())
    (ahead / ".part").write_bytes(b"PAR1 half a fi")
    write_json(folder / "reached.json", {"t_s": 120.0, "exchanges_count": 3})
    results = load(folder)
    assert len(results.series("gpu_hall", "p_mw")) == len(results.dt_s) == 3
    assert len(results.table("gpu_hall")) == 6
    assert results.sql("SELECT count(*) AS n FROM gpu_hall")["n"][0] == 6


def test_a_run_killed_within_its_first_flush_has_no_rows_yet(tmp_path):
    folder = folder_with(tmp_path / "run", status="running")
    write_json(folder / "reached.json", {"t_s": None, "exchanges_count": 0})
    results = load(folder)
    assert results.sql("SELECT count(*) AS n FROM gpu_hall")["n"][0] == len(results.table("gpu_hall")) == 0
    assert results.series("gpu_hall", "p_mw").empty
    assert results.dt_s.empty


def test_a_folder_that_is_being_laid_out_is_read_as_far_as_it_is(tmp_path):
    folder = folder_with(tmp_path / "run", status="running")
    assert load(folder).last_s == 180.0
    (folder / "reached.json").unlink()
    for chunk in [*(folder / "series" / "grid").iterdir(), *(folder / "events").iterdir()]:
        chunk.unlink()
    results = load(folder)
    assert results.tables == ("gpu_hall",)
    assert results.dt_s.empty
    assert results.events.empty
    assert results.series("gpu_hall", "p_mw").empty
    assert results.sql("SELECT count(*) AS n FROM gpu_hall")["n"][0] == 0


def test_units_are_a_table(tmp_path):
    units = [{"name": "hefei", "kind": "gpu_hall", "at": "hefei_500"}]
    frame = load(folder_with(tmp_path / "run", units=units)).units
    assert frame.to_dict("records") == units


def test_results_without_a_single_exchange_have_their_columns(tmp_path):
    results = load(folder_with(tmp_path / "run", exchanges=0))
    assert results.series("gpu_hall", "p_mw").empty
    assert list(results.table("gpu_hall").columns) == ["t_s", "dt_s", "name", "p_mw"]
    assert len(results.sql("SELECT p_mw FROM gpu_hall")) == len(results.dt_s) == 0


def test_an_unknown_table_or_column_is_answered_with_the_nearest(tmp_path):
    results = load(folder_with(tmp_path / "run"))
    with pytest.raises(ResultsError, match="Did you mean 'gpu_hall'"):
        results.table("gpu_halls")
    with pytest.raises(ResultsError, match="Did you mean 'p_mw'"):
        results.series("gpu_hall", "p_wm")


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    with pytest.raises(ResultsError, match="no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ResultsError, match="not a results folder"):
        load(tmp_path)


def test_importing_results_does_not_import_what_only_reading_needs():
    code = (
        "import sys, cosim.results; print([m for m in ('pandas', 'pyarrow', 'duckdb') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
