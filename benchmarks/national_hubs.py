"""The hubs of `china_day` as sites of one fleet, with all that can act: what `national.py` lays over it."""

import csv
from pathlib import Path
from typing import Any

from cosim.core.places import scenario_folder
from cosim.scenario.parents import gather

JOBS = 100_000
CASES = {
    "zhangjiakou": "jing_jin_ji", "qingpu": "yangtze_delta", "wuhu": "anhui", "tianfu": "sichuan_chongqing",
    "shaoguan": "greater_bay", "liangjiang": "sichuan_chongqing", "horinger": "mengxi", "guian": "guizhou",
    "qingyang": "gansu", "zhongwei": "ningxia", "hami": "xinjiang_hami",
}  # fmt: skip
PLACES = {"liangjiang": "chongqing"}
"""Places of hubs that are not called as the hub."""
USERS_GPU = {"beijing": 60e3, "shanghai": 60e3, "shenzhen": 40e3, "chongqing": 30e3, "jinan": 20e3}
LATENCY_BOUND_MS = 30
POLICIES: dict[str, dict[str, Any]] = {
    "green": {"moves": True, "moves_above_mw": 20},
    "price": {"moves": True, "moves_above_cny_per_mwh": 100},
}
GREEN = ("qingyang_wind_pu", "jinan_wind_pu", "qingyang_pv_pu", "zhongwei_pv_pu", "jinan_pv_pu")
"""Columns of wind and sun, handed out to the hubs in turn."""
GPUS_PER_MW, GPU_KW = 525.0, 1.62
"""Accelerators by rated IT power, and what a busy one adds at the meter; as in `east_to_west_day`."""
DAY = {
    "component": "profile", "time_column": "hour_h", "counts_from": "midnight", "repeats_every_h": 24,
    "relative_to": "absolute",
}  # fmt: skip


def changes(policy: str, until_s: int, folder: Path) -> dict[str, Any]:
    """Return what differs from `china_day`; the tariffs are written into `folder`."""
    units = gather("china_day").data["units"]
    laid: dict[str, Any] = {"until_s": until_s, "clock.step_s": 60, "grid.guard": {}}
    laid |= {f"units.{hub}_work": None for hub in CASES}
    for column in GREEN:
        laid[f"units.{column[:-3]}"] = DAY | {"file": "east_to_west_day.csv", "value_column": column}
    tariffs = _tariffs(folder / "tariffs.csv")
    for place, hub in enumerate(CASES):
        at, it_mw = units[hub]["at"], float(units[hub]["it_rated_mw"])
        for name, unit in _hub(hub, at, it_mw, place).items():
            laid[f"units.{name}"] = unit
        laid[f"units.{hub}_tariff"] = DAY | {"file": str(tariffs), "value_column": hub}
    laid["units.zhangjiakou_site"]["fleet"] = _fleet(policy, until_s / 3600.0)
    laid["events"] = _events(until_s)
    return laid


def _hub(hub: str, at: str, it_mw: float, place: int) -> dict[str, dict[str, Any]]:
    """Return the site, sources and battery of a hub, and its controllers."""
    wind, sun = f"{hub}_wind_own", f"{hub}_sun_own"
    gpus = GPUS_PER_MW * it_mw
    source = {"component": "must_take", "at": at, "p_rated_mw": it_mw / 2.0}
    evening = {"peak_from_h": 18, "peak_to_h": 22}
    return {
        f"{hub}_site": {
            "component": "site", "at": at, "place": PLACES.get(hub, hub), "runs_on": hub, "gpus_count": gpus,
            "services_gpu": gpus / 3.0, "gpu_kw": GPU_KW, "guarded": True, "access_gbit_per_s": 800,
            "inputs": {
                "green_mw": [f"{wind}.p_delivered_mw", f"{sun}.p_delivered_mw"],
                "price_cny_per_mwh": f"{hub}_tariff.scale_pu",
            },
        },
        wind: source | {"kind": "wind", "profile": GREEN[place % 2][:-3]},
        sun: source | {"kind": "pv", "profile": GREEN[2 + place % 3][:-3]},
        f"{hub}_cells": {
            "component": "battery", "at": at, "p_rated_mw": it_mw / 5, "e_rated_mwh": it_mw / 2.5,
        },
        f"{hub}_orders": _orders(hub, at, it_mw, place, evening),
        f"{hub}_gate": {
            "component": "controller", "at": at, "battery": f"{hub}_cells", "watches": [hub, f"{hub}_cells"],
            "down_mw": it_mw / 5, "up_mw": it_mw / 5,
            "laws": [
                {"law": "emergency", "p_mw": it_mw / 20, "f_trigger_hz": 49.8},
                {"law": "valley_filling", "hold_mw": it_mw / 20, "fill_mw": it_mw / 20, **evening},
                {"law": "peak_reduction", "limit_mw": it_mw, "return_s": 1200},
                {"law": "voltage_support", "q_most_mvar": it_mw / 10},
            ],
        },
    }  # fmt: skip


def _orders(hub: str, at: str, it_mw: float, place: int, evening: dict[str, Any]) -> dict[str, Any]:
    """Return the controller of a hub's hall, or at every second hub of its site: one may govern it."""
    common = {"component": "controller", "at": at, "down_mw": it_mw / 4}
    told = {"law": "demand_response", "p_mw": it_mw / 10, "ramp_mw_per_s": 2}
    if place % 2:
        held = {"law": "valley_filling", "hold_mw": it_mw / 10, **evening}
        return common | {"site": f"{hub}_site", "meter": hub, "gpu_kw": GPU_KW, "laws": [told, held]}
    fast = {"law": "fast_response", "p_mw": it_mw / 10}
    cools = {"law": "precooling", **evening}
    return common | {"hall": hub, "it_rated_mw": it_mw, "laws": [fast, told, cools]}


def _fleet(policy: str, over_h: float) -> dict[str, Any]:
    """Return the work of all hubs: jobs for `over_h` hours, at the rate of `JOBS` a day, and services."""
    count = round(JOBS * over_h / 24.0)
    batch = {"name": "batch", "jobs_count": count * 9 // 10, "gpus_median_gpu": 24, "slack_h": 8}
    train = {"name": "train", "kind": "training", "jobs_count": count // 10, "gpus_median_gpu": 64}
    return {
        "policy": policy,
        "policy_settings": POLICIES[policy],
        "jobs": [batch | {"state_gb_per_gpu": 2}, train | {"duration_median_h": 2}],
        "jobs_over_h": over_h,
        "services": [
            {"name": place, "users": place, "mean_gpu": gpus, "latency_bound_ms": LATENCY_BOUND_MS,
             "requests": "conversation", "services_count": 400}
            for place, gpus in USERS_GPU.items()
        ],
        "network": {"bandwidth_gbit_per_s": 800},
    }  # fmt: skip


def _events(until_s: int) -> list[dict[str, Any]]:
    """Return an order a quarter of an hour, to each hub in turn: to move work, or to draw less."""
    hubs, events = list(CASES), []
    for k, at_s in enumerate(range(3600, until_s - 1800, 900)):
        hub, other = hubs[k % len(hubs)], hubs[(k + 4) % len(hubs)]
        if k % 2:
            order = {"activate": {"unit": f"{hub}_orders", "p_mw": -8, "duration_s": 1200}}
        else:
            order = {
                "move": {"unit": f"{hub}_site", "to": f"{other}_site", "gpus_count": 2000, "over_s": 1800}
            }
        events.append({"at_s": at_s, **order})
    return events


def _tariffs(path: Path) -> Path:
    """Write a tariff of each hub: 400 CNY/MWh at 21:00, and 10 more for each percent of load."""
    with (scenario_folder() / "china_day_shapes.csv").open() as text:
        shapes = list(csv.DictReader(line for line in text if not line.startswith("#")))
    with path.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["hour_h", *CASES])
        for row in shapes:
            loads = (float(row[f"{case}_load"]) for case in CASES.values())
            writer.writerow([row["hour_h"], *(400.0 + 1000.0 * (load - 1.0) for load in loads)])
    return path
