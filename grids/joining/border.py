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
    for row in of_pairs(known.boundaries, members):
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


def of_pairs(rows: list[Row], members: Members) -> Iterator[Row]:
    """Return the rows whose two cases are both there."""
    return (row for row in rows if row.text("case") in members and row.text("beside") in members)


def tie_lines(members: Members, known: Interconnection) -> list[Row]:
    """Return the ties that neither of two cases has as they are."""
    lines = [*of_pairs(known.lines, members)]
    for row in lines:
        leave(row, ("case", "beside", "date"))
    return lines


def _stale(members: Members, known: Interconnection) -> Iterator[str]:
    named = [
        *((row, "element") for row in of_pairs(known.boundaries, members)),
        *((row, "name") for row in known.names if row.text("case") in members),
    ]
    for row, column in named:
        rows, table, name = members[row.text("case")], row.text("table"), row.text(column)
        if find(rows, table, name) is None:
            place, has = row.where(column), [r.text("name") for r in rows[table]]
            allowed = f"is unknown (allowed: a name in {row.text('case')}/{table}.csv){nearest(name, has)}"
            yield f"{place.file}, row {place.line}, column {column}: {name!r} {allowed}"
