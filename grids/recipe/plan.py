"""What `recipe.yaml` of a province holds."""

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params


class PointPlan(Params):
    """One operating point, before dispatch."""

    title: str = Field(description="title of point.yaml")
    time: str = Field(description="instant with zone")
    season: str = Field(description="season of the year")
    summary: str = Field(description="what the point is, for point.yaml")
    stands_for_h: float = Field(gt=0, le=8760, description="hours the point stands for")
    load_pu: float = Field(gt=0, le=1, description="load over the annual peak")
    wind_pu: float = Field(ge=0, le=1, description="wind power over capacity")
    pv_pu: float = Field(ge=0, le=1, description="photovoltaic power over capacity")
    storage_pu: float = Field(default=0, ge=-1, le=1, description="storage over capacity, > 0 discharges")
    hydro_pu: float = Field(ge=0, le=1, description="hydro power over capacity: what the river gives")
    thermal_pu: float = Field(default=0, ge=0, le=1, description="small thermal plants over capacity")
    injections_mw: dict[str, float] = Field(
        description="interchange and other links, > 0 into the grid: rows of sgen.csv, fixed rows of gen.csv"
    )
    must_run: list[str] = Field(default=[], description="plants that run in any case")
    unavailable: list[str] = Field(default=[], description="plants that are out")
    pumping_pu: float = Field(
        default=0, ge=0, le=1, description="pumping over capacity; its machines are out"
    )
    vm_pu: dict[float, float] = Field(description="voltage the machines hold, by nominal voltage in kV")
    rest_load_mw: float = Field(ge=0, description="load of the area outside the case")
    rest_fleet_mw: dict[str, tuple[float, float]] = Field(
        description="machines of the area outside the case: plant type -> [MVA online, MW]"
    )


class RecipePlan(Params):
    """The recipe of one province."""

    peak_mw: float = Field(gt=0, description="annual peak; the rows of load.csv but pumping add up to it")
    sends: list[str] = Field(default=[], description="links of link_schedules.csv that begin in the case")
    receives: list[str] = Field(default=[], description="links of link_schedules.csv that end in the case")
    merit_order: list[str] = Field(description="plant types, the cheapest first")
    reserve_pu: float = Field(default=0.05, ge=0, le=1, description="upward reserve over load and exports")
    top_pu: float = Field(default=0.97, gt=0, le=1, description="output at which the next type takes over")
    vm_shunt_pu: tuple[float, float] = Field(
        default=(1.0, 1.03), description="voltage the switched shunts are set for"
    )
    points: dict[str, PointPlan] = Field(description="operating points by name")


def read_plan(path: Path) -> RecipePlan:
    """Read `recipe.yaml`.

    Raises
    ------
    CaseError
        With all findings at once.
    """
    try:
        return RecipePlan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        findings = [
            f"{path.name}: {'.'.join(str(key) for key in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        ]
        collected(findings, CaseError)
        raise  # collected raises whenever there are findings
