"""The map: where buses and branches are, and their voltage and loading at some sixty instants."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.types import Floats, Ints
from cosim.kpi.nominal import of_the_grid_hz
from cosim.kpi.places import geography, unit_buses, unit_points
from cosim.report.schematic import MOST_BUSES, positions
from cosim.report.series import Pool
from cosim.verdict import Verdict
from cosim.verdict.cause import ACTIONS

if TYPE_CHECKING:
    from cosim.results import Results

FRAMES = 60


def province(results: "Results", verdict: Verdict, pool: Pool) -> dict[str, Any] | None:
    """Return the map as JSON-ready data, or None for a grid without a model.

    A grid without coordinates is drawn schematically.
    """
    places = geography(results)
    buses = results.elements("bus") if "bus" in results.tables else ()
    if not buses or len(places.get("lat", ())) != len(buses) or not results.dt_s.size:
        return None
    lat, lon = list(places["lat"]), list(places["lon"])
    schematic = not np.isfinite([lat, lon]).all()
    if schematic:
        if len(buses) > MOST_BUSES:
            return None
        found = positions(len(buses), _ends(places))
        lon, lat = found[:, 0].tolist(), found[:, 1].tolist()
    times = results.dt_s.index.to_numpy(dtype=np.float64)
    known_hz = of_the_grid_hz(results)
    rest_hz = known_hz if np.isfinite(known_hz) else 0.0
    rows = frame_rows(times, _special(results, verdict))
    return {
        "t_s": times[rows].tolist(),
        "start": _start_frame(times[rows], verdict),
        "lat": lat,
        "lon": lon,
        "schematic": schematic,
        "kv": list(places["vn_kv"]),
        "bus": list(buses),
        "vm": pool.add_coarse(_frames(results, "bus", "vm_pu", rows)),
        "f_nominal": rest_hz,
        "outline": [] if schematic else _outline(places),
        "at": _who_is_where(results),
        "failing": list(dict.fromkeys(f.element for f in verdict.findings if f.fails and f.element)),
        "branches": [
            {
                "kind": kind,
                "name": list(results.elements(table)),
                "from": [int(i) for i in places.get(start, ())],
                "to": [int(i) for i in places.get(end, ())],
                "loading": pool.add_coarse(_frames(results, table, "loading_percent", rows)),
                "p": pool.add_coarse(_frames(results, table, power, rows)),
            }
            for kind, table, start, end, power in (
                ("line", "line", "line_from", "line_to", "p_from_mw"),
                ("transformer", "trafo", "trafo_hv", "trafo_lv", "p_hv_mw"),
            )
            if table in results.tables and len(places.get(start, ())) == len(results.elements(table))
        ],
        "sums": _sums(results, pool, rows, rest_hz),
        "area": _furthest(results, rows, rest_hz)[1] if _several_areas(results) else [],
    }


def frame_rows(times: Floats, special: list[float]) -> Ints:
    """Return about sixty rows: evenly spread over exchanges (dense where steps are fine), and the special."""
    even = np.linspace(0, times.size - 1, min(FRAMES, times.size)).round().astype(np.int64)
    extra = np.clip(np.searchsorted(times, np.array(special) + 1e-9, side="right") - 1, 0, times.size - 1)
    rows: Ints = np.unique(np.concatenate([even, extra.astype(np.int64)]))
    return rows


def _special(results: "Results", verdict: Verdict) -> list[float]:
    """Instants that must be on the slider: the first actions, and every violation's first and worst."""
    times = [f.t_s for f in verdict.findings if f.t_s is not None]
    times += [f.t_s for f in verdict.held[:3] if f.t_s is not None]
    times += [f.worst_t_s for f in verdict.findings if f.worst_t_s is not None]
    events = results.events
    if len(events):
        times += [float(t) for t in events[events["kind"].isin(ACTIONS)]["t_s"][:20]]
    return times


def _start_frame(times: Floats, verdict: Verdict) -> int:
    """Return the frame shown first: the first violation, else the smallest margin of a branch or bus."""
    first = verdict.first.t_s if verdict.first else None
    if first is None:
        held = [f for f in verdict.held if f.quantity.startswith(("line.", "trafo.", "trafo3w.", "bus."))]
        first = held[0].t_s if held else None
    if first is None:
        return int(times.size - 1)
    return int(np.argmin(np.abs(times - first)))


def _frames(results: "Results", table: str, column: str, rows: Ints) -> Floats:
    """Return values of all elements at the rows, flat: frame by frame."""
    values: Floats = results.series(table, column).to_numpy(dtype=np.float64)[rows].ravel()
    return values


def _who_is_where(results: "Results") -> dict[str, list[str]]:
    """Return units by the bus, or else the point, they are connected at."""
    found: dict[str, list[str]] = {}
    buses = unit_buses(results)
    for unit, point in unit_points(results).items():
        found.setdefault(buses.get(unit, point), []).append(unit)
    return found


def _several_areas(results: "Results") -> bool:
    return "area" in results.tables and len(results.elements("area")) > 1


def _furthest(results: "Results", rows: Ints, rest_hz: float) -> tuple[Floats, list[str]]:
    """Return the deviation [Hz] of the area that is furthest from nominal at each row, and its name."""
    found = results.series("area", "f_hz").iloc[rows] - rest_hz
    column = np.argmax(np.nan_to_num(np.abs(found.to_numpy(dtype=np.float64))), axis=1)
    deviation_hz: Floats = found.to_numpy(dtype=np.float64)[np.arange(rows.size), column]
    return deviation_hz, [str(found.columns[k]) for k in column]


def _sums(results: "Results", pool: Pool, rows: Ints, rest_hz: float) -> dict[str, int]:
    found = {}
    for key, table, column in (
        ("load", "grid", "load_mw"),
        ("losses", "grid", "losses_mw"),
        ("solved", "grid", "converged_pu"),
    ):
        if table in results.tables and column in results.columns(table):
            found[key] = pool.add(results.series(table, column).to_numpy(dtype=np.float64)[rows, 0])
    if "area" in results.tables:
        # 32-bit floats resolve 4e-6 Hz at 50 Hz: stored as deviation so that nothing is lost
        deviation_hz, _ = _furthest(results, rows, rest_hz)
        found["f"] = pool.add(deviation_hz)
    return found


def _ends(places: Any) -> list[tuple[int, int]]:
    pairs = [("line_from", "line_to"), ("trafo_hv", "trafo_lv")]
    return [
        (int(a), int(b))
        for start, end in pairs
        for a, b in zip(places.get(start, ()), places.get(end, ()), strict=True)
    ]


def _outline(places: Any) -> list[list[float]]:
    """Return the outline as (lat, lon), whichever way round the model gives it."""
    points = [[float(a), float(b)] for a, b in places.get("outline") or ()]
    if not points:
        return []
    first = float(np.mean([p[0] for p in points]))
    lat, lon = float(np.mean(places["lat"])), float(np.mean(places["lon"]))
    return [[b, a] for a, b in points] if abs(first - lon) < abs(first - lat) else points
