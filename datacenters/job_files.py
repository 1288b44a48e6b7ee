"""Jobs from files of your own."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import nearest
from cosim.core.types import Floats, Ints
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
    frame = frame_of(Path(file)).astype(object)
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
        fate=np.zeros(len(frame), dtype=np.int64),
        movable=movable,
        allowed=np.ones((len(frame), len(sites)), dtype=np.bool_),
    )
    names = frame["job"].astype(str).to_numpy()[order]
    return Jobs(*(column[order] for column in jobs)), tuple(names)  # type: ignore[arg-type]


def frame_of(file: Path) -> "pd.DataFrame":
    """Return the table of a CSV or Parquet file. Raises ScenarioError when it cannot be read."""
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
