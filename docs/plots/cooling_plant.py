"""Charts of docs/models/cooling_plant.md and weather.md: `python docs/plots cooling_plant` writes them."""  # noqa: INP001

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from chart import Curve, chart

from cosim.core.component import Context
from datacenters.chillers import Chiller, chiller_row
from datacenters.kernels import chillers as chiller_kernel
from datacenters.kernels import plant as kernel
from datacenters.plant import HeatRejection, rejection_row
from datacenters.weather import Weather, WeatherParams

SEA_LEVEL_BAR = 1.01325
TOWER_POINTS = Path(__file__).resolve().parents[2] / "tests" / "validation" / "cooling_tower_points.csv"
# DOE-2 centrifugal 5.5, leaving 6.67 °C: points of tests/validation/test_cooling_plant.py within its range
DOE_2 = {
    1.0: ((24.0, 6.231), (29.4, 5.509)),
    0.5: ((24.0, 6.191), (29.4, 5.551)),
    0.25: ((24.0, 4.587), (29.4, 4.159)),
}


def tower_chart() -> str:
    """Fan speed of a tower against EnergyPlus, point by point."""
    points = np.genfromtxt(TOWER_POINTS, delimiter=",", names=True, skip_header=3)
    water, rated_mw, site_bar = 1.089, 0.02539, 0.98886
    rise = rated_mw / (water * kernel.CP_WATER_MJ_PER_KG_K)
    ratio = water / (0.56124 * site_bar * 1e5 / (287.04 * 293.15))
    model = HeatRejection(kind="tower", approach_k=35.0 - rise - 25.6, water_to_air_pu=ratio)
    row = rejection_row(model, rated_mw, rise, site_bar)
    found = [
        np.cbrt(
            kernel.reject(
                row, p["heat_w"] * 1e-6, p["flow_kg_per_s"] / water, 1.0, p["temp_return_degc"],
                p["temp_outdoor_degc"], p["temp_wetbulb_degc"], site_bar,
            )[1] / row[kernel.FAN_MW]
        )
        for p in points
    ]  # fmt: skip
    return chart(
        "fan speed in EnergyPlus [pu]",
        "fan speed here [pu]",
        [
            Curve("equal", [0.2, 0.8], [0.2, 0.8], 5),
            Curve("18 hours", points["speed_pu"], found, 0, "dots"),
        ],
    )


def chiller_chart() -> str:
    """COP of the DOE-2 chiller and of the Carnot form over the temperature at the condenser."""
    row = chiller_row(Chiller(model="doe2_centrifugal_5_50"), 1.0)
    entering = np.linspace(20.0, 40.0, 41)
    curves = [
        Curve(
            f"DOE-2, load {load:g}",
            entering,
            [load / chiller_kernel.chiller_mw(row, load, 6.67, t) for t in entering],
            k,
        )
        for k, load in enumerate(DOE_2)
    ]
    curves += [Curve("", *zip(*points, strict=True), k, "dots") for k, points in enumerate(DOE_2.values())]
    carnot = chiller_row(Chiller(condenser_approach_k=8.0), 1.0)
    cops = [1.0 / chiller_kernel.chiller_mw(carnot, 1.0, 6.67, t) for t in entering]
    return chart(
        "water entering the condenser [°C]", "COP", [*curves, Curve("Carnot form", entering, cops, 3)]
    )


def rejection_chart() -> str:
    """Heat that full fan speed takes, over outdoor temperature, for the three kinds."""
    outdoor = np.linspace(0.0, 42.0, 43)
    curves = []
    for k, (kind, label) in enumerate((("dry", "dry"), ("evaporative", "with pads"), ("tower", "tower"))):
        row = rejection_row(HeatRejection(kind=kind), 1.0, 10.0)
        heat = [
            kernel.reject(row, 9.0, 1.0, 1.0, 42.0, t, t - 0.35 * max(t - 4.0, 0.0), SEA_LEVEL_BAR)[0]
            for t in outdoor
        ]
        curves.append(Curve(label, outdoor, heat, k))
    return chart(
        "dry bulb; wet bulb lies 0.35 (dry bulb - 4 °C) below [°C]",
        "heat from water of 42 °C, of rated",
        curves,
    )


def weather_chart() -> str:
    """Dry and wet bulb of a typical day in mid-July."""
    hours = np.arange(0.0, 24.25, 0.25)
    curves = []
    for k, site in enumerate(("hefei", "hami", "zhongwei")):
        unit = Weather([WeatherParams(site=site)])
        unit.reset(Context(start=datetime(2025, 7, 16, tzinfo=ZoneInfo("Asia/Shanghai"))))
        airs = [unit.step(3600.0 * h, 900.0, {}) for h in hours]
        for port, label, style in (
            ("temp_outdoor_degc", "dry bulb", "line"),
            ("temp_wetbulb_degc", "wet bulb", "dashes"),
        ):
            values = [float(air[port][0]) for air in airs]
            curves.append(Curve(f"{site}, {label}", hours, values, k, style))
    return chart("16 July, hour at UTC+8", "°C", curves)


CHARTS = {
    "cooling_plant_tower.svg": tower_chart,
    "cooling_plant_chiller.svg": chiller_chart,
    "cooling_plant_rejection.svg": rejection_chart,
    "weather_july.svg": weather_chart,
}
