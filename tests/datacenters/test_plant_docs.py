"""The tables of docs/models/cooling_plant.md are printed from the models.

`python tests/datacenters/test_plant_docs.py` writes them.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from cosim.core.params import Params
from datacenters import plant
from datacenters.chillers import Chiller, record, records
from datacenters.data import table

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "models" / "cooling_plant.md"


def parameter_table(model: type[Params]) -> str:
    rows = ["| parameter | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        rows.append(f"| `{name}` | {field.default} | {field.description} |")
    return "\n".join(rows)


def kinds_table(model: type[Params], kinds: Mapping[str, Mapping[str, object]]) -> str:
    changed = list(dict.fromkeys(name for kind in kinds.values() for name in kind))
    rows = ["| parameter | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name in changed:
        cells = [kind.get(name, model.model_fields[name].default) for kind in kinds.values()]
        rows.append(f"| `{name}` | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


def record_table() -> str:
    rows = ["| `model` | COP | at leaving, entering [°C] | leaving | entering | source |", "|---" * 6 + "|"]
    for name in records():
        r, source = record(name), table("chillers")[name]["source"]
        ranges = " | ".join(
            f"{low:g} to {high:g}" for low, high in (r.leaving_range_degc, r.entering_range_degc)
        )
        at = f"{r.leaving_degc:g}, {r.entering_degc:g}"
        rows.append(f"| `{name}` | {r.cop_pu:g} | {at} | {ranges} | {source.partition(' of LBNL')[0]} |")
    return "\n".join(rows)


TABLES = {
    "Cdu": parameter_table(plant.Cdu),
    "HeatRejection": parameter_table(plant.HeatRejection),
    "heat rejection kinds": kinds_table(plant.HeatRejection, plant.KINDS),
    "Chiller": parameter_table(Chiller),
    "records": record_table(),
    "BufferTank": parameter_table(plant.BufferTank),
}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- table {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_table_of_the_plant_is_what_the_model_says(name):
    found = between(name).search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found.group() == TABLES[name] + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for name, printed in TABLES.items():
        text = between(name).sub(lambda _, new=printed: new + "\n", text, count=1)
    PAGE.write_text(text, encoding="utf-8")
