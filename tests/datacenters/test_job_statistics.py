"""Jobs drawn from published statistics against what was published of the same clusters in another form."""

import csv
from typing import Any

import numpy as np
import pytest

from cosim.core.errors import ScenarioError
from datacenters import job_statistics
from datacenters.data import rows, table
from datacenters.job_files import read_jobs
from datacenters.traces import convert_trace
from datacenters.workload import Population, draw

COUNT = 200_000
MEAN_REL = {"acme_seren": 0.25}
"""What the summary and the curves of a cluster differ by."""


def jobs_of(statistics: str, span_s: float = 86_400.0, start_h: float = 0.0, **more: Any) -> Any:
    population = Population(name="p", statistics=statistics, jobs_count=COUNT, gpus_most_gpu=4096, **more)
    return draw(population, span_s, ("a",), np.random.default_rng(1), start_h)


@pytest.mark.parametrize("cluster", job_statistics.clusters())
def test_drawn_durations_have_the_published_median_mean_and_quantiles(cluster: str) -> None:
    jobs, said = jobs_of(cluster), table("job_clusters")[cluster]
    lasts_s = jobs.work_gpu_s / (jobs.gpus * jobs.busy_pu)
    # the summary is of its own: the draws come from curves; of Seren the two have not the same jobs
    assert np.median(lasts_s) == pytest.approx(float(said["duration_median_s"]), rel=0.12)
    assert lasts_s.mean() == pytest.approx(float(said["duration_mean_s"]), rel=MEAN_REL.get(cluster, 0.1))
    assert lasts_s.max() <= float(said["duration_most_s"]) * (1 + 1e-9)
    for row in rows("job_statistics"):
        if row["quantity"] == "duration_s" and float(row["at_most"]) < float(said["duration_most_s"]):
            share = (lasts_s <= float(row["at_most"]) * (1 + 1e-9)).mean()
            assert share == pytest.approx(float(row[f"{cluster}_pu"]), abs=0.005)


@pytest.mark.parametrize("cluster", job_statistics.clusters())
def test_drawn_sizes_have_the_published_median_and_mean(cluster: str) -> None:
    gpus, said = jobs_of(cluster).gpus, table("job_clusters")[cluster]
    assert np.median(gpus) == max(float(said["gpus_median"]), 1.0)
    assert gpus.max() <= max(float(said["gpus_most"]), 1.0)
    if cluster == "alibaba_pai":  # most take a part of an accelerator, which counts as one here
        assert 1.0 <= gpus.mean() < 1.2
    else:
        assert gpus.mean() == pytest.approx(float(said["gpus_mean"]), rel=MEAN_REL.get(cluster, 0.2))


def test_drawn_ends_have_the_published_shares() -> None:
    for cluster in job_statistics.clusters():
        said = table("job_clusters")[cluster]
        shares = np.bincount(jobs_of(cluster).fate, minlength=3) / COUNT
        published = [float(said[f"{fate}_pu"] or fate == "completed") for fate in job_statistics.FATES]
        assert shares == pytest.approx([x if x else 0.0 for x in published], abs=0.005)


def test_jobs_come_over_the_day_as_at_helios() -> None:
    course = [float(row["helios_pu"]) for row in rows("job_arrivals")]
    assert np.mean(course) == pytest.approx(1.0, abs=1e-3)
    jobs = jobs_of("helios", start_h=20.0)
    hours = (20.0 + jobs.arrival_s / 3600.0).astype(int) % 24
    assert np.bincount(hours, minlength=24) / (COUNT / 24) == pytest.approx(course, rel=0.06)
    assert (np.diff(jobs.arrival_s) >= 0.0).all()
    night = Population(name="n", arrivals="helios", arrivals_per_h=1000.0)
    few = draw(night, 4 * 3600.0, ("a",), np.random.default_rng(1), 3.0).arrival_s.size
    assert few == pytest.approx(1000.0 * sum(course[3:7]), rel=0.06)


def test_statistics_that_are_unknown_or_said_twice_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"statistics='filly' is unknown \(allowed: acme_kalos.*Did you mean"
    ):
        Population(name="p", jobs_count=1, statistics="filly")
    with pytest.raises(ValueError, match="gpus_median_gpu: `statistics` says it"):
        Population(name="p", jobs_count=1, statistics="philly", gpus_median_gpu=2.0)
    with pytest.raises(ValueError, match=r"tokens_per_gpu_s: jobs of kind batch write none"):
        Population(name="p", jobs_count=1, tokens_per_gpu_s=2.0)


TRACES = {
    "azure_llm": "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2024-05-10 00:00:00.009930+00:00,100,20\n2024-05-10 00:00:03+00:00,0,40\n",
    "burstgpt": "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,"
    "Log Type\n"
    "5,a,3,ChatGPT,100,20,120,Conversation log\n6,b,1,GPT-4,100,0,100,API log\n"
    "8.0,c,1,GPT-4,0,40,40,API log\n",
    "alibaba_gpu_2020": "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,"
    "plan_gpu,gpu_type\n"
    "j,worker,4,Terminated,10,20,600,29,50,T4\nk,ps,1,Failed,11,,600,29,50,T4\nl,w,1,Terminated,13,20,6,2,100,T4\n",
    "alibaba_gpu_2023": "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
    "deletion_time,scheduled_time\nopenb-pod-1,12000,16384,2,1000,,LS,Running,0,100,10\n"
    "openb-pod-2,6000,12288,1,460,,BE,Succeeded,3,60,3\nopenb-pod-3,6000,12288,1,460,,BE,Pending,5,60,\n",
    "helios": "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
    "1,u1,v1,2,1,1,COMPLETED,2020-06-09 18:41:00,2020-06-09 18:41:01,2020-06-09 18:51:01,600,1\n"
    "2,u2,v1,1,16,1,FAILED,2020-06-09 18:41:03,2020-06-09 18:41:27,2020-06-09 18:45:36,249,24\n",
    "acme": "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,"
    "queue,gpu_time\n"
    "a,u5,1,2,128,Other,FAILED,2023-03-01 00:18:00+08:00,2023-03-01 00:18:54+08:00,,117,32,234\n"
    "b,u5,1,1,128,Other,COMPLETED,2023-03-01 00:18:03+08:00,,,2693,13,2693\n",
    "sustaincluster": "job_name,start_time,end_time,start_date,duration_min,cpu_usage,gpu_wrk_util,avg_mem,"
    "avg_gpu_wrk_mem,bandwidth_gb\na,10,70,x,1,300,150,20,5,2.5\nb,13,73,x,1,300,50,20,5,0.5\n",
}  # fmt: skip
"""Invented rows in the forms of the published files."""


@pytest.mark.parametrize("form", TRACES)
def test_public_traces_become_jobs(form: str, tmp_path: Any) -> None:
    (tmp_path / "trace.csv").write_text(TRACES[form])
    assert convert_trace(tmp_path / "trace.csv", form, tmp_path / "jobs.csv") == 2
    jobs, _ = read_jobs(tmp_path / "jobs.csv", ("a", "b"))
    assert jobs.arrival_s == pytest.approx([0.0, 3.0], abs=0.02)
    if form in {"azure_llm", "burstgpt"}:
        assert jobs.tokens_per_gpu_s * jobs.work_gpu_s == pytest.approx([20.0, 40.0])
        assert list(jobs.gpus) == [1.0, 1.0]
    else:
        assert list(jobs.gpus) == [2.0, 1.0]
        with (tmp_path / "jobs.csv").open() as file:
            assert {row["kind"] for row in csv.DictReader(file)} == {"batch"}


def test_a_trace_without_its_columns_or_without_jobs_is_refused(tmp_path: Any) -> None:
    (tmp_path / "trace.csv").write_text("job_id,gpu_num,submit_time,duration\n1,0,2020-06-09 18:41:00,5\n")
    with pytest.raises(ScenarioError, match="none of its 1 rows is a job with accelerators"):
        convert_trace(tmp_path / "trace.csv", "helios", tmp_path / "jobs.csv")
    with pytest.raises(ScenarioError, match="form azure_llm needs the column 'ContextTokens'"):
        convert_trace(tmp_path / "trace.csv", "azure_llm", tmp_path / "jobs.csv")
