"""Public traces of jobs and requests become files of jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import nearest
from datacenters.job_files import frame_of
from datacenters.workload import full_tokens_per_gpu_s

if TYPE_CHECKING:
    import pandas as pd

PROMPT_PU = 0.1
"""A token of the prompt against one that is written (unconfirmed)."""


def _numbers(frame: "pd.DataFrame", name: str) -> "pd.Series[float]":
    import pandas as pd  # noqa: PLC0415 - half a second, for files only

    return pd.to_numeric(frame[name], errors="coerce").astype(float)


def _seconds(frame: "pd.DataFrame", name: str) -> "pd.Series[float]":
    """Return times, with or without fractions and zone, as seconds; empty ones as nan."""
    import pandas as pd  # noqa: PLC0415

    when = pd.to_datetime(frame[name], format="ISO8601", utc=True, errors="coerce")
    return (when - pd.Timestamp(0, tz="UTC")).dt.total_seconds()


def _whole(gpus: "pd.Series[float]") -> "pd.Series[float]":
    """Return whole accelerators, one at least: a part of one counts as one."""
    return (gpus - 1e-9) // 1.0 + 1.0


def _requests(
    arrival_s: "pd.Series[float]", prompt: "pd.Series[float]", written: "pd.Series[float]"
) -> "pd.DataFrame":
    """Turn requests into single-accelerator batch jobs; those that were answered nothing are left out.

    A request keeps an accelerator for its tokens at the rates of the 70B model in `inference_models`, shared
    by its batch.
    """
    import pandas as pd  # noqa: PLC0415

    kept = arrival_s.notna() & (written > 0.0)
    arrival_s, written, prompt = arrival_s[kept], written[kept], prompt[kept].fillna(0.0)
    return pd.DataFrame({
        "job": [f"request {k}" for k in np.flatnonzero(kept)],
        "arrival_s": arrival_s - arrival_s.min(),
        "gpus_count": 1,
        "duration_s": (written + PROMPT_PU * prompt) / full_tokens_per_gpu_s("llama31_70b"),
        "busy_pu": 1.0,
        "kind": "batch_inference",
        "tokens_count": written,
        "state_gb": 0.0,
        "checkpoint_every_s": 0.0,
        "checkpoint_s": 0.0,
        "load_s": 0.0,
    })  # fmt: skip


def _azure_llm(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Azure LLM inference 2023 and 2024 (Azure/AzurePublicDataset, CC BY): one request a row."""
    prompt, written = _numbers(frame, "ContextTokens"), _numbers(frame, "GeneratedTokens")
    return _requests(_seconds(frame, "TIMESTAMP"), prompt, written)


def _burstgpt(frame: "pd.DataFrame") -> "pd.DataFrame":
    """BurstGPT 1 to 3 (HPMLL/BurstGPT, CC BY 4.0): times in seconds, failed requests with no answer."""
    prompt, written = _numbers(frame, "Request tokens"), _numbers(frame, "Response tokens")
    return _requests(_numbers(frame, "Timestamp"), prompt, written)


def _jobs(
    name: "pd.Series[str]",
    start_s: "pd.Series[float]",
    lasts_s: "pd.Series[float]",
    gpus: "pd.Series[float]",
    **more: "pd.Series[float]",
) -> "pd.DataFrame":
    """Return jobs with accelerators, start and end; the others are left out."""
    import pandas as pd  # noqa: PLC0415

    kept = (gpus > 0.0) & (lasts_s > 0.0) & start_s.notna()
    start_s = start_s[kept]
    columns = {
        "job": name[kept].astype(str),
        "arrival_s": start_s - start_s.min(),
        "gpus_count": _whole(gpus[kept]),
        "duration_s": lasts_s[kept],
        "kind": "batch",
    }
    return pd.DataFrame(columns | {key: values[kept] for key, values in more.items()})


def _alibaba_2020(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Alibaba 2020 (alibaba/clusterdata, `pai_task_table` with its header): one task of a job a row.

    `plan_gpu` is in percent of an accelerator, for each of `inst_num` instances.
    """
    each = _numbers(frame, "inst_num") if "inst_num" in frame else 1.0
    start = _numbers(frame, "start_time")
    gpus = each * _numbers(frame, "plan_gpu") / 100.0
    return _jobs(frame["job_name"], start, _numbers(frame, "end_time") - start, gpus)


def _alibaba_2023(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Alibaba 2023 (alibaba/clusterdata, `openb_pod_list_*`): one pod a row; `gpu_milli` is a part of one.

    A pod arrives when it is created and runs from when it was scheduled until it is deleted; pods never
    scheduled are left out.
    """
    gpus = _numbers(frame, "num_gpu") * _numbers(frame, "gpu_milli").clip(upper=1000.0) / 1000.0
    start = _numbers(frame, "creation_time").where(_numbers(frame, "scheduled_time").notna())
    lasts = _numbers(frame, "deletion_time") - _numbers(frame, "scheduled_time")
    return _jobs(frame["name"], start, lasts, gpus)


def _slurm(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Helios and Acme (S-Lab-System-Group/HeliosData `cluster_log`, InternLM/AcmeTrace, CC BY 4.0)."""
    gpus, lasts = _numbers(frame, "gpu_num"), _numbers(frame, "duration")
    return _jobs(frame["job_id"], _seconds(frame, "submit_time"), lasts, gpus)


def _sustaincluster(frame: "pd.DataFrame") -> "pd.DataFrame":
    """SustainCluster (HewlettPackard/sustain-cluster, `extracted_dfas_with_bandwidth`): Alibaba 2020 by task.

    `gpu_wrk_util` is the use in percent of one accelerator, `bandwidth_gb` what travels when a task does.
    """
    used = _numbers(frame, "gpu_wrk_util") / 100.0
    start, lasts = _numbers(frame, "start_time"), _numbers(frame, "duration_min") * 60.0
    state = _numbers(frame, "bandwidth_gb")
    busy = used / _whole(used)
    return _jobs(frame["job_name"], start, lasts, used, busy_pu=busy, state_gb=state)


CONVERTERS: dict[str, Callable[["pd.DataFrame"], "pd.DataFrame"]] = {
    "azure_llm": _azure_llm,
    "burstgpt": _burstgpt,
    "alibaba_gpu_2020": _alibaba_2020,
    "alibaba_gpu_2023": _alibaba_2023,
    "helios": _slurm,
    "acme": _slurm,
    "sustaincluster": _sustaincluster,
}
"""Public traces that become files of jobs."""


def convert_trace(source: str | Path, form: str, target: str | Path) -> int:
    """Write a public trace as a file of jobs (.csv or .parquet); returns how many.

    Raises
    ------
    ScenarioError
        When the form is unknown, or the file lacks a column it needs or has no job.
    """
    if form not in CONVERTERS:
        msg = f"trace {form!r} is unknown (allowed: {', '.join(CONVERTERS)}).{nearest(form, CONVERTERS)}"
        raise ScenarioError(msg)
    frame = frame_of(Path(source))
    try:
        made = CONVERTERS[form](frame)
    except KeyError as error:
        has = ", ".join(map(str, frame.columns))
        msg = f"{source}: a trace of form {form} needs the column {error}; it has {has}"
        raise ScenarioError(msg) from error
    if not len(made):
        msg = f"{source}: none of its {len(frame)} rows is a job with accelerators, a start and an end"
        raise ScenarioError(msg)
    out = Path(target)
    if out.suffix == ".parquet":
        made.to_parquet(out, index=False)
    else:
        made.to_csv(out, index=False)
    return len(made)
