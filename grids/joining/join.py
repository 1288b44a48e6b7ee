"""Composition of the tables of several cases."""

from collections.abc import Mapping

from cosim.core.errors import CaseError, collected
from grids.caseread import Row
from grids.casetables import TABLES
from grids.joining.balance import close_balance, merge_ties
from grids.joining.border import added, open_borders
from grids.joining.ends import join_links
from grids.joining.members import Members, Rows, say_where
from grids.joining.rest import merge_areas, merge_rest
from grids.joining.tables import read_interconnection


def join(members: Members) -> Rows:
    """Compose several cases at one operating point into the tables of one.

    Stations two of them share become one, elements that stand for a neighbour go where the neighbour is
    there, areas of one name become one, links whose two ends are there become one. A case alone stays as it
    is. The rows are changed in place.

    Parameters
    ----------
    members
        Case name -> its tables, parsed.

    Raises
    ------
    CaseError
        When two cases use a name for different things, or the interconnection names what is not there.
    """
    members = {case: dict(rows) for case, rows in members.items()}
    for case, rows in members.items():
        say_where(rows, case)
    known = read_interconnection()
    areas, rest = merge_areas(members), merge_rest(members)
    gone_mw = open_borders(members, known)
    links, moved_mw = join_links(members)
    _check_unique(members)
    apart = {"areas": areas, "rest_fleet": rest, "links": links}
    joined = {
        table: apart.get(table, [row for rows in members.values() for row in rows[table]]) for table in TABLES
    }
    joined["line"] += added(known.lines, members)
    joined["shunt"] += added(known.shunts, members)
    merge_ties(joined)
    station = {case: rows["bus"][0].text("name") for case, rows in members.items()}
    close_balance(joined, station, gone_mw, moved_mw)
    return joined


def _check_unique(members: Mapping[str, Rows]) -> None:
    """Check that no two cases use one name.

    Raises
    ------
    CaseError
        With every name two cases use, and where.
    """
    findings: list[str] = []
    for table in TABLES:
        if table in {"areas", "rest_fleet", "links"}:
            continue
        seen: dict[tuple[str, ...], Row] = {}
        for row in (row for rows in members.values() for row in rows[table]):
            key = row.key(TABLES[table])
            if key in seen:
                place, other = row.place, seen[key].place
                column, name = TABLES[table].key[-1], " ".join(key)
                findings.append(
                    f"{place.file}, row {place.line}, column {column}: {name!r} is in {other.file}, "
                    f"row {other.line}, too (allowed: names that differ, or what grids/interconnection joins)"
                )
            seen.setdefault(key, row)
    collected(findings, CaseError)
