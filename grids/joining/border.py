"""Borders between cases: shared stations, elements that stand for a neighbour, ties between them."""

from collections.abc import Iterator

from cosim.core.errors import CaseError, collected
from cosim.core.registry import nearest
from grids.caseread import Row
from grids.joining.members import Members, find, injected_mw, leave, rename, take_out
from grids.joining.tables import Interconnection


def open_borders(members: Members, known: Interconnection) -> dict[str, float]:
    """Take out of each case what the others bring; returns what that injected, by case [MW].

    Raises
    ------
    CaseError
        With every row of the interconnection that names an element its case does not have.
    """
    collected([*_stale(members, known)], CaseError)
    gone = dict.fromkeys(members, 0.0)
    for row in _of_pairs(known.boundaries, members):
        case, name = row.text("case"), row.text("element")
        gone[case] += injected_mw(take_out(members[case], row.text("table"), {name}))
    for row in known.stations:
        station = row.text("station")
        sharing = [case for case, rows in members.items() if find(rows, "bus", station)]
        owner = row.text("case") if row.text("case") in sharing else (sharing or [""])[0]
        for case in sharing:
            if case != owner:
                rows = members[case]
                rows["bus"] = [bus for bus in rows["bus"] if bus.text("name") != station]
    for row in known.names:
        if row.text("case") in members:
            where = members[row.text("case")], row.text("table")
            rename(*where, row.text("name"), row.text("joined_name"))
    return gone


def _of_pairs(rows: list[Row], members: Members) -> Iterator[Row]:
    """Return the rows whose two cases are both there."""
    return (row for row in rows if row.text("case") in members and row.text("beside") in members)


def added(rows: list[Row], members: Members) -> list[Row]:
    """Return the elements that come in where two cases are both there."""
    there = [*_of_pairs(rows, members)]
    for row in there:
        leave(row, ("case", "beside", "date"))
    return there


def _stale(members: Members, known: Interconnection) -> Iterator[str]:
    named = [
        *((row, "element") for row in _of_pairs(known.boundaries, members)),
        *((row, "name") for row in known.names if row.text("case") in members),
    ]
    for row, column in named:
        rows, table, name = members[row.text("case")], row.text("table"), row.text(column)
        if find(rows, table, name) is None:
            place, has = row.where(column), [r.text("name") for r in rows[table]]
            allowed = f"is unknown (allowed: a name in {row.text('case')}/{table}.csv){nearest(name, has)}"
            yield f"{place.file}, row {place.line}, column {column}: {name!r} {allowed}"
