r"""Rest of a synchronous area outside all members: each member's rest less the other members.

Member :math:`m` alone says how much load :math:`L_m` and which machines the area has outside of it; the
others' own are part of that. With :math:`l_k` what member :math:`k` holds itself,

.. math:: L = \frac{1}{n} \sum_m \Bigl( L_m - \sum_{k \ne m} l_k \Bigr),

and likewise rating and output, by kind of machine, and kinetic energy, of all kinds by one factor on the
inertia constants of their types. Rating and energy of the area are then the means of those of its members
alone, and nothing is counted twice. Machines, inside and outside, keep the responding share their rows or
plant types say.
"""

import math
from collections.abc import Iterable

from grids.caseread import Place, Row
from grids.joining.members import Members, Rows, in_service, put
from grids.plants import RATED_PU, WITHOUT_MACHINE, plant_types

KINDS = {
    "coal": "rest_coal",
    "gas": "rest_gas",
    "hydro": "rest_hydro",
    "pumped": "rest_hydro",
    "nuclear": "rest_nuclear",
}
"""First word of a plant type -> plant type of the rest it would belong to; condensers are in no rest."""
SMALL = {"thermal": "rest_coal", "hydro": "rest_hydro", "nuclear": "rest_nuclear"}
"""Type of an injection without inertia -> plant type of the rest its output belongs to."""

RATING, ENERGY, OUTPUT = range(3)
"""What is counted of machines: rating [MVA], kinetic energy [MW s] and output [MW]."""


def merge_areas(members: Members) -> list[Row]:
    """Return one row per synchronous area, with the load outside all members.

    Frequency bias and load damping are the means of the members'.
    """
    areas: dict[str, list[tuple[str, Row]]] = {}
    for case, rows in members.items():
        for row in rows["areas"]:
            areas.setdefault(row.text("name"), []).append((case, row))
    return [_merge_area(members, name, parts) for name, parts in areas.items()]


def merge_rest(members: Members) -> list[Row]:
    """Return what answers in each area outside all members, a row per kind."""
    areas = dict.fromkeys(row.text("area") for rows in members.values() for row in rows["rest_fleet"])
    return [row for area in areas for row in _rest_of(members, area)]


def _merge_area(members: Members, name: str, parts: list[tuple[str, Row]]) -> Row:
    row = parts[0][1]
    if len(parts) == 1:
        return row
    inside = {case: _load_mw(rows, name) for case, rows in members.items()}
    whole_mw = _mean(part.number("rest_load_mw") + inside[case] for case, part in parts)
    put(row, "rest_load_mw", max(whole_mw - sum(inside.values()), 0.0))
    for column in ("load_damping_pu", "agc_bias_mw_per_hz"):
        put(row, column, _mean(part.number(column) for _, part in parts))
    _derived(row, [case for case, _ in parts])
    return row


def _rest_of(members: Members, area: str) -> list[Row]:
    """Return the machines of an area that are in no member, and what else answers there."""
    inside = {
        case: rows for case, rows in members.items() if any(a.text("name") == area for a in rows["areas"])
    }
    says = {
        case: [row for row in rows["rest_fleet"] if row.text("area") == area] for case, rows in inside.items()
    }
    says = {case: rows for case, rows in says.items() if rows}
    if len(inside) == 1:
        return next(iter(says.values()))
    every = dict.fromkeys(row.text("plant_type") for rows in says.values() for row in rows)
    kinds = [kind for kind in every if plant_types()[kind].governor not in WITHOUT_MACHINE]
    own = {case: _own(rows, area, kinds) for case, rows in inside.items()}
    left = {kind: [0.0, 0.0, 0.0] for kind in kinds}
    for kind, values in left.items():
        for what in (RATING, ENERGY, OUTPUT):
            others = {case: sum(own[k][kind][what] for k in own if k != case) for case in says}
            values[what] = _mean(_said(rows, kind)[what] - others[case] for case, rows in says.items())
    for what in (RATING, OUTPUT):
        _level(left, what)
    usual = sum(values[RATING] * plant_types()[kind].h_s for kind, values in left.items())
    scale = sum(values[ENERGY] for values in left.values()) / usual if usual > 0.0 else 1.0
    rest = [_rest_row(area, kind, values, list(says.values()), scale) for kind, values in left.items()]
    rest += [_other_row(area, kind, list(says.values())) for kind in every if kind not in kinds]
    for row in rest:
        _derived(row, list(says))
    return [row for row in rest if row.number("sn_mva") >= 1.0]


def _rest_row(area: str, kind: str, values: list[float], says: list[list[Row]], scale: float) -> Row:
    sn_mva = values[RATING]
    mine = [row for rows in says for row in rows if row.text("plant_type") == kind]
    share = sum(_responding_pu(row) * row.number("sn_mva") for row in mine)
    responding_pu = share / sum(row.number("sn_mva") for row in mine)
    row = _row(area, kind, sn_mva, min(values[OUTPUT], RATED_PU * sn_mva), responding_pu)
    put(row, "h_s", scale * plant_types()[kind].h_s)
    return row


def _other_row(area: str, kind: str, says: list[list[Row]]) -> Row:
    """Return what answers without a machine: no member has any of it, so the mean of what they say stays."""
    mine = [[row for row in rows if row.text("plant_type") == kind] for rows in says]
    sn_mva = _mean(sum(row.number("sn_mva") for row in rows) for rows in mine)
    able_mw = _mean(sum(_responding_pu(row) * row.number("sn_mva") for row in rows) for rows in mine)
    p_mw = _mean(sum(row.number("p_mw") for row in rows) for rows in mine)
    return _row(area, kind, sn_mva, p_mw, able_mw / sn_mva if sn_mva > 0.0 else 0.0)


def _row(area: str, kind: str, sn_mva: float, p_mw: float, responding_pu: float) -> Row:
    row = Row(Place("rest_fleet.csv", 1), {})
    put(row, "area", area)
    put(row, "plant_type", kind)
    put(row, "sn_mva", sn_mva)
    put(row, "p_mw", p_mw)
    put(row, "responding_pu", responding_pu)
    put(row, "h_s", math.nan)
    return row


def _responding_pu(row: Row) -> float:
    return _number(row, "responding_pu", plant_types()[row.text("plant_type")].responding_pu)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _level(left: dict[str, list[float]], what: int) -> None:
    """Take what is below zero of one kind from the others in proportion, so that the sum stays."""
    total = sum(values[what] for values in left.values())
    above = sum(max(values[what], 0.0) for values in left.values())
    for values in left.values():
        values[what] = max(values[what], 0.0) * (max(total, 0.0) / above if above > 0.0 else 0.0)


def _here(rows: Rows, table: str, area: str) -> list[Row]:
    """Return the rows of a table that are in service in an area."""
    buses = {row.text("name") for row in rows["bus"] if row.text("area") == area}
    return [row for row in rows[table] if row.text("bus") in buses and in_service(row)]


def _load_mw(rows: Rows, area: str) -> float:
    return sum(row.number("p_mw") for row in _here(rows, "load", area))


def _machines(rows: Rows, area: str) -> list[Row]:
    """Return a case's machines of the kinds an area's rest has, too."""
    return [row for row in _here(rows, "gen", area) if row.text("plant_type").split("_")[0] in KINDS]


def _number(row: Row, column: str, default: float) -> float:
    value = row.number(column)
    return default if math.isnan(value) else value


def _energy(row: Row) -> float:
    return _number(row, "h_s", plant_types()[row.text("plant_type")].h_s) * row.number("sn_mva")


def _said(rows: list[Row], kind: str) -> tuple[float, float, float]:
    """Return rating, energy and output of the rest_fleet rows of a kind."""
    mine = [row for row in rows if row.text("plant_type") == kind]
    rating = sum(row.number("sn_mva") for row in mine)
    return rating, sum(_energy(row) for row in mine), sum(row.number("p_mw") for row in mine)


def _own(rows: Rows, area: str, kinds: list[str]) -> dict[str, list[float]]:
    """Return rating, energy and output of a case's own machines, by kind of rest.

    What is of no kind the rest has counts to the first of them.
    """
    sums = {kind: [0.0, 0.0, 0.0] for kind in kinds}
    for row in _machines(rows, area):
        kind = KINDS[row.text("plant_type").split("_")[0]]
        mine = sums[kind if kind in sums else kinds[0]]
        mine[RATING] += row.number("sn_mva")
        mine[ENERGY] += _energy(row)
        mine[OUTPUT] += row.number("p_mw")
    for row in _here(rows, "sgen", area):
        small = SMALL.get(row.text("type"))
        if small is not None:
            sums[small if small in sums else kinds[0]][OUTPUT] += row.number("p_mw")
    return sums


def _derived(row: Row, cases: list[str]) -> None:
    put(row, "evidence", "derived")
    put(row, "source", f"mean of the rest of {', '.join(cases)}, each less the other members")
