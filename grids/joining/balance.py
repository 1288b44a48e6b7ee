"""Balance of the joined grids: what members' schedules do not agree about, and who takes it.

Each case is in balance alone. Joined, the interchange between members leaves both schedules, and the ends of
a link get one. The difference goes to the interchange of the same grid with the rest of its area, by the
shares of its ties; a member whose link end moved dispatches its own plants first.
"""

import math
from collections.abc import Mapping

from grids.casecheck import islands
from grids.caseread import Row
from grids.joining.members import Rows, find, in_service, put


def merge_ties(rows: Rows) -> None:
    """Let the ties that are left carry the rest of their area: their shares keep their proportions."""
    for area in {row.text("area") for row in rows["ties"]}:
        ties = [row for row in rows["ties"] if row.text("area") == area]
        total = sum(row.number("share_pu") for row in ties)
        for row in ties:
            put(row, "share_pu", row.number("share_pu") / total if total > 0.0 else 1.0 / len(ties))


def close_balance(
    rows: Rows, station: Mapping[str, str], gone_mw: Mapping[str, float], moved_mw: Mapping[str, float]
) -> None:
    """Close what the schedules of each joined grid lack.

    Parameters
    ----------
    rows
        The joined tables.
    station
        One busbar of each member: it says in which grid the member is.
    gone_mw
        What left each member's schedule with the border it stood for.
    moved_mw
        What the ends of links bring each member more than it had planned.
    """
    grid = islands(rows)
    missing: dict[str, float] = {}
    for case, bus in station.items():
        own_mw = _redispatch(rows, case, -moved_mw.get(case, 0.0))
        missing[grid[bus]] = missing.get(grid[bus], 0.0) + gone_mw.get(case, 0.0) + own_mw
    for root, lacking_mw in missing.items():
        _interchange(rows, [bus for bus, at in grid.items() if at == root], lacking_mw)


def _redispatch(rows: Rows, case: str, p_mw: float) -> float:
    """Let the running plants of a member take a change in proportion to their room; returns what is left."""
    mine = [
        row
        for row in rows["gen"]
        if row.place.file.startswith(f"{case}/") and in_service(row) and row.parsed.get("dispatchable", True)
    ]
    edge = "max_p_mw" if p_mw > 0.0 else "min_p_mw"
    return _share(mine, p_mw, {id(row): row.number(edge) - row.number("p_mw") for row in mine})


def _share(rows: list[Row], p_mw: float, room_mw: Mapping[int, float]) -> float:
    """Change rows in proportion to their room, as far as it goes; returns what is left."""
    total = sum(room_mw.values())
    if total == 0.0:
        return p_mw
    taken = min(p_mw / total, 1.0)
    for row in rows:
        put(row, "p_mw", row.number("p_mw") + taken * room_mw[id(row)])
    return p_mw - taken * total


def _interchange(rows: Rows, buses: list[str], p_mw: float) -> None:
    """Let the interchange of a grid with the rest of its area bring `p_mw` more, by the shares of its ties.

    A tie that is the slack has its schedule in the injection beside it. What the limits of a machine do not
    let through goes to the others; without interchange, to the slack.
    """
    here = set(buses)
    shares: list[tuple[Row, float, bool]] = []
    for tie in rows["ties"]:
        row, is_machine = _scheduled(rows, tie.text("element"))
        if row is not None and row.text("bus") in here:
            shares.append((row, tie.number("share_pu"), is_machine))
    while shares and abs(p_mw) > 1e-9:
        total = sum(share for _, share, _ in shares)
        left_mw, open_shares = 0.0, []
        for row, share, is_machine in shares:
            wanted = row.number("p_mw") + p_mw * (share / total if total > 0.0 else 1.0 / len(shares))
            low, high = (row.number(edge) for edge in ("min_p_mw", "max_p_mw"))
            found = min(max(wanted, low), high) if is_machine else wanted
            put(row, "p_mw", found)
            left_mw += wanted - found
            if math.isclose(found, wanted):
                open_shares.append((row, share, is_machine))
        p_mw, shares = left_mw, open_shares


def _scheduled(rows: Rows, element: str) -> tuple[Row | None, bool]:
    """Return the row that holds the schedule of a tie, and whether it is a machine with limits."""
    for table in ("gen", "sgen"):
        row = find(rows, table, element)
        if row is not None:
            return row, table == "gen"
    slack = find(rows, "ext_grid", element)
    bus = slack.text("bus") if slack is not None else ""
    beside = (row for row in rows["sgen"] if row.text("bus") == bus and row.text("type") == "rest")
    return next(beside, None), False
