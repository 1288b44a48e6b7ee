r"""How many real busbars the rows of a case stand for: one rule for all cases.

At 500 kV and above, N is what is at the row over what one real station has:

.. math:: N = \left\lfloor \sum \frac{S_{transformers}}{S_{station}} + \frac{P_{load}}{P_{station}}
          + \frac{S_{machines}}{S_{plant}} + n_{converters} + \frac 1 2 \right\rfloor

and no less than its circuits over those of a station. Load at the row itself has its transformers left
out. At 220 and 330 kV a row that transformers of a higher voltage feed stands for zones that are run apart,
so many that none has more transformers and plants than a station; others are one. Rows at the boundary are
one, too.

Neighbouring stations are :math:`\bar l/\sqrt N` apart: the circuits of the row, :math:`\bar l` long in the
mean, run between the middles of regions, and N stations share one of them evenly.

Where that leaves short-circuit levels above the breakers' rating at any operating point, operators run
busbars or stations apart (母线分列运行, 分区运行), and so does the rule, as little as holds: the row furthest
above goes first, in two sections, then in one more each time until it is within; then the next. Stations of
one section count as one busbar, which is too near and so on the safe side. Which busbars operators run apart
is not published; that they must is, as levels of East China's 500 kV grid lie above the breakers' rating over
wide areas (jsdtwm.com id=3749), and Guangdong's grid was parted against them in 2022 (alsox.com post-12423).

`python -m grids.checks.busbar_counts NAME ...` writes the columns `busbars` and `spacing_km` of cases, and
says in the source of each row what was counted.
"""

import csv
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cosim.core.errors import CaseError
from grids.case import Case, case_folder, load_case, operating_points
from grids.checks.base import BACKBONE_KV, HIGH_KV
from grids.checks.levels import above_rating_ka
from grids.checks.short_circuit import elements_beyond

STATION_MVA = ((1000.0, 6000.0), (330.0, 4200.0), (0.0, 3000.0))
"""Transformers of a station, by the higher voltage where it is 1000 kV, else by the lower [kV -> MVA].

1000/500 kV 2 x 3000 (Caozhou, 13tuan.cn); 750/330 kV 2 x 2100 (Lanlin, keyan.mbahome.com 2023-04-11);
750/220 kV 2 x 1500 (Fengsui, zbwmy.com 2025-01-22; Xinjiang 91,500 MVA in 30 stations, 2025-05); 500/220 kV
3 x 1000 between 2 (Yuanlu, mm.chinapower.com.cn 2024-05-31) and the 4 of standard designs (unconfirmed).
"""

STATION_LOAD_MW = 2070.0
"""Load of a station: three banks of 1000 MVA at 690 MW, as the cases count banks."""

PLANT_MVA = 2100.0
"""Machines of a plant: mean of the 308 named rows of 1000 MVA and more at 500 kV and above of our cases."""

STATION_CIRCUITS = 10
"""Circuits of 500 kV and above of one station, final in standard designs (unconfirmed)."""

NOT_PLANTS = ("condenser",)
"""Machines that belong to the station they stand in."""

MOST_SECTIONS = 50
"""Sections of one row beyond which it is fed by what does not divide."""

_SAID = re.compile(r"; (busbars|zones): .*$")


@dataclass(frozen=True)
class Count:
    """What a row of bus.csv stands for."""

    busbars: int
    spacing_km: float
    """Not a number where the busbars are run apart, or only one."""
    because: str


ONE = Count(1, math.nan, "")


def count_busbars(cases: Sequence[Case]) -> dict[str, Count]:
    """Return what each bus stands for, by its name, from a case at all its operating points.

    Raises
    ------
    CaseError
        When no number of sections holds a level under the breakers' rating.
    """
    counts = _tied(cases)
    counted, tied_ka = dict(counts), dict[str, float]()
    while above := above_rating_ka([_opened(case, counts) for case in cases]):
        name = next((name for name in above if name in tied_ka), next(iter(above)))
        tied_ka.setdefault(name, above[name])
        found = counts[name]
        sections = found.busbars + 1 if math.isnan(found.spacing_km) else 2
        if sections > MOST_SECTIONS:
            msg = f"{cases[0].name}: bus {name!r} is above the breakers' rating in {MOST_SECTIONS} sections"
            raise CaseError(msg)
        because = (
            f"{counted[name].because}; {counted[name].busbars} counted, run apart in {sections} to keep the "
            f"breakers' rating: {tied_ka[name]:.1f} kA tied (unconfirmed)"
        )
        counts[name] = Count(sections, math.nan, because)
    return counts


def _opened(case: Case, counts: Mapping[str, Count]) -> Case:
    net = copy(case.net)
    of = [counts.get(str(name), ONE) for name in net.bus["name"]]
    net.bus = net.bus.assign(
        busbars=[float(one.busbars) for one in of], spacing_km=[one.spacing_km for one in of]
    )
    return replace(case, net=net)


def _tied(cases: Sequence[Case]) -> dict[str, Count]:
    net = cases[0].net
    peak_mw: dict[int, float] = {}
    for case in cases:
        on = case.net.load[case.net.load["in_service"]]
        for bus, p_mw in on.groupby("bus")["p_mw"].sum().items():
            peak_mw[int(bus)] = max(peak_mw.get(int(bus), 0.0), float(p_mw))
    beyond = elements_beyond(net)
    boundary = {int(bus) for table in ("gen", "ext_grid") for bus in _at(net, table, beyond)}
    return {
        str(net.bus.at[bus, "name"]): _count(net, int(bus), peak_mw.get(int(bus), 0.0))
        for bus in net.bus.index
        if int(bus) not in boundary and net.bus.at[bus, "vn_kv"] >= HIGH_KV
    }


def _at(net: Any, table: str, names: set[str]) -> Iterator[int]:
    frame = net[table]
    yield from frame.loc[frame["name"].isin(names) & frame["in_service"], "bus"]


def _count(net: Any, bus: int, peak_mw: float) -> Count:
    kv = float(net.bus.at[bus, "vn_kv"])
    circuits = net.line[(net.line["from_bus"] == bus) | (net.line["to_bus"] == bus)]
    machines = net.gen[(net.gen["bus"] == bus) & ~net.gen["plant_type"].isin(NOT_PLANTS)]
    plants = float(machines["sn_mva"].sum()) / PLANT_MVA
    stations = _stations(net, net.trafo[net.trafo["lv_bus"] == bus])
    if kv < BACKBONE_KV:
        count = math.ceil(round(stations + plants, 6)) if stations else 1
        return Count(count, math.nan, f"zones: {stations:.1f} of stations, {plants:.1f} of plants")
    below = net.trafo[(net.trafo["hv_bus"] == bus)]
    below = below[net.bus["vn_kv"].loc[below["lv_bus"]].to_numpy() >= HIGH_KV]
    stations += _stations(net, below) + peak_mw / STATION_LOAD_MW
    links = int(((net.sgen["bus"] == bus) & (net.sgen["type"] == "dc")).sum())
    number = int(circuits["parallel"].sum())
    count = max(math.floor(stations + plants + links + 0.5), math.ceil(number / STATION_CIRCUITS), 1)
    spacing_km = float(circuits["length_km"].mean()) / math.sqrt(count) if count > 1 else math.nan
    parts = f"{stations:.1f} of stations, {plants:.1f} of plants, {links} of converters, {number} circuits"
    return Count(count, round(spacing_km, 1), f"busbars: {parts}")


def _stations(net: Any, trafo: Any) -> float:
    hv_kv = net.bus["vn_kv"].loc[trafo["hv_bus"]].to_numpy()
    lv_kv = net.bus["vn_kv"].loc[trafo["lv_bus"]].to_numpy()
    mva = (trafo["sn_mva"] * trafo["parallel"]).to_numpy()
    each = (m / station_mva(high, low) for m, high, low in zip(mva, hv_kv, lv_kv, strict=True))
    return float(sum(each))


def station_mva(hv_kv: float, lv_kv: float) -> float:
    """Return the transformers of one station between two voltages."""
    (ultra_kv, ultra_mva), *rest = STATION_MVA
    return ultra_mva if hv_kv >= ultra_kv else next(mva for kv, mva in rest if lv_kv >= kv)


def write_counts(folder: Path) -> int:
    """Write the columns of bus.csv of a case, and return how many busbars it stands for."""
    points = operating_points(folder) or (None,)
    counts = count_busbars([load_case(str(folder), point) for point in points])
    path = folder / "bus.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    for name in ("busbars", "spacing_km"):
        if name not in columns:
            columns.insert(columns.index("evidence"), name)
    for row in rows:
        found = counts.get(row["name"])
        several = found is not None and found.busbars > 1
        row["source"] = _SAID.sub("", row["source"]) + (f"; {found.because}" if found and several else "")
        row["busbars"] = str(found.busbars) if found and several else ""
        joined = found is not None and several and not math.isnan(found.spacing_km)
        row["spacing_km"] = f"{found.spacing_km:g}" if found and joined else ""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return sum(int(row["busbars"] or 1) for row in rows)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{name}: {write_counts(case_folder(name))} busbars\n")
