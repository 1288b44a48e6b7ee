"""A results folder of two sites between which jobs move, with numbers a test can add up. Not physics."""

import json
from pathlib import Path

import numpy as np

from cosim.results import Event, Results, TableSpec, Writer, load

SITES, HALLS = ("west", "east"), ("west_hall", "east_hall")
RATES = {
    "job_gpu": (6000.0, 2000.0),
    "service_gpu": (0.0, 1000.0),
    "overhead_gpu": (100.0, 0.0),
    "double_gpu": (0.0, 0.0),
    "lost_gpu": (360.0, 0.0),
    "wanted_gpu": (0.0, 1000.0),
    "unanswered_gpu": (0.0, 250.0),
    "tokens_per_s": (0.0, 5e5),
    "latency_ms": (0.0, 12.0),
    "sent_gbit_per_s": (80.0, 0.0),
    "network_mw": (0.36, 0.0),
    "network_cny_per_h": (1200.0, 0.0),
}
SERVICE = {
    "wanted_gpu": 1000.0,
    "served_gpu": 750.0,
    "unanswered_gpu": 250.0,
    "tokens_per_s": 5e5,
    "unanswered_tokens_per_s": 1e5,
    "latency_mean_ms": 10.0,
    "latency_ms": 12.0,
}
METER = ("p_mw", "q_mvar", "p_import_mw", "p_export_mw")
COUNTS = {
    "ended_count": (1.0, 2.0),
    "late_count": (1.0, 0.0),
    "failed_count": (0.0, 3.0),
    "came_count": (0.0, 2.0),
    "went_count": (2.0, 0.0),
}
"""At the end; they grow evenly from the middle of the run."""

SCENARIO = """
title: Work moves
start: 2026-08-05T20:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10}
grid: {case: two_bus}
limits: []
units:
  west_hall: {component: gpu_hall, at: west_park}
  east_hall: {component: gpu_hall, at: east_park}
  west:
    component: site
    place: hami
    runs_on: west_hall
    fleet:
      policy: backfill
      services: [{name: chat, users: chongqing, mean_gpu: 1000, latency_bound_ms: 15}]
  east: {component: site, place: chongqing, runs_on: east_hall}
"""


def told(t_s: float, source: str, kind: str, text: str = "", **data: object) -> Event:
    """Return an event with data."""
    packed = {"from" if key == "source" else key: value for key, value in data.items()}
    return Event(t_s, source, kind, text, json.dumps(packed) if packed else "")


def job(t_s: float, kind: str, name: str, to: str | None = "east") -> Event:
    """Return an event of a job of 1000 accelerators that leaves the west."""
    data = {"job": name, "gpus": 1000.0, "from": "west"} | ({} if to is None else {"to": to})
    return Event(t_s, "west", kind, f"{name} {kind}", json.dumps(data))


EVENTS = (
    Event(100.0, "west", "command", "move", json.dumps({"to": "east", "over_s": 300.0, "share_pu": 0.5})),
    job(110.0, "job_leaves", "a 1"),
    job(110.0, "job_leaves", "a 2"),
    job(200.0, "job_moved", "a 1"),
    job(250.0, "job_rolled_back", "a 2"),
    job(500.0, "job_leaves", "a 3"),
    job(520.0, "job_leaves", "<b>4</b>", None),
    job(540.0, "job_suspended", "<b>4</b>", None),
    told(120.0, "east", "guard", "asks", asked_mw=20.0, granted_mw=20.0, limit="voltage", at="east_park"),
    told(
        130.0,
        "east",
        "guard",
        "asks",
        asked_mw=20.0,
        granted_mw=7.5,
        limit="loading",
        at="T1",
        without="T2",
        value=134.0,
        bound=130.0,
        unit="%",
    ),
    told(140.0, "east", "guard", "asks", asked_mw=20.0, granted_mw=0.0, limit="loading", at="T1"),
    told(300.0, "west", "refused", "2 jobs cannot go"),
)


def made_work(
    folder: Path,
    *,
    shift_mw: float = 30.0,
    events: tuple[Event, ...] = EVENTS,
    status: str = "complete",
    scenario: str = SCENARIO,
    failed: float = 3.0,
) -> Results:
    """Write 600 s of two sites and return them; `shift_mw` moves from west to east at 300 s."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = COUNTS | {"failed_count": (0.0, failed)}
    specs = {
        "bus": TableSpec(("west_park", "east_park"), ("vm_pu",)),
        "point": TableSpec(HALLS, ("vm_pu", "f_hz", "p_mw", "q_mvar")),
        "area": TableSpec(("north",), ("f_hz",)),
        "gpu_hall": TableSpec(HALLS, ("p_mw",)),
        "site": TableSpec(SITES, (*RATES, *COUNTS)),
        "service": TableSpec(("chat",), tuple(SERVICE)),
        "meter": TableSpec(("gate",), METER),
    }
    writer = Writer(folder, specs)
    for t_s in np.arange(0.0, 600.0, 10.0):
        moved = shift_mw * (t_s >= 300.0)
        p_mw = np.array([60.0 - moved, 20.0 + moved])
        vm = np.array([1.0 + moved / 1e4, 1.0 - moved / 1e3])
        gate = (60.0 - 3.0 * moved, 0.0, max(60.0 - 3.0 * moved, 0.0), max(3.0 * moved - 60.0, 0.0))
        grown = max(t_s - 290.0, 0.0) / 300.0
        point = {"vm_pu": vm, "f_hz": np.full(2, 50.0), "p_mw": p_mw, "q_mvar": np.zeros(2)}
        site = {name: np.array(rate) for name, rate in RATES.items()}
        site |= {name: np.floor(np.array(count) * grown) for name, count in counts.items()}
        rows = {
            "bus": {"vm_pu": vm},
            "point": point,
            "area": {"f_hz": np.array([50.0 - moved / 1e3])},
            "gpu_hall": {"p_mw": p_mw},
            "site": site,
            "service": {name: np.full(1, rate) for name, rate in SERVICE.items()},
            "meter": {name: np.full(1, value) for name, value in zip(METER, gate, strict=True)},
        }
        writer.append(float(t_s), 10.0, rows)
    writer.add_events(events)
    units = [{"name": n, "kind": "gpu_hall", "at": n.replace("hall", "park")} for n in HALLS]
    units += [{"name": n, "kind": "site", "at": ""} for n in SITES]
    manifest = {
        "status": status,
        "scenario": {"name": folder.name, "title": folder.name, "text": scenario, "hash": "0" * 64},
        "clock": {"start": "2026-08-05T20:00:00+08:00", "step_s": 10.0},
        "seed": 1,
        "units": units,
        "hashes": writer.close(),
        "grid": {},
    }
    geography = {"lat": [43.0, 29.0], "lon": [94.0, 106.0], "vn_kv": [220.0, 220.0], "f_nominal_hz": [50.0]}
    geography |= {"line_from": [], "line_to": [], "points": {}}
    for name, content in (("manifest.json", manifest), ("model.json", {"geography": geography})):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return load(folder)
