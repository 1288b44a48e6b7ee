"""Tables of the section on work: jobs by site, services, trips of both, the guard's decisions."""

import json
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.kpi import compute
from cosim.report.moves import FETCHED, UNDER_WAY, Trip, fleets
from cosim.report.work_map import sites_of
from cosim.verdict.text import number

if TYPE_CHECKING:
    from cosim.results import Results

MOST_ROWS = 60
FOLDED_FROM = 13
"""Tables of so many rows are opened by the reader."""

OUTCOMES = (
    ("jobs_ended_count", "ended"),
    ("jobs_late_count", "late"),
    ("jobs_failed_count", "fell back"),
    ("jobs_moved_count", "came"),
    ("job_work_gpu_h", "jobs [GPU·h]"),
    ("job_overhead_gpu_h", "loading [GPU·h]"),
    ("job_lost_gpu_h", "to do again [GPU·h]"),
    ("data_moved_gb", "sent [GB]"),
    ("tokens_count", "tokens [million]"),
    ("unanswered_share_pu", "unanswered [pu]"),
    ("latency_max_ms", "latency [ms]"),
)
"""KPIs of the table by site, with their headings; those that are zero everywhere are left out."""

SERVICE_KPIS = (
    "latency_mean_ms",
    "latency_max_ms",
    "tokens_count",
    "unanswered_tokens_count",
    "unanswered_share_pu",
)
LATENCY_EDGE_MS = 1e-9
ALWAYS = ("jobs_ended_count", "jobs_late_count", "jobs_failed_count", "jobs_moved_count")
MILLIONS = "tokens_count"

COUNTED = (
    ("job_rolled_back", "moves rolled back"),
    ("job_suspended", "jobs suspended"),
    ("refused", "orders refused"),
    ("site_lost", "sites lost"),
    ("line_cut", "lines cut"),
)
NOTES = (
    "refused",
    "move_short",
    "not_shed",
    "move_service",
    "double_short",
    "surge",
    "limit_jobs",
    "job_held",
)
"""Events told among the trips."""


def sites_table(results: "Results") -> str:
    """Return what became of jobs and requests, a row for each site, or nothing without sites."""
    sites = sites_of(results)
    if not sites:
        return ""
    columns = []
    for kpi, label in OUTCOMES:
        values = np.array([compute(results, kpi, at) for at in (*sites, None)])
        if kpi in ALWAYS or np.nansum(np.abs(values)) > 0.0:
            columns.append((label, values * (1e-6 if kpi == MILLIONS else 1.0)))
    rows = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td class=n>{_number(float(values[row]))}</td>" for _, values in columns)
        + "</tr>"
        for row, name in enumerate((*sites, "all"))
    ]
    told = results.events["kind"].value_counts()
    counted = ", ".join(f"{words}: {int(told.get(kind, 0))}" for kind, words in COUNTED)
    note = (
        "Counts and work since the run began; latency is the longest of the network to what a site answers."
    )
    return (
        "<h3>What became of jobs and requests</h3>"
        f"{_table(('site', *(label for label, _ in columns)), rows)}"
        f'<p class="note">In all {counted}. {note}</p>'
    )


def services_table(results: "Results") -> str:
    """Return whether latency was held and what was answered, a row for each service, or nothing."""
    bounds = latency_bounds(results)
    if "service" not in results.tables:
        return ""
    rows = []
    for name in results.elements("service"):
        told = [compute(results, kpi, name) for kpi in SERVICE_KPIS]
        bound = bounds.get(name, np.nan)
        kind = "violated" if told[1] > bound + LATENCY_EDGE_MS else "held"
        cells = (bound, *told[:2], told[2] / 1e6, told[3] / 1e6, 100.0 * told[4])
        numbers = "".join(f"<td class=n>{_number(float(cell))}</td>" for cell in cells)
        rows.append(f"<tr class={kind}><td>{escape(name)}</td>{numbers}<td>{kind}</td></tr>")
    heads = (
        *("service", "bound [ms]", "mean latency [ms]", "farthest site [ms]", "tokens [million]"),
        *("tokens unanswered [million]", "requests unanswered [%]", "latency"),
    )
    note = "One way, of the network between users and the site that answers; means by work."
    return f'<h3>Latency held, tokens served</h3>{_table(heads, rows)}<p class="note">{note}</p>'


def latency_bounds(results: "Results") -> dict[str, float]:
    """Return the longest latency each service may have [ms]."""
    return {
        str(service["name"]): float(service["latency_bound_ms"])
        for fleet in fleets(results)
        for service in fleet.get("services", ())
    }


def trips_table(results: "Results", found: Sequence[Trip]) -> str:
    """Return every trip with its reason, and orders among them, in order of time."""
    notes = results.events[results.events["kind"].isin(NOTES)]
    if not found and not len(notes):
        return ""
    timed = [(trip.leaves_s, _trip(trip)) for trip in found]
    timed += [(float(note["t_s"]), _note(note)) for _, note in notes.iterrows()]
    timed.sort(key=lambda row: row[0])
    heads = ("at [s]", "job or service", "from", "to", "GPU", "took [s]", "what became of it", "why")
    title = f"Who moved what where, and why: {len(found)} trips of jobs and services"
    return _folded(title, heads, [row for _, row in timed])


def guard_table(results: "Results") -> str:
    """Return what was asked of the guard, what it allowed, and what would have broken."""
    events = results.events[results.events["kind"] == "guard"]
    if not len(events):
        return ""
    told = [(float(e["t_s"]), str(e["source"]), json.loads(str(e["data"]))) for _, e in events.iterrows()]
    none = sum(data["granted_mw"] <= 0.0 for *_, data in told)
    whole = sum(data["granted_mw"] >= data["asked_mw"] for *_, data in told)
    some = len(told) - whole - none
    heads = ["at [s]", "who asks", "asked [MW]", "allowed [MW]", "ramp [MW/min]"]
    heads += ["what is nearest, or would break", "value there"]
    title = f"The guard's decisions: {whole} allowed, {some} in part, {none} not at all"
    return _folded(title, heads, [_decision(*decision) for decision in told])


def _folded(title: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    shown = list(rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        more = f"and {len(rows) - MOST_ROWS} more in the results folder"
        shown.append(f"<tr><td colspan={len(heads)}>{more}</td></tr>")
    opened = "" if len(rows) >= FOLDED_FROM else " open"
    return f"<details{opened}><summary>{escape(title)}</summary>{_table(heads, shown)}</details>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _trip(trip: Trip) -> str:
    known = trip.ends_s is not None and trip.outcome not in (FETCHED, UNDER_WAY)
    took = number(trip.ends_s - trip.leaves_s) if known and trip.ends_s is not None else "–"
    cells = (trip.job, trip.source, trip.target, number(trip.gpus), took, trip.outcome, trip.why)
    return (
        f"<tr><td class=n>{trip.leaves_s:g}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
    )


def _note(note: Any) -> str:
    kind, source = str(note["kind"]).replace("_", " "), str(note["source"])
    return (
        f"<tr><td class=n>{float(note['t_s']):g}</td><td colspan=6>{escape(str(note['text']))}</td>"
        f"<td>{escape(kind)} at {escape(source)}</td></tr>"
    )


def _decision(t_s: float, unit: str, data: dict[str, Any]) -> str:
    asked, granted, ramp = float(data["asked_mw"]), float(data["granted_mw"]), data.get("ramp_mw_per_min")
    without = f" without {data['without']}" if data.get("without") else ""
    near = f"{data.get('limit') or ''} {data.get('at') or ''}{without}".strip()
    reading = ""
    if data.get("value") is not None and data.get("bound") is not None:
        reading = (
            f"{number(float(data['value']))}, limit {number(float(data['bound']))} {data.get('unit', '')}"
        )
    kind = "held" if granted >= asked else "violated" if granted <= 0.0 else "warned"
    told = "none" if ramp is None else number(float(ramp))
    return (
        f"<tr class={kind}><td class=n>{t_s:g}</td><td>{escape(unit)}</td><td class=n>{number(asked)}</td>"
        f"<td class='n o'>{number(granted)}</td><td class=n>{told}</td>"
        f"<td>{escape(near)}</td><td class=n>{escape(reading)}</td></tr>"
    )


def _number(value: float) -> str:
    return number(value) if np.isfinite(value) else "–"
