"""The head of the page: verdict, first violation, key figures."""

import math
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from cosim.verdict import Finding, Verdict
from cosim.verdict.text import quantity

if TYPE_CHECKING:
    from cosim.results import Results

TILES = (
    ("vm_min_pu", "lowest voltage"),
    ("vm_max_pu", "highest voltage"),
    ("loading_max_percent", "highest loading"),
    ("f_nadir_hz", "frequency nadir"),
    ("rocof_max_hz_per_s", "fastest RoCoF"),
    ("temp_die_max_degc", "hottest die"),
    ("soc_min_pu", "lowest charge"),
    ("work_unserved_gpu_h", "work not done"),
)


def title(results: "Results") -> str:
    """Return the title of the scenario, or the name of the folder."""
    scenario = results.manifest.get("scenario")
    named = scenario.get("title") or scenario.get("name") if isinstance(scenario, dict) else None
    return str(named or results.path.name)


def start(results: "Results") -> str:
    """Return date and time at t_s = 0 as ISO text, or nothing."""
    clock = results.manifest.get("clock")
    return str(clock.get("start", "")) if isinstance(clock, dict) else ""


def badge(verdict: Verdict) -> str:
    """Return the verdict in one word."""
    if verdict.run_status != "complete":
        return f'<span class="badge fail">INCOMPLETE</span> <small>run {escape(verdict.run_status)}</small>'
    if not verdict.passed:
        return '<span class="badge fail">FAILS</span>'
    warned = len(verdict.warnings)
    text = f" <small>{warned} warning{'s' if warned > 1 else ''}</small>" if warned else ""
    if not verdict.judged:
        text = f" <small>judged by no limit</small>{text}"
    return f'<span class="badge pass">PASSES</span>{text}'


def headline(verdict: Verdict, start: str) -> str:
    """Return the first violation with its cause, or what came closest."""
    if verdict.first is not None:
        return _first(verdict.first, sum(f.fails for f in verdict.findings) - 1, start)
    closest = verdict.satisfied[0] if verdict.satisfied else None
    text = f"<p>{escape(verdict.scope())}.</p>"
    if closest is not None:
        margin = _quantity(closest.margin, closest, 3)
        text += f"<p><b>Closest:</b> {escape(closest.sentence())}, margin {margin}.</p>"
    return text + "".join(f"<p><b>Warning:</b> {escape(f.sentence())}.</p>" for f in verdict.warnings[:3])


def _first(first: Finding, more: int, start: str) -> str:
    when = "" if first.t_s is None else f" at <b>{first.t_s:g} s</b>{_clock(start, first.t_s)}"
    where = f"{escape(first.element)} ({escape(first.where)})" if first.where else escape(first.element)
    if first.kind == "completeness":
        text = escape(first.title)
    elif first.outcome == "unknown":
        text = f"First: {escape(first.title)}: no value for {first.unknown_s:g} s, from{when}"
    else:
        at = f" at <b>{where}</b>" if where else ""
        value = escape(first.title)
        if math.isfinite(first.value):
            value += f": <b>{_quantity(first.value, first)}</b>"
        text = f"<b>First violation:</b> {value}{at}{when}{_bound(first)}{_extent(first)}"
    cause = f"<p><b>Cause:</b> {escape(first.cause)}.</p>" if first.cause else ""
    rest = f"<p>{more} further failure{'s' if more > 1 else ''} in the table below.</p>" if more > 0 else ""
    return f"<p>{text}.</p>{cause}{rest}"


def _bound(first: Finding) -> str:
    if first.limit is None:
        return ""
    mark = " (unconfirmed)" if first.status == "unconfirmed" else ""
    clause = f"{escape(first.document)} {escape('' if first.clause == '-' else first.clause)}".strip()
    beyond = _quantity(-first.margin, first, 3)
    return f"; limit {_quantity(first.limit, first)} ({clause}{mark}), beyond it by {beyond}"


def _extent(first: Finding) -> str:
    lasted = f", for {first.lasted_s:g} s in all" if first.lasted_s else ""
    if first.worst_t_s is None or first.worst_value == first.value:
        return lasted
    worst = f"{_quantity(first.worst_value, first)} at {escape(first.worst_element)}, {first.worst_t_s:g} s"
    return f"{lasted}; worst {worst}"


def _quantity(value: float, finding: Finding, digits: int = 5) -> str:
    return escape(quantity(value, finding.unit, digits))


def _clock(start: str, t_s: float) -> str:
    """Return the time of day in brackets, or nothing for a run without a date."""
    return f" ({datetime.fromisoformat(start) + timedelta(seconds=t_s):%H:%M:%S})" if start else ""


def facts(results: "Results", end_s: float) -> str:
    """Return what was simulated, in one line."""
    begins = start(results)
    facts = [f"{end_s:g} s simulated in {results.dt_s.size} exchanges"]
    if begins:
        begin = datetime.fromisoformat(begins)
        end = begin + timedelta(seconds=end_s)
        until = f"{end:%H:%M:%S}" if end.date() == begin.date() else f"{end:%Y-%m-%d %H:%M:%S}"
        facts.insert(0, f"{begin:%Y-%m-%d %H:%M:%S} to {until} {begin:%Z}")
    if "seed" in results.manifest:
        facts.append(f"seed {results.manifest['seed']}")
    facts.append(f"{len(results.units)} units")
    if "wall_s" in results.manifest:
        facts.append(f"computed in {results.manifest['wall_s']:.3g} s")
    return " · ".join(escape(fact) for fact in facts)


def tiles(every: dict[str, dict[str, Any]]) -> str:
    """Return the key figures a reader looks for first."""
    tiles = []
    for name, label in TILES:
        record = every.get(name)
        if record is None or record["value"] is None:
            continue
        where = escape(str(record["at"]))
        when = "" if record["t_s"] is None else f"at {record['t_s']:g} s"
        value, _, unit = quantity(record["value"], record["unit"], 4).partition(" ")
        tiles.append(
            f"<div class=tile><span>{escape(label)}</span><b>{value}<i> {escape(unit)}</i></b>"
            f"<span>{where}</span><span>{when}</span></div>"
        )
    return "".join(tiles)
