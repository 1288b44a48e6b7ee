"""The tables of docs/models/work.md and profiles.md are printed from models and built-in data.

`python tests/datacenters/test_demand_docs.py` writes them anew.
"""

import re
from pathlib import Path

import pytest

from cosim.core.params import Params
from datacenters.batch import BatchParams, JobClass
from datacenters.data import table
from datacenters.demand import DemandParams, Spike
from datacenters.fleet import FleetParams
from datacenters.handover import HandoverParams, Migrate
from datacenters.inference import InferenceParams
from datacenters.job_files import COLUMNS
from datacenters.network import NetworkParams, RouteParams
from datacenters.profile import ProfileParams
from datacenters.requests import Modulation
from datacenters.service_params import MoveService, ServiceParams, Surge
from datacenters.site import Cut, Fail, LimitJobs, MoveJobs, SiteParams
from datacenters.training import Pace, Sweep, TrainingParams
from datacenters.weather import WeatherParams
from datacenters.workload import Population

MODELS = Path(__file__).resolve().parents[2] / "docs" / "models"


def parameter_table(model: type[Params]) -> str:
    rows = ["| parameter | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        empty = field.is_required() or field.default in (None, (), {}) or isinstance(field.default, Params)
        default = "" if empty else field.default
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(rows)


def shape_table() -> str:
    rows = ["| shape | lowest | highest | at | status | source |", "|---|---|---|---|---|---|"]
    for name, row in table("day_shapes").items():
        values = [float(row[f"h{hour:02d}"]) for hour in range(24)]
        hour = (values.index(max(values)) + float(row["centre_h"])) % 24
        at = f"{int(hour):02d}:{round(hour % 1 * 60):02d}"
        ends = f"{min(values):g} | {max(values):g} | {at}"
        rows.append(f"| `{name}` | {ends} | {row['status']} | {row['source']} |")
    return "\n".join(rows)


def column_table() -> str:
    rows = ["| column | meaning |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{name}` | {what} |" for name, what in COLUMNS.items())])


def site_table() -> str:
    rows = [
        "| site | altitude [m] | January | April | July | October | range [K] | design day | status |",
        "|---" * 9 + "|",
    ]
    for name, row in table("site_climates").items():
        months = " | ".join(row[f"month{month:02d}_degc"] for month in (1, 4, 7, 10))
        design = f"{row['design_degc']}, {row['design_wetbulb_degc']}"
        height = f"{1e3 * float(row['altitude_km']):.0f}"
        rows.append(f"| `{name}` | {height} | {months} | {row['swing_k']} | {design} | {row['status']} |")
    return "\n".join(rows)


MODELS_OF = {
    "work.md": (
        DemandParams,
        Modulation,
        Spike,
        InferenceParams,
        BatchParams,
        JobClass,
        TrainingParams,
        Pace,
        Sweep,
        HandoverParams,
        Migrate,
    ),
    "fleet.md": (
        SiteParams,
        FleetParams,
        Population,
        ServiceParams,
        NetworkParams,
        RouteParams,
        MoveJobs,
        MoveService,
        LimitJobs,
        Surge,
        Fail,
        Cut,
    ),
    "profiles.md": (ProfileParams,),
    "weather.md": (WeatherParams,),
}

TABLES = {
    **{(page, m.__name__): parameter_table(m) for page, models in MODELS_OF.items() for m in models},
    ("fleet.md", "job_columns"): column_table(),
    ("profiles.md", "shapes"): shape_table(),
    ("weather.md", "sites"): site_table(),
}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- table {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize(("page", "name"), TABLES)
def test_table_in_the_docs_is_what_model_and_data_say(page, name):
    found = between(name).search((MODELS / page).read_text(encoding="utf-8"))
    assert found is not None
    assert found.group() == TABLES[page, name] + "\n"


if __name__ == "__main__":
    for (page, name), printed in TABLES.items():
        path = MODELS / page
        text = path.read_text(encoding="utf-8")
        path.write_text(between(name).sub(lambda _, new=printed: new + "\n", text, count=1), encoding="utf-8")
