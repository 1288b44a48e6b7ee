"""What a case holds, in numbers: for `suandian grid show`, as plain data."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cosim.core.errors import CaseError, SolveError
from grids.case import JOINED, Case, case_folder, operating_points
from grids.checks.base import solve_point
from grids.checks.levels import level_records
from grids.checks.totals import compare_totals
from grids.links.catalogue import link_catalogue
from grids.makers import EXCHANGE, KINDS, makers_of
from grids.portrayal import dynamic_models, evidence_counts, is_net, open_case

LARGEST = 12
"""Plants that are listed."""

Record = dict[str, Any]


def points_of(name: str, point: str | None = None) -> tuple[str | None, ...]:
    """Return the operating points to look at: the one asked for, else all, the default first.

    Cases that are joined have the points that all of them have; None stands for tables without a point.

    Raises
    ------
    CaseError
        When there is no such case, or cases to be joined have no point in common.
    """
    if point is not None or is_net(name):
        return (point,)
    common = common_points(name)
    if len(common) == 1:
        return common
    default = open_case(_members(name)[0]).point
    return tuple(sorted(common, key=lambda p: p != default))


def common_points(name: str) -> tuple[str | None, ...]:
    """Return the operating points of a case, or those that all of several joined ones have.

    Raises
    ------
    CaseError
        When there is no such case, or cases to be joined have no point in common.
    """
    first, *others = [operating_points(case_folder(member)) for member in _members(name)]
    common = tuple(p for p in first if all(p in known for known in others))
    if not common and any([first, *others]):
        msg = f"{name}: no operating point is common to all ({'; '.join(map(', '.join, [first, *others]))})"
        raise CaseError(msg)
    return common or (None,)


def _members(name: str) -> list[str]:
    return [name] if Path(name).is_dir() else name.split(JOINED)


def inventory(name: str, point: str | None = None) -> Record:
    """Return totals, levels, evidence, plants, links, ties and points of a case.

    Parameters
    ----------
    name
        Case, cases with `+` between them, folder, or pandapower net.
    point
        One operating point; all of them where None.

    Returns
    -------
    dict
        Lists of flat records, ready for JSON; an unknown number is None.

    Raises
    ------
    CaseError
        When the case is wrong.
    """
    cases = [open_case(name, p) for p in points_of(name, point)]
    case = cases[0]
    makers = makers_of(case.net)
    models, bare = dynamic_models(case)
    found = {
        "case": case.name,
        "title": str(case.meta["title"]),
        "summary": str(case.meta.get("summary", "")).strip(),
        "f_nominal_hz": float(case.meta["f_nominal_hz"]),
        "base_mva": float(case.net.sn_mva),
        "sources": [str(source) for source in case.meta.get("sources", ())],
        "licence": str(case.meta.get("licence", "")),
        "assumptions": [str(text) for text in dict(case.meta.get("assumptions", {})).values()],
        "points": [point_totals(name, one) for one in cases],
        "capacity": _capacity(makers),
        "published": compare_totals(cases),
        "levels": voltage_levels(case.net),
        "short_circuit": level_records(cases),
        "areas": _records(case.net["areas"], ("name", "f_nominal_hz", "rest_load_mw")),
        "evidence": evidence_counts(case),
        "largest_plants": _largest(case.net, makers),
        "links": _links(cases),
        "ties": _ties(cases),
        "connections": _connections(case),
        "dynamic_models": models,
        "without_dynamic_model": bare,
    }
    plain: Record = _plain(found)
    return plain


def point_totals(name: str, case: Case) -> Record:
    """Return load, generation by kind, exchange and losses of one operating point [MW].

    They balance: load and losses are what plants, links, interchange and slack deliver. Losses and slack
    are those of the power flow; without a solution they are None and `problem` says why.
    """
    makers = makers_of(case.net)
    on = makers[makers["in_service"].astype(bool)]
    by_kind = on.groupby("kind")["p_mw"].sum()
    dc = on.loc[on["kind"] == "dc", "p_mw"]
    totals: Record = {
        "point": case.point,
        "title": str(case.meta.get("operating_point", {}).get("title", "")),
        "load_mw": _power_mw(case.net.load),
        "made_mw": {kind: float(by_kind[kind]) for kind in KINDS if by_kind.get(kind)},
        "dc_in_mw": float(dc[dc > 0.0].sum()),
        "dc_out_mw": float(-dc[dc < 0.0].sum()),
        "interchange_mw": float(by_kind.get("interchange", 0.0)),
        "slack_mw": None,
        "losses_mw": None,
        "problem": "",
    }
    try:
        solved = solve_point(name, case.point)
    except SolveError as error:
        totals["problem"] = str(error).splitlines()[0]
        return totals
    grid = solved.tables["grid"]
    totals["load_mw"] = float(grid["load_mw"][0])
    totals["slack_mw"], totals["losses_mw"] = float(grid["slack_mw"][0]), float(grid["losses_mw"][0])
    return totals


def _power_mw(frame: Any) -> float:
    if not len(frame):
        return 0.0
    return float((frame["p_mw"] * frame["scaling"])[frame["in_service"].astype(bool)].sum())


def _capacity(makers: pd.DataFrame) -> list[Record]:
    rated = makers.groupby("kind")["rated_mw"].sum()
    counts = makers.groupby("kind").size()
    return [
        {"kind": kind, "rows_count": int(counts[kind]), "rated_mw": float(rated[kind])}
        for kind in KINDS
        if kind in counts and kind != "condenser"
    ]


def voltage_levels(net: Any) -> list[Record]:
    """Return busbars, circuits, their length and transformers by voltage, highest first.

    A transformer counts where its higher voltage is, with the rating of all its banks.
    """
    kv = net.bus["vn_kv"]
    line_kv = net.line["from_bus"].map(kv)
    trafo_kv = net.trafo["hv_bus"].map(kv)
    records = []
    for level in sorted(kv.unique(), reverse=True):
        lines, trafos = net.line[line_kv == level], net.trafo[trafo_kv == level]
        records.append(
            {
                "vn_kv": float(level),
                "buses_count": int((kv == level).sum()),
                "circuits_count": int(lines["parallel"].sum()),
                "circuits_km": float((lines["length_km"] * lines["parallel"]).sum()),
                "trafos_count": int(trafos["parallel"].sum()),
                "trafos_mva": float((trafos["sn_mva"] * trafos["parallel"]).sum()),
            }
        )
    return records


def _largest(net: Any, makers: pd.DataFrame) -> list[Record]:
    plants = makers[(makers["table"] == "gen") & ~makers["kind"].isin((*EXCHANGE, "condenser"))]
    chosen = plants.nlargest(LARGEST, "rated_mw")
    names = net.bus["name"].iloc[chosen["bus"].to_numpy()].tolist()
    return _records(chosen.assign(at=names), ("name", "kind", "rated_mw", "p_mw", "at", "evidence", "source"))


def _links(cases: Sequence[Case]) -> list[Record]:
    """Return ends of direct-current links, with what they carry at each point."""
    known = {link.name: link for link in link_catalogue()}
    links = cases[0].net["links"]
    own_kv = dict(zip(links["name"], links["vn_kv"], strict=True)) if len(links) else {}
    records = _exchanges(cases, ("dc",))
    for record in records:
        name = link_name(record["name"])
        link = known.get(name)
        record["vn_kv"] = own_kv.get(name) if link is None else link.vn_kv
        record["leads"] = "" if link is None else f"{link.from_station} - {link.to_station}"
        record["commissioned"] = "" if link is None else link.commissioned
    return records


def link_name(element: str) -> str:
    """Return the link an injection of type `dc` belongs to, by its name: "A-B" of "A-B DC, 500 kV layer"."""
    return element.split(" DC", maxsplit=1)[0].strip()


def _ties(cases: Sequence[Case]) -> list[Record]:
    ties = cases[0].net["ties"]
    shares = dict(zip(ties["element"], ties["share_pu"].astype(float), strict=True)) if len(ties) else {}
    records = _exchanges(cases, ("interchange", "slack"))
    for record in records:
        record["share_pu"] = shares.get(record["name"])
    return records


def _exchanges(cases: Sequence[Case], kinds: tuple[str, ...]) -> list[Record]:
    net = cases[0].net
    by_point = {str(case.point): makers_of(case.net).set_index("name")["p_mw"] for case in cases}
    makers = makers_of(net)
    records = []
    for row in makers[makers["kind"].isin(kinds)].to_dict("records"):
        name = row["name"]
        powers = {point: float(p_mw[name]) for point, p_mw in by_point.items() if name in p_mw}
        at = str(net.bus["name"].iloc[row["bus"]])
        told = {key: row[key] for key in ("rated_mw", "evidence", "source")}
        records.append({"name": name, "at": at, "p_mw": powers, **told})
    return records


def _connections(case: Case) -> list[Record]:
    points, net = case.net["points"], case.net
    told = points.get("description", pd.Series("", index=points.index)).fillna("")
    return [
        {
            "name": str(name),
            "at": str(net.bus["name"].loc[bus]),
            "vn_kv": float(net.bus["vn_kv"].loc[bus]),
            "description": str(text),
        }
        for (name, bus), text in zip(case.points.items(), told, strict=True)
    ]


def _records(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[Record]:
    return [dict(zip(columns, row, strict=True)) for row in frame[list(columns)].itertuples(index=False)]


def _plain(value: Any) -> Any:
    """Return numbers, texts, lists and mappings as JSON has them; nan becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value
