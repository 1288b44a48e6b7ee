"""A results folder with the documented layout and numbers a test can reason about.

Not physics: the shapes are those of a hand-over of 400 MW from `hefei` to `huaibei` between 60 s and
240 s, with a line trip at 600 s, so that every KPI, limit and plot has something to work on.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cosim.results import Event, Results, TableSpec, Writer, load

BUSES = (
    ("hefei_500", 117.2, 31.9, 500.0),
    ("huaibei_220", 116.8, 33.95, 220.0),
    ("huainan_500", 116.9, 32.6, 500.0),
    ("bengbu_220", 117.35, 32.95, 220.0),
    ("wuhu_500", 118.4, 31.35, 500.0),
    ("合肥_10", 117.3, 31.85, 10.0),
)
LINES = (
    ("huainan_hefei_1", 2, 0),
    ("huainan_hefei_2", 2, 0),
    ("hefei_wuhu_1", 0, 4),
    ("bengbu_huaibei_1", 3, 1),
    ("bengbu_huaibei_2", 3, 1),
)
TRAFOS = (("huainan_t1", 2, 3), ("hefei_t1", 0, 5))
UNITS = (
    {"name": "hefei", "kind": "gpu_hall", "at": "hefei_park"},
    {"name": "huaibei", "kind": "gpu_hall", "at": "huaibei_park"},
    {"name": "bess", "kind": "battery", "at": "huaibei_park"},
    {"name": "move", "kind": "handover", "at": None},
)
PHASE_ENDS_S = (60.0, 90.0, 110.0, 200.0, 225.0, 240.0)
"""Idle, warm-up, transfer, drain, double running, cut-over; then done."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "bus": ("vm_pu", "va_degree", "p_mw", "q_mvar"),
    "line": ("loading_percent", "i_ka", "p_from_mw", "q_from_mvar", "pl_mw"),
    "trafo": ("loading_percent", "p_hv_mw", "q_hv_mvar", "pl_mw", "tap_pos"),
    "gen": ("p_mw", "q_mvar", "vm_pu", "p_response_mw"),
    "area": ("f_hz", "f_min_hz", "f_max_hz", "rocof_hz_per_s", "p_imbalance_mw"),
    "grid": (
        "converged_pu",
        "iterations_count",
        "load_mw",
        "generation_mw",
        "losses_mw",
        "slack_mw",
        "slack_residual_mw",
    ),
    "point": ("vm_pu", "f_hz", "p_droop_mw", "p_mw", "q_mvar"),
    "gpu_hall": (
        "p_mw",
        "q_mvar",
        "it_mw",
        "cooling_mw",
        "work_done_gpu",
        "work_offered_gpu",
        "work_unserved_gpu",
        "temp_die_max_degc",
        "temp_air_degc",
        "temp_inlet_degc",
        "throttle_pu",
        "pue_pu",
        "facility_mw",
    ),
    "battery": ("p_mw", "q_mvar", "soc_pu"),
    "handover": ("work_source_gpu", "work_target_gpu", "moved_pu", "backlog_gpu_h", "phase_code"),
}
NAMES: dict[str, tuple[str, ...]] = {
    "bus": tuple(b[0] for b in BUSES),
    "line": tuple(x[0] for x in LINES),
    "trafo": tuple(x[0] for x in TRAFOS),
    "gen": ("pingwei_1", "fuyang_1"),
    "area": ("east_china",),
    "grid": ("grid",),
    "point": ("hefei", "huaibei", "bess"),
    "gpu_hall": ("hefei", "huaibei"),
    "battery": ("bess",),
    "handover": ("move",),
}
SCENARIO = "title: Hefei hands 400 MW to Huaibei\ngrid: {case: anhui}\nlimits: [cn]\n"


def moved_at(t_s: float) -> float:
    """Share moved: 0 until 60 s, 1 from 240 s."""
    return float(np.clip((t_s - 60.0) / 180.0, 0.0, 1.0))


def rows_at(t_s: float, *, tripped: bool) -> dict[str, dict[str, np.ndarray]]:
    """All tables of one exchange."""
    m, swing = moved_at(t_s), float(np.exp(-(((t_s - 250.0) / 40.0) ** 2)))
    hall = np.array([600.0 - 400.0 * m, 100.0 + 400.0 * m])
    line = np.array([48.0 + 10.0 * m, 48.0 + 10.0 * m, 30.0 - 5.0 * m, 45.0 + 8.0 * m, 45.0 + 8.0 * m])
    flow = np.array([700.0, 700.0, 300.0, 250.0, 250.0]) * line / 50.0
    if tripped:
        line[3:], flow[3:] = (0.0, 2.2 * line[4]), (0.0, 2.0 * flow[4])
    vm = np.array([1.02 + 0.004 * m, 1.01 - 0.02 * m - 0.03 * tripped, 1.03, 1.015 - 0.005 * m, 1.025, 1.01])
    f = 50.0 - 0.06 * swing
    soc = 0.6 - 0.1 * m
    source = 60_000.0 * (1 - m) + 5_000.0
    ones2 = np.ones(2)
    return {
        "bus": {"vm_pu": vm, "va_degree": np.zeros(6), "p_mw": np.zeros(6), "q_mvar": np.zeros(6)},
        "line": {
            "loading_percent": line,
            "i_ka": line / 40.0,
            "p_from_mw": flow,
            "q_from_mvar": 0.1 * flow,
            "pl_mw": 0.01 * flow,
        },
        "trafo": {
            "loading_percent": np.array([55.0 + 20.0 * m, 40.0]),
            "p_hv_mw": np.array([500.0 + 300 * m, 200.0]),
            "q_hv_mvar": np.zeros(2),
            "pl_mw": ones2,
            "tap_pos": np.array([2.0 * (t_s > 300.0), 0.0]),
        },
        "gen": {
            "p_mw": np.array([-600.0, -1000.0]),
            "q_mvar": np.zeros(2),
            "vm_pu": ones2,
            "p_response_mw": np.zeros(2),
        },
        "area": {
            "f_hz": np.array([f]),
            "f_min_hz": np.array([f - 0.01 * swing]),
            "f_max_hz": np.array([50.0 + 0.02 * swing]),
            "rocof_hz_per_s": np.array([-0.04 * swing]),
            "p_imbalance_mw": np.array([-100.0 * swing]),
        },
        "grid": {
            "converged_pu": np.ones(1),
            "iterations_count": np.full(1, 3.0),
            "load_mw": np.array([40_000.0 + hall.sum() - 5.0]),
            "generation_mw": np.array([41_000.0]),
            "losses_mw": np.array([360.0]),
            "slack_mw": np.array([300.0]),
            "slack_residual_mw": np.array([-4.0 * m]),
        },
        "point": {
            "vm_pu": np.array([vm[0], vm[1], vm[1]]),
            "f_hz": np.full(3, f),
            "p_droop_mw": np.array([0.0, 0.0, -9.0 * swing]),
            "p_mw": np.array([*hall, -36.0 * m]),
            "q_mvar": np.array([*(0.2 * hall), 0.0]),
        },
        "gpu_hall": {
            "p_mw": hall,
            "q_mvar": 0.2 * hall,
            "it_mw": hall / 1.25,
            "cooling_mw": hall * 0.15,
            "work_done_gpu": 100.0 * hall,
            "work_offered_gpu": 101.0 * hall,
            "work_unserved_gpu": 1.0 * hall,
            "temp_die_max_degc": np.array([72.0 - 20.0 * m, 45.0 + 38.0 * m]),
            "temp_air_degc": np.array([24.0, 23.0 + 6.0 * m]),
            "temp_inlet_degc": np.array([21.0, 20.0 + 4.0 * m]),
            "throttle_pu": np.array([0.0, 0.1 * (200.0 <= t_s < 230.0)]),
            "pue_pu": np.full(2, 1.25),
            "facility_mw": hall,
        },
        "battery": {"p_mw": np.array([-36.0 * m]), "q_mvar": np.zeros(1), "soc_pu": np.array([soc])},
        "handover": {
            "work_source_gpu": np.array([source]),
            "work_target_gpu": np.array([10_000.0 + 60_000.0 * m]),
            "moved_pu": np.array([m]),
            "backlog_gpu_h": np.array([200.0 * swing]),
            "phase_code": np.array([float(np.searchsorted(PHASE_ENDS_S, t_s, side="right"))]),
        },
    }


def made_run(
    folder: Path,
    *,
    dt_s: float = 5.0,
    end_s: float = 1200.0,
    trip_at_s: float | None = None,
    unsolved_s: tuple[float, ...] = (),
    tables: tuple[str, ...] | None = None,
    status: str = "complete",
    rename: dict[str, str] | None = None,
    f_nominal_hz: float = 50.0,
    f_known: bool = True,
    without_voltage: tuple[str, ...] = (),
    without_voltage_s: tuple[float, float] = (0.0, np.inf),
    loading3w_percent: float | None = None,
    events: tuple[Event, ...] = (),
) -> Results:
    """Write a run and return it loaded. `rename` replaces names of elements everywhere.

    `without_voltage` names buses that are dead in the span `without_voltage_s`; `loading3w_percent`
    adds a three-winding transformer; `f_known` says whether the model tells `f_nominal_hz`.
    """
    kept = tables or tuple(COLUMNS)
    new = rename or {}
    folder.mkdir(parents=True, exist_ok=True)
    names = {t: tuple(new.get(n, n) for n in NAMES[t]) for t in kept}
    specs = {t: TableSpec(names[t], COLUMNS[t]) for t in kept}
    if loading3w_percent is not None:
        specs["trafo3w"] = TableSpec(("bengbu_3w",), ("loading_percent", "p_hv_mw"))
    writer = Writer(folder, specs)
    for t_s in np.arange(0.0, end_s, dt_s):
        row = rows_at(float(t_s), tripped=trip_at_s is not None and t_s >= trip_at_s)
        if t_s in unsolved_s:
            for table in ("bus", "line", "trafo", "gen", "point"):
                row[table] = {c: np.full_like(v, np.nan) for c, v in row[table].items()}
            row["grid"] = {c: np.full(1, np.nan) for c in row["grid"]} | {"converged_pu": np.zeros(1)}
        for table, column in _FREQUENCIES:
            row[table][column] = row[table][column] + f_nominal_hz - 50.0
        if without_voltage_s[0] <= t_s < without_voltage_s[1]:
            _cut_off(row, without_voltage)
        if loading3w_percent is not None:
            row["trafo3w"] = {"loading_percent": np.array([loading3w_percent]), "p_hv_mw": np.array([30.0])}
        writer.append(float(t_s), dt_s, {t: row[t] for t in specs})
    writer.add_events([*_events(trip_at_s, unsolved_s), *events])
    hashes = writer.close()
    _json(folder / "manifest.json", _manifest(status, hashes, new))
    _json(folder / "model.json", _model(names.get("bus", ()), [f_nominal_hz] if f_known else []))
    return load(folder)


_FREQUENCIES = (("area", "f_hz"), ("area", "f_min_hz"), ("area", "f_max_hz"), ("point", "f_hz"))
_BUS_OF_POINT = (0, 1, 1)


def _cut_off(row: dict[str, dict[str, np.ndarray]], buses: tuple[str, ...]) -> None:
    """Take the voltage of buses away, as grids report it: NaN at the bus, zero at what is connected."""
    for at, name in enumerate(NAMES["bus"]):
        if name in buses:
            for column in row["bus"]:
                row["bus"][column][at] = np.nan
    for unit, bus in enumerate(_BUS_OF_POINT):
        if NAMES["bus"][bus] in buses:
            for column in ("vm_pu", "p_mw", "q_mvar"):
                row["point"][column][unit] = 0.0


def _events(trip_at_s: float | None, unsolved_s: tuple[float, ...]) -> list[Event]:
    events = [Event(60.0, "move", "command", "migrate", '{"share_pu": 0.67}')]
    if trip_at_s is not None:
        events.append(Event(trip_at_s, "grid", "trip", "trip bengbu_huaibei_1"))
    events += [Event(t, "grid", "no_solution", "largest mismatch at bengbu_220") for t in unsolved_s]
    return events


def _model(buses: tuple[str, ...], f_nominal_hz: list[float]) -> dict[str, Any]:
    return {
        "geography": {
            "lon": [b[1] for b in BUSES],
            "lat": [b[2] for b in BUSES],
            "vn_kv": [b[3] for b in BUSES],
            "line_from": [x[1] for x in LINES],
            "line_to": [x[2] for x in LINES],
            "trafo_hv": [x[1] for x in TRAFOS],
            "trafo_lv": [x[2] for x in TRAFOS],
            "f_nominal_hz": f_nominal_hz,
            "points": {"hefei_park": buses[0], "huaibei_park": buses[1]} if buses else {},
        },
        "elements": {"bus": list(buses)},
    }


def _manifest(status: str, hashes: dict[str, str], new: dict[str, str]) -> dict[str, Any]:
    return {
        "status": status,
        "scenario": {
            "name": "made",
            "title": "Hefei hands 400 MW to Huaibei",
            "text": SCENARIO,
            "hash": "0" * 64,
        },
        "clock": {"start": "2025-08-05T20:00:00+08:00", "step_s": 5.0},
        "seed": 1,
        "units": [{**u, "name": new.get(str(u["name"]), u["name"])} for u in UNITS],
        "versions": {"python": "3.11", "mosaik": "3.6.0"},
        "hashes": hashes,
        "timings": {"grid": 1.5, "gpu_hall": 0.2},
        "grid": {
            "case": "anhui",
            "point": "summer evening peak",
            "sources": ["GEM 2023 plant list", "GeoNames"],
            "evidence": {"bus": {"published": 0.41, "derived": 0.37, "synthetic": 0.22}},
        },
    }


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
