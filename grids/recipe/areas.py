r"""One fleet for one area, whichever of its cases looks at it: `python -m grids.recipe.areas`.

Member :math:`m` of an area holds machines of rating :math:`l_m` and says that there are :math:`L_m` outside
of it. All should see the same whole, by kind of machine and operating point,

.. math:: W = \frac{1}{n} \sum_m (l_m + L_m), \qquad L_m' = W - l_m,

and likewise for load and output. Condensers are in no rest; what is of a kind no rest has counts to the first
of them. Writes `rest_load_mw` and `rest_fleet_mw`
of each recipe, `areas.csv` and `rest_fleet.csv` of each case and point; run it after a recipe has dispatched
other machines.
"""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grids.case import case_folder, list_cases, load_case
from grids.joining.rest import KINDS, SMALL
from grids.plants import RATED_PU

STEP_MW = 100.0
"""Numbers are rounded to it."""

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
    own: Kinds
    rest: Kinds


def view_of(name: str, point: str) -> View:
    """Return what a case says of its only area."""
    net = load_case(name, point).net
    rest = {
        str(row["plant_type"]): (float(row["sn_mva"]), float(row["p_mw"]))
        for row in net["rest_fleet"].to_dict("records")
    }
    own: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    gens, sgens = net.gen[net.gen["in_service"]], net.sgen[net.sgen["in_service"]]
    machines = gens[gens["plant_type"].str.split("_").str[0].isin(KINDS)]
    for row in machines.to_dict("records"):
        mine = own[KINDS[str(row["plant_type"]).split("_")[0]]]
        mine[0] += float(row["sn_mva"])
        mine[1] += float(row["p_mw"])
    for row in sgens[sgens["type"].isin(SMALL)].to_dict("records"):
        own[SMALL[str(row["type"])]][1] += float(row["p_mw"])
    areas = net["areas"]
    load_mw = float(net.load["p_mw"][net.load["in_service"]].sum())
    found = {kind: (mva, mw) for kind, (mva, mw) in own.items()}
    return View(str(areas["name"].item()), load_mw, float(areas["rest_load_mw"].item()), found, rest)


def levelled(views: Mapping[str, View]) -> dict[str, tuple[float, Kinds]]:
    """Return the load and the fleet outside each member of one area at one operating point."""
    kinds = list(dict.fromkeys(kind for view in views.values() for kind in view.rest))
    load_mw = _mean(view.load_mw + view.rest_load_mw for view in views.values())
    own = {name: _by_kind(view.own, kinds) for name, view in views.items()}
    whole = {
        kind: tuple(
            _mean(own[name][kind][k] + view.rest.get(kind, (0.0, 0.0))[k] for name, view in views.items())
            for k in range(2)
        )
        for kind in kinds
    }
    return {
        name: (_round(load_mw - view.load_mw), _outside(whole, own[name])) for name, view in views.items()
    }


def _by_kind(own: Kinds, kinds: list[str]) -> Kinds:
    """Return a case's own machines by the kinds the rests of its area have."""
    found = {kind: [0.0, 0.0] for kind in kinds}
    for kind, (mva, mw) in own.items():
        mine = found[kind if kind in kinds else kinds[0]]
        mine[0] += mva
        mine[1] += mw
    return {kind: (mva, mw) for kind, (mva, mw) in found.items()}


def _outside(whole: Mapping[str, tuple[float, ...]], own: Kinds) -> Kinds:
    """Return what is left of the whole; what would be below zero is taken from the largest kind."""
    left = {kind: whole[kind][0] - own[kind][0] for kind in whole}
    largest = max(left, key=lambda kind: left[kind])
    left[largest] += sum(min(mva, 0.0) for mva in left.values())
    found = {}
    for kind, mva in left.items():
        rating = _round(max(mva, 0.0))
        if rating > 0.0:
            wanted = whole[kind][1] - own[kind][1]
            found[kind] = (rating, min(max(_round(wanted), 0.0), _round(RATED_PU * rating)))
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
        block = re.sub(r"rest_load_mw: \S+", f"rest_load_mw: {load_mw:g}", block)
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
