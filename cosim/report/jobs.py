"""What became of jobs, from the row each has in the results."""

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from cosim.verdict.text import number

if TYPE_CHECKING:
    from cosim.results import Results

LEDGER = "job"
HEADS = (
    "jobs of", "all", "ended", "late", "waiting", "on a site", "to come", "moved", "fell back",
    "median wait [s]", "95 % waited less [s]", "lost [GPU·h]", "tokens [million]",
)  # fmt: skip


def jobs_table(results: "Results") -> str:
    """Return what became of the jobs of each population, or nothing in a run without rows of jobs."""
    if LEDGER not in results.ledgers:
        return ""
    jobs = results.ledger(LEDGER)
    if not len(jobs):
        return ""
    rows = [_row(str(name), part) for name, part in jobs.groupby("population", sort=True)]
    rows += [_row("all", jobs)] if len(rows) > 1 else []
    head = "".join(f"<th>{text}</th>" for text in HEADS)
    note = (
        f"Each job is in one state. A row for each of the {len(jobs)} jobs is in ledgers/{LEDGER}.parquet: "
        "when it came, began and ended, where, how long it waited, what it lost."
    )
    return (
        f"<h3>Jobs</h3><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f'<p class="note">{note}</p>'
    )


def _row(name: str, jobs: pd.DataFrame) -> str:
    state = jobs["state"].value_counts()
    ended, waiting, to_come = (int(state.get(what, 0)) for what in ("ended", "waiting", "to come"))
    came = jobs[jobs["state"] != "to come"]["waited_s"]
    values = (
        len(jobs), ended, int(jobs["late"].sum()), waiting, len(jobs) - ended - waiting - to_come, to_come,
        int((jobs["moved_count"] > 0).sum()), int((jobs["failed_count"] > 0).sum()), came.median(),
        came.quantile(0.95), jobs["lost_gpu_h"].sum(), jobs["tokens_count"].sum() * 1e-6,
    )  # fmt: skip
    cells = "".join(f"<td class=n>{'–' if pd.isna(value) else number(float(value))}</td>" for value in values)
    return f"<tr><td>{escape(name)}</td>{cells}</tr>"
