"""The parameter tables in docs/models are printed from the parameter models.

`python tests/datacenters/test_hall_docs.py` writes them anew.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from cosim.core.params import Params
from datacenters import genset_params, must_take
from datacenters.battery import BatteryParams
from datacenters.catalog.racks import Rack, provenance, rack, rack_names
from datacenters.control_laws import (
    DemandResponse,
    EmergencyReduction,
    FastResponse,
    PeakReduction,
    Precooling,
    ValleyFilling,
    VoltageSupport,
)
from datacenters.control_params import ControllerParams
from datacenters.converter import Converter
from datacenters.cooling import AirCircuit, Cooling, Limits, LiquidCircuit, Structure
from datacenters.engine import Engine
from datacenters.feeds import MechanicalFeed, Transformer
from datacenters.genset_params import GensetParams
from datacenters.gpu import Node, Stage
from datacenters.hall import GpuHallParams
from datacenters.hall_flexibility import HallFlexibility
from datacenters.hydrogen import ALKALINE, Electrolyser, FuelCell, HydrogenParams
from datacenters.hydrogen_tank import Tank
from datacenters.must_take import MustTakeParams
from datacenters.psu import Psu, RackBattery
from datacenters.smoothing import Smoothing
from datacenters.supercapacitor import SupercapacitorParams
from datacenters.ups import Spread, Ups

MODELS = Path(__file__).resolve().parents[2] / "docs" / "models"


def parameter_table(model: type[Params]) -> str:
    rows = ["| parameter | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "" if field.is_required() else field.default
        shown = "see below" if isinstance(default, Params) else default
        rows.append(f"| `{name}` | {'' if shown in (None, ()) else shown} | {field.description} |")
    return "\n".join(rows)


def rack_table() -> str:
    names = rack_names()
    rows = ["| number | " + " | ".join(f"`{n}`" for n in names) + " |", "|---" * (len(names) + 1) + "|"]
    marks = {"published": "", "derived": " (derived)", "unconfirmed": " (unconfirmed)"}
    for field in (f for f in Rack.model_fields if f in provenance(names[0])):
        cells = [f"{getattr(rack(n), field):g}{marks[provenance(n)[field].status]}" for n in names]
        rows.append(f"| `{field}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def kinds_table(model: type[Params], kinds: Mapping[str, Mapping[str, object]]) -> str:
    """What each kind changes in the defaults of a model; the first kind is the model's own."""
    changed = list(dict.fromkeys(name for kind in kinds.values() for name in kind))
    rows = ["| parameter | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name in changed:
        cells = [kind.get(name, model.model_fields[name].default) for kind in kinds.values()]
        rows.append(f"| `{name}` | " + " | ".join("" if c is None else str(c) for c in cells) + " |")
    return "\n".join(rows)


TABLES = {
    ("hall.md", "GpuHallParams"): parameter_table(GpuHallParams),
    ("hall.md", "Cooling"): parameter_table(Cooling),
    ("hall.md", "LiquidCircuit"): parameter_table(LiquidCircuit),
    ("hall.md", "AirCircuit"): parameter_table(AirCircuit),
    ("hall.md", "Structure"): parameter_table(Structure),
    ("hall.md", "Limits"): parameter_table(Limits),
    ("flexibility.md", "HallFlexibility"): parameter_table(HallFlexibility),
    ("supply.md", "Ups"): parameter_table(Ups),
    ("supply.md", "Spread"): parameter_table(Spread),
    ("supply.md", "Psu"): parameter_table(Psu),
    ("supply.md", "RackBattery"): parameter_table(RackBattery),
    ("supply.md", "Transformer"): parameter_table(Transformer),
    ("supply.md", "MechanicalFeed"): parameter_table(MechanicalFeed),
    ("hall.md", "racks"): rack_table(),
    ("it_power.md", "Node"): parameter_table(Node),
    ("it_power.md", "Stage"): parameter_table(Stage),
    ("it_power.md", "Smoothing"): parameter_table(Smoothing),
    ("battery.md", "BatteryParams"): parameter_table(BatteryParams),
    ("battery.md", "Converter"): parameter_table(Converter),
    ("storage.md", "SupercapacitorParams"): parameter_table(SupercapacitorParams),
    ("storage.md", "MustTakeParams"): parameter_table(MustTakeParams),
    ("storage.md", "must_take kinds"): kinds_table(MustTakeParams, must_take.KINDS),
    ("genset.md", "GensetParams"): parameter_table(GensetParams),
    ("genset.md", "Engine"): parameter_table(Engine),
    ("genset.md", "genset kinds"): kinds_table(GensetParams, genset_params.KINDS),
    ("hydrogen.md", "HydrogenParams"): parameter_table(HydrogenParams),
    ("hydrogen.md", "Tank"): parameter_table(Tank),
    ("hydrogen.md", "Electrolyser"): parameter_table(Electrolyser),
    ("hydrogen.md", "alkaline"): kinds_table(Electrolyser, {"pem": {}, "alkaline": ALKALINE}),
    ("hydrogen.md", "FuelCell"): parameter_table(FuelCell),
    ("control.md", "ControllerParams"): parameter_table(ControllerParams),
    **{
        ("control.md", law.__name__): parameter_table(law)
        for law in (
            FastResponse,
            EmergencyReduction,
            PeakReduction,
            DemandResponse,
            ValleyFilling,
            Precooling,
            VoltageSupport,
        )
    },
}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- table {name} -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize(("page", "name"), TABLES)
def test_table_in_the_docs_is_what_the_model_says(page, name):
    found = between(name).search((MODELS / page).read_text(encoding="utf-8"))
    assert found is not None
    assert found.group() == TABLES[page, name]


if __name__ == "__main__":
    for (page, name), table in TABLES.items():
        path = MODELS / page
        text = path.read_text(encoding="utf-8")
        path.write_text(between(name).sub(lambda _, new=table: new, text, count=1), encoding="utf-8")
