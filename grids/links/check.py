"""What must hold between the rows of links.csv and the elements at their ends."""

import math
from collections.abc import Mapping

from cosim.core.registry import nearest
from grids.caseread import Findings, Row
from grids.links.kernels.losses import line_loss_per_mw, received_mw

ENDS = ("from_element", "to_element")

AGREE_MW = 0.5
"""Both ends of a link agree at the operating point within this; what is received follows what is sent."""


def elements_at(text: str) -> tuple[str, ...]:
    """Return the elements a cell names: one for each layer of the end, `;` between them."""
    return tuple(name for part in text.split(";") if (name := part.strip()))


def check_links(rows: Mapping[str, list[Row]], findings: Findings) -> None:
    """Check that ends exist, belong to one link each, and agree on power and losses."""
    sgens = {row.text("name"): row for row in rows["sgen"]}
    taken: dict[str, str] = {}
    for row in rows["links"]:
        ends = {column: elements_at(row.text(column)) for column in ENDS}
        if not any(ends.values()):
            problem = "is empty, and so is to_element (allowed: at least one end in the case)"
            findings.about(row.where(ENDS[0]), ENDS[0], "", problem)
        sound = True
        for column, names in ends.items():
            for name in names:
                problem = ""
                if name not in sgens:
                    problem = f"is unknown (allowed: names in sgen.csv, ; between){nearest(name, sgens)}"
                elif name in taken:
                    problem = f"is an end of {taken[name]!r} already"
                if problem:
                    sound = False
                    findings.about(row.where(column), column, name, problem)
                taken.setdefault(name, row.text("name"))
        loss_pu, station_pu = (row.number(c) / 100.0 for c in ("loss_percent", "station_loss_percent"))
        if loss_pu < 1.0 - (1.0 - station_pu) ** 2 - 1e-12:
            problem = f"is below that of two stations of {row.number('station_loss_percent'):g} % each"
            findings.about(row.where("loss_percent"), "loss_percent", row.number("loss_percent"), problem)
        elif sound:
            _check_powers(row, ends, sgens, findings)


def _check_powers(
    row: Row, ends: Mapping[str, tuple[str, ...]], sgens: Mapping[str, Row], findings: Findings
) -> None:
    power_mw = {column: sum(_power_mw(sgens[name]) for name in names) for column, names in ends.items()}
    sn_mw, station_pu = row.number("sn_mw"), row.number("station_loss_percent") / 100.0
    if any(math.isnan(value) for value in (*power_mw.values(), sn_mw, station_pu)):
        return  # told where the cell is
    for column, value in power_mw.items():
        if abs(value) > sn_mw * row.number("overload_pu") * (1.0 + 1e-9):
            problem = f"deliver {value:g} MW in all (allowed: {sn_mw:g} MW of the link)"
            findings.about(row.where(column), column, row.text(column), problem)
    if not all(ends.values()):
        return
    k = line_loss_per_mw(sn_mw, row.number("loss_percent") / 100.0, station_pu)
    sent, arrives = -power_mw["from_element"], power_mw["to_element"]
    if sent >= 0.0:
        wanted = received_mw(sent, 1.0, station_pu, k)
    else:
        sent, arrives = -arrives, -sent
        wanted = received_mw(sent, 1.0, station_pu, k)
    if abs(arrives - wanted) > AGREE_MW:
        problem = f"receives {arrives:g} MW of {sent:g} MW sent (allowed: {wanted:.6g} MW, loss_percent says)"
        findings.about(row.where("to_element"), "to_element", row.text("to_element"), problem)


def _power_mw(row: Row) -> float:
    return row.number("p_mw") if row.parsed.get("in_service", True) else 0.0
