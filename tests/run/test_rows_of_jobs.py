"""A run leaves a row for each job: one state each, sums as the KPIs have them, in one process or two."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim.assemble import prepare
from cosim.core.errors import ResultsError
from cosim.kpi import compute
from cosim.report.jobs import jobs_table
from cosim.results import Results, TableSpec, Writer, sql
from cosim.run import run

TEXT = """\
title: jobs on two sites
start: 2025-08-06T20:30:00+08:00
until_s: 7200
seed: 1
clock: {step_s: 60}
grid: {engine: powerflow, case: two_bus}
units:
  west:
    component: site
    place: hefei
    gpus_count: 200
    fleet:
      jobs:
        - {name: batch, jobs_count: 150, duration_median_h: 0.3, slack_h: 0.2, gpus_most_gpu: 64}
        - {name: infer, kind: batch_inference, jobs_count: 100, statistics: helios, gpus_most_gpu: 32}
      jobs_over_h: 2.5
  east: {component: site, place: shanghai, gpus_count: 150}
events:
  - {at_s: 3000, fail: {unit: west, for_s: 300}}
  - {at_s: 4800, move: {unit: east, to: west, share_pu: 0.5}}
"""
SUMS = {
    "jobs_late_count": "late",
    "jobs_failed_count": "failed_count",
    "jobs_moved_count": "moved_count",
    "job_lost_gpu_h": "lost_gpu_h",
    "job_overhead_gpu_h": "overhead_gpu_h",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the run."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "jobs.yaml").write_text(TEXT, encoding="utf-8")
    return run(prepare(folder / "jobs.yaml"), folder)


def test_each_job_has_one_state_and_sums_are_the_kpis(results: Results) -> None:
    jobs = results.ledger("job")
    assert len(jobs) == jobs["job"].nunique() == 250
    ended, waiting = jobs["state"] == "ended", jobs["state"] == "waiting"
    assert ended.sum() == compute(results, "jobs_ended_count")
    for kpi, column in SUMS.items():
        assert jobs[column].sum() == pytest.approx(compute(results, kpi), rel=1e-9), kpi
    worked = jobs["done_gpu_h"].sum() + jobs["lost_gpu_h"].sum()
    assert worked == pytest.approx(compute(results, "job_work_gpu_h"), rel=1e-9)
    written = jobs["tokens_count"].sum() + jobs["tokens_lost_count"].sum()
    assert written == pytest.approx(compute(results, "tokens_count"), rel=1e-9)
    assert written > 0.0
    served = jobs["tokens_count"].sum()
    assert served == pytest.approx(compute(results, "tokens_served_count"), rel=1e-9)
    last = results.table("site").groupby("name").last()
    assert waiting.sum() == pytest.approx(last["waiting_count"].sum())
    assert (~ended & ~waiting & (jobs["state"] != "to come")).sum() == last["running_count"].sum()


def test_rows_tell_when_and_where(results: Results) -> None:
    jobs = results.ledger("job")
    ended, came = jobs[jobs["state"] == "ended"], jobs[jobs["arrival_s"] < 7140.0]
    assert (ended["end_s"] > ended["begin_s"]).all()
    assert (ended["begin_s"] >= ended["arrival_s"]).all()
    assert set(ended["site"]) == {"west", "east"}
    assert set(ended["ends_as"]) == {"completed", "cancelled", "failed"}
    once = ended[ended["failed_count"] == 0]
    assert np.allclose(once["waited_s"], once["begin_s"] - once["arrival_s"])
    moved = jobs[(jobs["moved_count"] == 1) & (jobs["failed_count"] == 0)]
    assert (moved["first_site"] == "east").all()
    assert (moved["site"] == "west").all()
    assert (came["state"] != "to come").all()


def test_the_report_tells_what_became_of_jobs(results: Results) -> None:
    html = jobs_table(results)
    late = int(results.ledger("job")["late"].sum())
    assert html.count("<tr>") == 4  # head, two populations, all
    assert "<td>all</td><td class=n>250</td>" in html
    assert f"<td class=n>{late}</td>" in html
    assert "A row for each of the 250 jobs" in html


def test_rows_of_jobs_answer_queries_over_runs(results: Results) -> None:
    query = (
        "SELECT population, count(*) AS n, sum(late) AS late FROM job GROUP BY population ORDER BY population"
    )
    answer = results.sql(query)
    assert list(answer["population"]) == ["batch", "infer"]
    assert list(answer["n"]) == [150, 100]
    assert sql("SELECT DISTINCT run FROM job", [results])["run"].tolist() == [results.path.name]
    with pytest.raises(ResultsError, match="no ledger 'jobs', only job"):
        results.ledger("jobs")


def test_a_kind_in_a_process_of_its_own_writes_the_same_rows(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "apart.yaml"
    path.write_text(TEXT.replace("place: shanghai", "process: true, place: shanghai"), encoding="utf-8")
    apart = run(prepare(path), tmp_path)
    pd.testing.assert_frame_equal(apart.ledger("job"), results.ledger("job"))
    assert apart.manifest["hashes"]["job"] == results.manifest["hashes"]["job"]


def test_a_ledger_has_a_name_of_its_own_and_columns_of_one_length(tmp_path: Path) -> None:
    writer = Writer(tmp_path, {"bus": TableSpec(("a",), ("vm_pu",))})
    with pytest.raises(ResultsError, match="'bus' has the name of another table"):
        writer.add_ledger("bus", {"x": [1]})
    with pytest.raises(ResultsError, match=r"columns of different length: \{'x': 1, 'y': 0\}"):
        writer.add_ledger("job", {"x": [1], "y": []})
    writer.add_ledger("job", {"job": ["a", "b"], "gpus": np.array([1.0, 2.0])})
    assert len(writer.close()["job"]) == len(hashlib.sha256(b"").hexdigest())
