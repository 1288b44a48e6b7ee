r"""One fleet for one area, whichever of its cases looks at it: `python -m grids.recipe.areas`.

Member :math:`m` of an area holds machines of rating :math:`l_m` and says that there are :math:`L_m` outside
of it. All should see the same whole, by kind of machine and operating point,

.. math:: W = \frac{1}{n} \sum_m (l_m + L_m), \qquad L_m' = W - l_m,

and likewise for load; what runs outside is loaded as all the rests of the area together. Condensers are in no
rest; what is of a kind no rest has counts to the first of them. Writes `rest_load_mw` and `rest_fleet_mw` of
each recipe, `areas.csv` and `rest_fleet.csv` of each case and point; run it after a recipe has dispatched
other machines. Run twice, it changes nothing more.
"""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grids.case import case_folder, list_cases, load_case
from grids.joining.rest import KINDS
from grids.plants import RATED_PU

STEP_MW = 100.0
"""Numbers are rounded to it."""

MOST_PU = 0.92 * RATED_PU
"""Output over MVA of a rest that still has room for the answer of its governors."""

LEVELLED = "; levelled with the other cases of the area"
"""What `source` says of numbers written here."""

Kinds = dict[str, tuple[float, float]]
"""Plant type of a rest -> [MVA, MW]."""


@dataclass
class View:
    """What a case says of its area at one operating point."""

    area: str
    load_mw: float
    rest_load_mw: float
    own: Mapping[str, float]
    """Plant type of a rest -> [MVA] of the case's own machines that would belong to it."""
    rest: Kinds


def view_of(name: str, point: str) -> View:
    """Return what a case says of its only area."""
    net = load_case(name, point).net
    rest = {
        str(row["plant_type"]): (float(row["sn_mva"]), float(row["p_mw"]))
        for row in net["rest_fleet"].to_dict("records")
    }
    own: dict[str, float] = defaultdict(float)
    for row in net.gen[net.gen["in_service"]].to_dict("records"):
        kind = KINDS.get(str(row["plant_type"]).split("_")[0])
        if kind is not None:
            own[kind] += float(row["sn_mva"])
    areas = net["areas"]
    load_mw = float(net.load["p_mw"][net.load["in_service"]].sum())
    return View(str(areas["name"].item()), load_mw, float(areas["rest_load_mw"].item()), dict(own), rest)


def levelled(views: Mapping[str, View]) -> dict[str, tuple[float, Kinds]]:
    """Return the load and the fleet outside each member of one area at one operating point."""
    kinds = list(dict.fromkeys(kind for view in views.values() for kind in view.rest))
    load_mw = _mean(view.load_mw + view.rest_load_mw for view in views.values())
    own = {name: _by_kind(view.own, kinds) for name, view in views.items()}
    rest = {kind: [view.rest.get(kind, (0.0, 0.0)) for view in views.values()] for kind in kinds}
    whole_mva = {
        kind: _mean(own[name][kind] + mva for name, (mva, _) in zip(views, rest[kind], strict=True))
        for kind in kinds
    }
    loading_pu = {
        kind: min(sum(mw for _, mw in rows) / sum(mva for mva, _ in rows), MOST_PU)
        for kind, rows in rest.items()
    }
    return {
        name: (_round(load_mw - view.load_mw), _outside(whole_mva, loading_pu, own[name]))
        for name, view in views.items()
    }


def _by_kind(own_mva: Mapping[str, float], kinds: list[str]) -> dict[str, float]:
    """Return a case's own machines [MVA] by the kinds the rests of its area have."""
    found = dict.fromkeys(kinds, 0.0)
    for kind, mva in own_mva.items():
        found[kind if kind in kinds else kinds[0]] += mva
    return found


def _outside(
    whole_mva: Mapping[str, float], loading_pu: Mapping[str, float], own_mva: Mapping[str, float]
) -> Kinds:
    """Return what is left of the whole; what would be below zero is taken from the largest kind."""
    left = {kind: mva - own_mva[kind] for kind, mva in whole_mva.items()}
    largest = max(left, key=lambda kind: left[kind])
    left[largest] += sum(min(mva, 0.0) for mva in left.values())
    found = {}
    for kind, mva in left.items():
        rating = _round(max(mva, 0.0))
        if rating > 0.0:
            found[kind] = (rating, _round(loading_pu[kind] * rating))
    return found


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _round(value: float) -> float:
    return round(value / STEP_MW) * STEP_MW


def write_recipe(path: Path, points: Mapping[str, tuple[float, Kinds]]) -> None:
    """Write load and fleet outside the case into a recipe's points."""
    text = path.read_text(encoding="utf-8")
    for point, (load_mw, fleet) in points.items():
        start = re.search(rf"^  {point}:\n", text, re.MULTILINE)
        if start is None:
            continue
        end = re.compile(r"^  \w+:\n", re.MULTILINE).search(text, start.end())
        stop = end.start() if end else len(text)
        block = text[start.end() : stop]
        block = re.sub(r"rest_load_mw: \S+", f"rest_load_mw: {load_mw:.0f}", block)
        rows = ", ".join(f"{kind}: [{mva:.0f}, {mw:.0f}]" for kind, (mva, mw) in fleet.items())
        block = re.sub(r"rest_fleet_mw:\s*\{[^}]*\}", f"rest_fleet_mw: {{{rows}}}", block)
        text = text[: start.end()] + block + text[stop:]
    path.write_text(text, encoding="utf-8")


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_case(name: str, area: str, points: Mapping[str, tuple[float, Kinds]]) -> None:
    """Write load and fleet outside a case: its tables have those of its default point."""
    folder = case_folder(name)
    default = str(load_case(name).point)
    kinds = list(dict.fromkeys(kind for _, fleet in points.values() for kind in fleet))
    path = folder / "rest_fleet.csv"
    with path.open(encoding="utf-8") as file:
        old = {row["plant_type"]: row for row in csv.DictReader(file)}
    like = next(iter(old.values()))
    base = {kind: points[default][1].get(kind, (1.0, 0.0)) for kind in kinds}
    table = [{**old.get(kind, like), **_row(area, kind, *base[kind])} for kind in kinds]
    for row in table:
        row["source"] = row["source"].removesuffix(LEVELLED) + LEVELLED
    write_table(path, table)
    path = folder / "areas.csv"
    with path.open(encoding="utf-8") as file:
        areas = [dict(row) for row in csv.DictReader(file)]
    areas[0]["rest_load_mw"] = f"{points[default][0]:.0f}"
    areas[0]["source"] = areas[0]["source"].removesuffix(LEVELLED) + LEVELLED
    write_table(path, areas)
    for point, (load_mw, fleet) in points.items():
        where = folder / "operating_points" / point
        if not (where / "areas.csv").is_file():
            continue
        write_table(where / "areas.csv", [{"name": area, "rest_load_mw": f"{load_mw:.0f}"}])
        write_table(
            where / "rest_fleet.csv", [_row(area, kind, *fleet.get(kind, (1.0, 0.0))) for kind in kinds]
        )
    write_recipe(folder / "recipe.yaml", {
        point: (load_mw, {kind: fleet.get(kind, (1.0, 0.0)) for kind in kinds})
        for point, (load_mw, fleet) in points.items()
    })  # fmt: skip


def _row(area: str, kind: str, mva: float, mw: float) -> dict[str, str]:
    return {"area": area, "plant_type": kind, "sn_mva": f"{mva:.0f}", "p_mw": f"{mw:.0f}"}


def level(names: Iterable[str]) -> list[str]:
    """Level the rests of all areas two of the cases share; returns a line per area and point."""
    members: dict[str, list[str]] = defaultdict(list)
    for name in names:
        members[str(load_case(name).net["areas"]["name"].iloc[0])].append(name)
    told = []
    for area, cases in members.items():
        found: dict[str, dict[str, tuple[float, Kinds]]] = defaultdict(dict)
        if len(cases) == 1:
            continue
        for point in sorted(p.name for p in (case_folder(cases[0]) / "operating_points").iterdir()):
            views = {name: view_of(name, point) for name in cases}
            for name, (load_mw, fleet) in levelled(views).items():
                found[name][point] = (load_mw, fleet)
                before, after = (sum(mva for mva, _ in f.values()) for f in (views[name].rest, fleet))
                told.append(f"{area}, {point}, {name}: {before:.0f} -> {after:.0f} MVA outside")
        for name, points in found.items():
            write_case(name, area, points)
    return told


if __name__ == "__main__":
    provinces = [name for name in list_cases() if (case_folder(name) / "recipe.yaml").is_file()]
    sys.stdout.write("\n".join(level(sys.argv[1:] or provinces)) + "\n")
