"""Plant types: inertia and governor of the machines a case names by type."""

import csv
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field

from cosim.core.params import Params

DATA = resources.files("grids") / "data"
"""Tables shared by all cases."""

RATED_PU = 0.9
"""Rated active power over MVA of large machines, where only the MVA is known."""

WITHOUT_MACHINE = ("converter", "relay")
"""Kinds of governor that no rotating machine has: what has them is rated in MW, not in MVA."""


class PlantType(Params):
    """One row of plant_types.csv; droop, limits and rates in per unit of rated active power."""

    title: str = Field(description="what it is")
    h_s: float = Field(ge=0, le=100, description="inertia constant on the machine's MVA")
    governor: Literal["none", "steam", "reheat_steam", "gas", "hydro", "converter", "relay"] = Field(
        description="governor kind; converter and relay: what answers is no rotating machine"
    )
    droop_pu: float = Field(ge=0, le=1, description="speed change for full power, over nominal speed")
    deadband_hz: float = Field(
        ge=0, le=1.5, description="deviation without response, to either side; of a relay its trigger"
    )
    limit_up_pu: float = Field(ge=0, le=1, description="largest primary response upwards")
    limit_down_pu: float = Field(ge=0, le=1, description="largest primary response downwards")
    rate_pu_per_s: float = Field(ge=0, description="fastest movement of valve or gate")
    t_governor_s: float = Field(ge=0, description="governor and servo")
    t_chest_s: float = Field(ge=0, description="steam chest, or fuel system and turbine of a gas unit")
    f_hp_pu: float = Field(ge=0, le=1, description="share of power from the high-pressure turbine")
    t_reheat_s: float = Field(ge=0, description="reheater")
    t_water_s: float = Field(ge=0, le=10, description="water starting time of a hydro unit")
    t_delay_s: float = Field(default=0, ge=0, description="relay: time beyond its trigger before it acts")
    min_p_pu: float = Field(default=0, ge=-1, le=0, description="lowest output: below 0 for storage")
    responding_pu: float = Field(
        ge=0, le=1, description="share whose governors answer, where a row of gen or rest_fleet says none"
    )
    agc: bool = Field(description="takes part in secondary control")
    agc_rate_pu_per_s: float = Field(ge=0, description="fastest movement under secondary control")
    status: str = Field(description="published, derived or (unconfirmed)")
    source: str = Field(description="where the numbers come from")


@cache
def plant_types() -> dict[str, PlantType]:
    """Return all plant types by name."""
    with (DATA / "plant_types.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row.pop("plant_type"): PlantType.model_validate(row) for row in rows}


@cache
def standard_types(table: str) -> dict[str, dict[str, str]]:
    """Return the standard types for `line` or `trafo` by name: pandapower's column names, as text."""
    path = DATA / f"{table}_types.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    key = next(iter(rows[0])) if rows else ""
    return {row[key]: row for row in rows}
