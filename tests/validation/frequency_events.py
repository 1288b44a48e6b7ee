"""Published frequency events against the area model: `python tests/validation/frequency_events.py`.

Writes the tables of docs/models/frequency.md. What is published of an event is in frequency_events.csv; what
is not is spread over the ranges of frequency_ranges.csv, stated before any event was run: a Latin hypercube
of `SAMPLES` points by a fixed seed. Nothing is fitted to an event.
"""

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.stats import qmc

from cosim.core.types import Floats
from grids.case import list_cases, load_case
from grids.fleet import GOVERNORS, AreaTable, Fleet, areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency
from grids.frequency_arrays import droop_gain_mw_per_hz
from grids.plants import plant_types
from grids.reserves import Holding, fleet_of_holdings, fleet_of_rows

HERE = Path(__file__).resolve().parent
SAMPLES, SEED = 100, 20170509
HORIZON_S, SAMPLED_S, SETTLING_S = 60.0, 0.25, 10.0
SECURED_HZ = 49.5
"""Frequency the secured loss must not pass, the statutory limit of Great Britain."""

LEAST_MW = 1.0

NONE = np.zeros(0)
NOBODY = offers_from_devices([], np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Event:
    """One row of frequency_events.csv; what is not published is not a number."""

    area: str
    f_nominal_hz: float
    loss_mw: float
    load_mw: float
    kinetic_gws: float
    f_start_hz: float
    nadir_hz: float
    zenith_hz: float
    nadir_at_s: float
    steepest_second_hz: float
    f_60s_hz: float


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def events() -> dict[str, Event]:
    """Return the events by day."""
    found = {}
    for row in _rows("frequency_events.csv"):
        numbers = {f.name: float(row[f.name] or "nan") for f in fields(Event) if f.name != "area"}
        found[row["event"]] = Event(area=row["area"], **numbers)
    return found


def sampled(area: str) -> list[dict[str, float]]:
    """Return `SAMPLES` points of the ranges of an area, a Latin hypercube."""
    here = [row for row in _rows("frequency_ranges.csv") if row["area"] == area]
    ranges = {row["quantity"]: (float(row["low"]), float(row["high"])) for row in here}
    low, high = np.array(list(ranges.values())).T
    points = qmc.scale(qmc.LatinHypercube(len(ranges), rng=SEED).random(SAMPLES), low, high)
    return [dict(zip(ranges, point.tolist(), strict=True)) for point in points]


def _area(fleet: Fleet, event: Event, damping_percent_per_hz: float) -> AreaFrequency:
    one = np.ones(1)
    damping = one * event.load_mw * damping_percent_per_hz / 100.0
    return AreaFrequency(
        fleet, AreaTable((event.area,), event.f_nominal_hz * one, damping, 0.0 * one), NOBODY
    )


def nadir_after(area: AreaFrequency, loss_mw: float, f_start_hz: float) -> float:
    """Return the lowest frequency within 30 s of a loss out of rest at `f_start_hz`."""
    surplus_mw = settle(area, f_start_hz)
    return float(area.step(0.0, 30.0, np.array([loss_mw + surplus_mw]), NONE, NONE, NONE).f_min_hz[0])


def settle(area: AreaFrequency, f_start_hz: float) -> float:
    """Bring an area to rest at `f_start_hz`; return the deficit (< 0: surplus) that keeps it there [MW]."""
    area.reset()
    df_hz = f_start_hz - float(area.areas.f_nominal_hz[0])
    beyond_hz = df_hz - np.clip(df_hz, -area.fleet.deadband_hz, area.fleet.deadband_hz)
    gain = droop_gain_mw_per_hz(area.fleet, area.areas)
    deficit_mw = -float(gain @ beyond_hz) - float(area.areas.damping_mw_per_hz[0]) * df_hz
    for k in (3, 2, 1):  # the answer settles while frequency is put back to where it belongs
        area.set_frequency(np.array([f_start_hz]))
        area.step(-k * SETTLING_S, SETTLING_S, np.array([deficit_mw]), NONE, NONE, NONE)
    area.set_frequency(np.array([f_start_hz]))
    return deficit_mw


@dataclass(frozen=True)
class Outcome:
    """What the model says of an event."""

    nadir_hz: float
    zenith_hz: float
    nadir_at_s: float
    steepest_second_hz: float
    f_60s_hz: float
    missing_mw: float
    """What else would have to come by 60 s for the published frequency there."""


def outcome(area: AreaFrequency, event: Event) -> Outcome:
    """Lose what the event lost; the steepest second is that of samples a second apart, mean over phases."""
    deficit_mw = settle(area, event.f_start_hz) + event.loss_mw
    f_hz, lowest, highest = [event.f_start_hz], (event.f_start_hz, 0.0), event.f_start_hz
    for k in range(round(HORIZON_S / SAMPLED_S)):
        t_s = k * SAMPLED_S
        found = area.step(t_s, SAMPLED_S, np.array([deficit_mw]), NONE, NONE, NONE)
        f_hz.append(float(found.f_hz[0]))
        lowest = min(lowest, (float(found.f_min_hz[0]), t_s + SAMPLED_S))
        highest = max(highest, float(found.f_max_hz[0]))
    per_s = round(1.0 / SAMPLED_S)
    trace = np.concatenate([np.full(per_s, event.f_start_hz), f_hz])
    steepest = [float(-np.diff(trace[phase::per_s]).min()) for phase in range(per_s)]
    stiffness = float(droop_gain_mw_per_hz(area.fleet, area.areas).sum() + area.areas.damping_mw_per_hz[0])
    missing_mw = (event.f_60s_hz - f_hz[-1]) * stiffness
    return Outcome(lowest[0], highest, lowest[1], float(np.mean(steepest)), f_hz[-1], missing_mw)


def british(event: Event, q: dict[str, float]) -> AreaFrequency:
    """Return the area whose dynamic holding just secures the largest loss, delivered as far as it is."""
    kinetic_mws = 1e3 * event.kinetic_gws
    ordered = Holding("gb_fast", q["fast_mw"], q["fast_ramp_s"], t_delay_s=q["fast_start_s"])

    def fleet(primary_mw: float, *, planned: bool) -> Fleet:
        error_hz = 0.0 if planned else q["trigger_error_hz"]
        short = 1.0 if planned else q["delivered_pu"]
        return fleet_of_holdings(kinetic_mws, [
            Holding("gb_primary", primary_mw, q["t_response_s"], short),
            Holding("gb_static", q["static_mw"], q["static_ramp_s"], trigger_error_hz=error_hz),
            Holding("gb_demand", q["demand_mw"], 1.0, trigger_error_hz=error_hz),
            *([] if planned else [ordered]),
        ])  # fmt: skip

    def above_limit(primary_mw: float) -> float:
        area = _area(fleet(primary_mw, planned=True), event, q["load_damping_percent_per_hz"])
        return nadir_after(area, q["secured_mw"], q["f_planned_hz"]) - SECURED_HZ

    secured = above_limit(LEAST_MW) >= 0.0  # relays and loads alone
    primary_mw = LEAST_MW if secured else brentq(above_limit, LEAST_MW, 6000.0, xtol=1.0)
    return _area(fleet(primary_mw, planned=False), event, q["load_damping_percent_per_hz"])


def east_chinese(event: Event, q: dict[str, float]) -> AreaFrequency:
    """Return the area with the coal fleet of the plant types, responding as far as a sample says."""
    coal, rated_mw = plant_types()["rest_coal"], 0.9 * 125_000.0
    row = {name: getattr(coal, name) for name in ("deadband_hz", "rate_pu_per_s", "t_governor_s", "t_chest_s",
                                                  "f_hp_pu", "t_reheat_s")}  # fmt: skip
    limits = {"limit_up_pu": q["limit_pu"], "limit_down_pu": q["limit_pu"], "droop_pu": q["droop_pu"]}
    own = {
        "name": "coal",
        "governor": coal.governor,
        "p_rated_mw": rated_mw,
        "responding_pu": q["responding_pu"],
    }
    fleet = fleet_of_rows(1e3 * q["kinetic_gws"], [row | limits | own])
    return _area(fleet, event, q["load_damping_percent_per_hz"])


def eastern(event: Event, q: dict[str, float]) -> AreaFrequency:
    """Return the area with gas turbines for all that responds: most of what does there."""
    gas = plant_types()["rest_gas"]
    row = {name: getattr(gas, name) for name in ("governor", "rate_pu_per_s", "t_governor_s", "t_chest_s")}
    own = {
        "name": "gas",
        "p_rated_mw": 1e3 * q["rated_gw"],
        "responding_pu": q["responding_pu"],
        "limit_up_pu": 1.0,
        "limit_down_pu": 1.0,
        "droop_pu": q["droop_pu"],
        "deadband_hz": q["deadband_hz"],
    }
    fleet = fleet_of_rows(1e3 * q["kinetic_gws"], [row | own])
    return _area(fleet, event, q["load_damping_percent_per_hz"])


MODELS = {"Great Britain": british, "East China": east_chinese, "Eastern Interconnection": eastern}


@cache
def spread(day: str) -> dict[str, Floats]:
    """Return each quantity of `Outcome` for every sample of an event, shapes (SAMPLES,)."""
    event = events()[day]
    found = [outcome(MODELS[event.area](event, q), event) for q in sampled(event.area)]
    return {f.name: np.array([getattr(one, f.name) for one in found]) for f in fields(Outcome)}


def percentile(day: str, quantity: str) -> float:
    """Return which share of the samples lies below what was published [%]."""
    return 100.0 * float(np.mean(spread(day)[quantity] < getattr(events()[day], quantity)))


GATES = {"nadir_hz": 0.015, "steepest_second_hz": 0.0072, "f_60s_hz": 0.040}
"""How near the model should be to 2017-05-09: 15 mHz, 10 % and 40 mHz."""


def within_gate(quantity: str, day: str = "2017-05-09") -> float:
    """Return which share of the samples is as near to an event as its gate asks [%]."""
    away = np.abs(spread(day)[quantity] - getattr(events()[day], quantity))
    return 100.0 * float(np.mean(away <= GATES[quantity]))


QUANTITIES = {
    "nadir_hz": "nadir, Hz",
    "zenith_hz": "zenith, Hz",
    "nadir_at_s": "time of the nadir, s",
    "steepest_second_hz": "steepest second, Hz",
    "f_60s_hz": "after 60 s, Hz",
}


def event_table() -> str:
    """Return what was published of each event and where it lies in the spread."""
    head = (
        "| event | quantity | published | 5 % | half | 95 % | published lies at | samples within the gate |"
    )
    rows = [head, "|---|---|---|---|---|---|---|---|"]
    for day, event in events().items():
        for quantity, title in QUANTITIES.items():
            seen = getattr(event, quantity)
            if np.isnan(seen):
                continue
            low, half, high = np.percentile(spread(day)[quantity], [5, 50, 95])
            digits = 1 if quantity.endswith("_s") else 3
            gate = f"{within_gate(quantity, day):.0f} %" if day == "2017-05-09" else "no gate"
            numbers = " | ".join(f"{value:.{digits}f}" for value in (seen, low, half, high))
            rows.append(
                f"| {event.area} {day} | {title} | {numbers} | {percentile(day, quantity):.1f} % | {gate} |"
            )
    return "\n".join(rows)


def range_table() -> str:
    """Return the ranges of what is not published."""
    rows = ["| area | quantity | from | to | status | source |", "|---|---|---|---|---|---|"]
    for row in _rows("frequency_ranges.csv"):
        keys = ("area", "quantity", "low", "high", "status", "source")
        rows.append("| " + " | ".join(f"`{row[k]}`" if k == "quantity" else row[k] for k in keys) + " |")
    return "\n".join(rows)


AREA_COLUMNS = (
    "area (case)",
    "load, GW",
    "kinetic energy, GW s",
    "governed, GW",
    "of it responding, GW",
    "largest answer, GW",
    "governors, MW per 0.1 Hz",
    "load damping, MW per 0.1 Hz",
    "AGC bias, MW per 0.1 Hz",
)


def area_table() -> str:
    """Return who answers in the synchronous areas of the provincial cases, at their own operating points."""
    rows = ["| " + " | ".join(AREA_COLUMNS) + " |", "|---" * len(AREA_COLUMNS) + "|"]
    for name in list_cases():
        case = load_case(name)
        fleet, areas = fleet_from_case(case), areas_from_case(case)
        if not (areas.f_nominal_hz == 50.0).all() or not len(case.net["rest_fleet"]):
            continue
        gain = droop_gain_mw_per_hz(fleet, areas)
        responding_mw = fleet.responding_pu * fleet.p_rated_mw
        answer_mw = np.minimum(fleet.limit_up_pu * responding_mw, fleet.max_p_mw - fleet.p0_mw)
        for k, area in enumerate(areas.name):
            online = fleet.online & (fleet.area == k)
            governed = online & (fleet.governor_code != GOVERNORS.index("none"))
            per_hz = float(case.net["areas"]["load_damping_pu"].iloc[k]) / areas.f_nominal_hz[k]
            whole = (
                areas.damping_mw_per_hz[k] / per_hz,
                (fleet.h_s * fleet.sn_mva)[online].sum(),
                *(values[governed].sum() for values in (fleet.p_rated_mw, responding_mw, answer_mw)),
            )
            slopes = (gain[governed].sum(), areas.damping_mw_per_hz[k], areas.agc_bias_mw_per_hz[k])
            whole_gw = [value / 1e3 for value in whole]
            cells = [f"{gw:.0f}" if gw >= 100.0 else f"{gw:.1f}" for gw in whole_gw]
            cells += [f"{value / 10:.0f}" for value in slopes]
            rows.append(f"| {area} (`{name}`) | " + " | ".join(cells) + " |")
    return "\n".join(rows)


PAGE = HERE.parents[1] / "docs" / "models" / "frequency.md"
TABLES = {"events": event_table, "ranges": range_table, "areas": area_table}


def written(table: str) -> str:
    """Return a table as the page has it."""
    return PAGE.read_text(encoding="utf-8").partition(_begin(table))[2].partition(END)[0].strip()


def _begin(table: str) -> str:
    return f"<!-- {table}: tests/validation/frequency_events.py -->"


END = "<!-- end -->"


def main() -> None:
    """Write the tables into the page."""
    for table, text in TABLES.items():
        page = PAGE.read_text(encoding="utf-8")
        before, begin, rest = page.partition(_begin(table))
        PAGE.write_text(f"{before}{begin}\n{text()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    missing = np.percentile(spread("2017-05-09")["missing_mw"], [5, 50, 95])
    print("missing after 60 s of 2017-05-09 [MW], 5 %, half, 95 %:", np.round(missing))


if __name__ == "__main__":
    main()
