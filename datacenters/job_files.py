"""Jobs from files: your own, and public traces that become such files."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import nearest
from cosim.core.types import Floats, Ints
from datacenters.data import table
from datacenters.kernels.jobs import Jobs
from datacenters.workload import KINDS, full_tokens_per_gpu_s

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, str] = {
    "job": "name of the job",
    "arrival_s": "seconds after the start of the run",
    "gpus_count": "accelerators",
    "duration_s": "time it runs undisturbed",
    "busy_pu": "how busy it keeps them; default 0.8",
    "kind": f"{', '.join(KINDS)}; default batch",
    "deadline_s": "latest end; empty: none",
    "home": "site its data lies at; empty: any",
    "state_gb": "what travels when it moves; default 20 an accelerator",
    "checkpoint_every_s": "default 1200; 0: it keeps none",
    "checkpoint_s": "default 20",
    "load_s": "default 60",
    "dirty_gbit_per_s": "default 0",
    "movable": "default true",
    "tokens_count": "tokens it writes in all; default of batch inference: a 70B model at full batch",
}
"""Columns of a trace of jobs; the first four must be there."""
OPTIONAL = ("state_gb", "tokens_count")
"""Numbers whose default follows from others."""


def read_jobs(file: str | Path, sites: Sequence[str]) -> tuple[Jobs, tuple[str, ...]]:
    """Read jobs from a CSV or Parquet file with the columns of `COLUMNS`.

    Raises
    ------
    ScenarioError
        With file, row, column and value of everything that is wrong.
    """
    frame = _frame(Path(file)).astype(object)
    frame = frame.where(frame.notna(), "")
    unknown = [c for c in frame.columns if c not in COLUMNS]
    lacking = [c for c in list(COLUMNS)[:4] if c not in frame.columns]
    wrong = [
        f"{file}: column {c!r} is unknown (allowed: {', '.join(COLUMNS)}).{nearest(str(c), COLUMNS)}"
        for c in unknown
    ]
    wrong += [f"{file}: column {c!r} is missing: {COLUMNS[c]}" for c in lacking]
    if wrong:
        raise ScenarioError("\n".join(wrong))
    defaults: dict[str, float] = {
        "busy_pu": 0.8, "deadline_s": np.inf, "checkpoint_every_s": 1200.0, "checkpoint_s": 20.0,
        "load_s": 60.0, "dirty_gbit_per_s": 0.0,
    }  # fmt: skip
    numbers = {
        name: _numbers(frame, name, defaults.get(name, math.nan), file, wrong)
        for name in COLUMNS
        if name not in {"job", "kind", "home", "movable", *OPTIONAL}
    }
    state_gb = _numbers(frame, "state_gb", math.nan, file, wrong)
    state_gb = np.where(np.isnan(state_gb), 20.0 * numbers["gpus_count"], state_gb)
    kind = _choices(frame, "kind", "batch", KINDS, file=file, wrong=wrong)
    home = _choices(frame, "home", "", ("", *sites), file=file, wrong=wrong) - 1
    if "movable" in frame:
        frame["movable"] = frame["movable"].astype(str).str.lower().replace({"1": "true", "0": "false"})
    movable = _choices(frame, "movable", "true", ("false", "true"), file=file, wrong=wrong) == 1
    work_gpu_s = numbers["gpus_count"] * numbers["busy_pu"] * numbers["duration_s"]
    writes = np.where(kind == KINDS.index("batch_inference"), full_tokens_per_gpu_s("llama31_70b"), 0.0)
    tokens = _numbers(frame, "tokens_count", math.nan, file, wrong)
    tokens = np.where(np.isnan(tokens), work_gpu_s * writes, tokens)
    if wrong:
        raise ScenarioError("\n".join(wrong[:20]))
    order = np.argsort(numbers["arrival_s"], kind="stable")
    every_s = np.where(numbers["checkpoint_every_s"] > 0.0, numbers["checkpoint_every_s"], np.inf)
    jobs = Jobs(
        arrival_s=numbers["arrival_s"],
        gpus=numbers["gpus_count"],
        busy_pu=numbers["busy_pu"],
        work_gpu_s=work_gpu_s,
        deadline_s=numbers["deadline_s"],
        state_gb=state_gb,
        every_s=every_s,
        save_s=numbers["checkpoint_s"],
        load_s=numbers["load_s"],
        dirty_gbit_per_s=numbers["dirty_gbit_per_s"],
        tokens_per_gpu_s=tokens / np.maximum(work_gpu_s, 1e-12),
        kind=kind,
        home=home,
        movable=movable,
        allowed=np.ones((len(frame), len(sites)), dtype=np.bool_),
    )
    names = frame["job"].astype(str).to_numpy()[order]
    return Jobs(*(column[order] for column in jobs)), tuple(names)  # type: ignore[arg-type]


def _frame(file: Path) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - half a second, for files only

    if not file.is_file():
        msg = f"{file}: no such file (allowed: jobs as .csv or .parquet)"
        raise ScenarioError(msg)
    try:
        return (
            pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, keep_default_na=False)
        )
    except Exception as error:  # whatever a broken file makes pandas raise
        msg = f"{file}: cannot be read: {error}"
        raise ScenarioError(msg) from error


def _numbers(frame: "pd.DataFrame", name: str, default: float, file: str | Path, wrong: list[str]) -> Floats:
    if name not in frame:
        return np.full(len(frame), default)
    found = np.full(len(frame), default)
    for row, value in enumerate(frame[name]):
        text = str(value).strip()
        if not text:
            if math.isnan(default) and name not in OPTIONAL:
                wrong.append(f"{file}, row {row + 2}, column {name}: is empty (allowed: a number)")
            continue
        try:
            found[row] = float(text)
        except ValueError:
            wrong.append(f"{file}, row {row + 2}, column {name}: {text!r} is no number")
            continue
        if not found[row] >= 0.0:
            wrong.append(f"{file}, row {row + 2}, column {name}: {text} (allowed: a number >= 0)")
    return found


def _choices(
    frame: "pd.DataFrame",
    name: str,
    default: str,
    known: Sequence[str],
    *,
    file: str | Path,
    wrong: list[str],
) -> Ints:
    if name not in frame:
        return np.full(len(frame), list(known).index(default), dtype=np.int64)
    place = {value: k for k, value in enumerate(known)}
    found = np.zeros(len(frame), dtype=np.int64)
    for row, value in enumerate(frame[name].astype(str)):
        text = value.strip() or default
        if text not in place:
            names = ", ".join(k for k in known if k)
            hint = nearest(text, known)
            wrong.append(
                f"{file}, row {row + 2}, column {name}: {text!r} is unknown (allowed: {names}).{hint}"
            )
            continue
        found[row] = place[text]
    return found


def _azure_llm(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Turn requests of the Azure LLM inference traces into single-accelerator batch jobs.

    Columns TIMESTAMP, ContextTokens, GeneratedTokens (Azure/AzurePublicDataset, CC-BY). A request keeps an
    accelerator for its tokens at the rates of the 70B model in `inference_models`, shared by its batch; a
    token of the prompt counts a tenth of one that is written (unconfirmed).
    """
    import pandas as pd  # noqa: PLC0415

    row = table("inference_models")["llama31_70b"]
    full = float(row["tokens_low_per_s"]) + float(row["tokens_span_per_s"])
    per_gpu = full / float(row["gpus_count"])
    when = pd.to_datetime(frame["TIMESTAMP"])
    tokens = frame["GeneratedTokens"] + 0.1 * frame["ContextTokens"]
    return pd.DataFrame({
        "job": [f"request {k}" for k in range(len(frame))],
        "arrival_s": (when - when.min()).dt.total_seconds(),
        "gpus_count": 1,
        "duration_s": (tokens / per_gpu).clip(lower=1e-3),
        "kind": "batch_inference",
        "state_gb": 0.0,
        "checkpoint_every_s": 0.0,
        "checkpoint_s": 0.0,
        "load_s": 0.0,
    })  # fmt: skip


def _burstgpt(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Turn BurstGPT (HPMLL/BurstGPT: Timestamp, Request tokens, Response tokens) into batch jobs."""
    renamed = frame.rename(columns={"Request tokens": "ContextTokens", "Response tokens": "GeneratedTokens"})
    import pandas as pd  # noqa: PLC0415

    renamed["TIMESTAMP"] = pd.to_datetime(frame["Timestamp"].astype(float), unit="s")
    return _azure_llm(renamed)


def _alibaba(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Turn tasks of the Alibaba 2020 GPU trace (alibaba/clusterdata, `pai_task_table`) into jobs.

    Columns job_name, start_time, duration (or end_time) [s] and gpu_num, or plan_gpu in percent of one for
    each of inst_num instances (1 without that column). Tasks without accelerators, start or end are left out.
    """
    import pandas as pd  # noqa: PLC0415

    def numbers(name: str) -> "pd.Series[float]":
        return pd.to_numeric(frame[name], errors="coerce").astype(float)

    each = numbers("inst_num") if "inst_num" in frame else 1.0
    gpus = numbers("gpu_num") if "gpu_num" in frame else each * numbers("plan_gpu") / 100.0
    start = numbers("start_time")
    lasts = numbers("duration") if "duration" in frame else numbers("end_time") - start
    kept = (gpus > 0) & (lasts > 0) & start.notna()
    start = start[kept]
    return pd.DataFrame({
        "job": frame["job_name"][kept].astype(str),
        "arrival_s": start - start.min(),
        "gpus_count": gpus[kept].clip(lower=1.0).round(),
        "duration_s": lasts[kept].astype(float),
        "kind": "batch",
    })  # fmt: skip


CONVERTERS: dict[str, Callable[["pd.DataFrame"], "pd.DataFrame"]] = {
    "azure_llm": _azure_llm,
    "burstgpt": _burstgpt,
    "alibaba_gpu_2020": _alibaba,
}
"""Public traces that become files of jobs."""


def convert_trace(source: str | Path, form: str, target: str | Path) -> int:
    """Write a public trace as a file of jobs (.csv or .parquet); returns how many.

    Raises
    ------
    ScenarioError
        When the form is unknown or the file lacks a column it needs.
    """
    if form not in CONVERTERS:
        msg = f"trace {form!r} is unknown (allowed: {', '.join(CONVERTERS)}).{nearest(form, CONVERTERS)}"
        raise ScenarioError(msg)
    frame = _frame(Path(source))
    try:
        made = CONVERTERS[form](frame)
    except KeyError as error:
        has = ", ".join(map(str, frame.columns))
        msg = f"{source}: a trace of form {form} needs the column {error}; it has {has}"
        raise ScenarioError(msg) from error
    out = Path(target)
    if out.suffix == ".parquet":
        made.to_parquet(out, index=False)
    else:
        made.to_csv(out, index=False)
    return len(made)
