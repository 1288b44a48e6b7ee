"""Direct-current links whose two ends lie in two members: one name at each end, one power."""

from collections.abc import Sequence

from cosim.core.errors import CaseError, collected
from grids.caseread import Findings, Place, Row, parse_rows
from grids.casetables import TABLES
from grids.joining.members import Members, Rows, find, in_service, put, rename
from grids.links.catalogue import CatalogueLink, link_catalogue
from grids.links.check import ENDS
from grids.links.kernels.losses import line_loss_per_mw, received_mw

SIDES = {"from_element": "sending", "to_element": "receiving"}
"""What is added to the name of an end."""


def join_links(members: Members) -> tuple[list[Row], dict[str, float]]:
    """Join the ends of links that two members hold; returns all links, and what more arrives by case [MW].

    The end of link "A-B" is the injection "A-B DC", or several of them with a layer behind a comma. The
    schedule of the end that sends leads: the other delivers what is sent less the losses. What a member says
    of the link in its own links.csv goes before the catalogue, the sending one's first.

    Raises
    ------
    CaseError
        When nobody sends.
    """
    links: list[Row] = []
    moved = dict.fromkeys(members, 0.0)
    wrong: list[str] = []
    known = {link.name: link for link in link_catalogue()}
    own = (row.text("name") for rows in members.values() for row in rows["links"])
    for name in dict.fromkeys([*known, *own]):
        found = {case: there for case, rows in members.items() if (there := _ends(rows, name))}
        if len(found) != 2:
            continue
        cases = _sending_first(members, found, name, known.get(name))
        ends = [found[case] for case in cases]
        sent_mw, arrived_mw = -_power(ends[0]), _power(ends[1])
        if sent_mw < 0.0 and arrived_mw >= 0.0:
            said = f"{-sent_mw:g} MW in {cases[0]}, {arrived_mw:g} MW in {cases[1]}"
            wrong.append(f"link {name!r} delivers {said} (allowed: at least one end draws power)")
            continue
        link = _described(members, cases, name, known.get(name))
        following, p_mw = _received(link, sent_mw, arrived_mw)
        moved[cases[following]] += p_mw - _power(ends[following])
        _set(ends[following], p_mw)
        for case, column, end in zip(cases, ENDS, ends, strict=True):
            _name(members[case], link, column, end)
        links.append(link)
    collected(wrong, CaseError)
    return [*(row for rows in members.values() for row in rows["links"]), *links], moved


def _ends(rows: Rows, name: str) -> list[Row]:
    """Return the injections of a link in a case: one, or one for each layer."""
    ends = (row for row in rows["sgen"] if row.text("type") == "dc" and in_service(row))
    return [row for row in ends if row.text("name").split(", ")[0] == f"{name} DC"]


def _power(rows: Sequence[Row]) -> float:
    return sum(row.number("p_mw") for row in rows)


def _sending_first(
    members: Members, found: dict[str, list[Row]], name: str, known: CatalogueLink | None
) -> list[str]:
    """Return the two cases, first the one the link leads from: as they say, by area, else by power."""

    def rank(case: str) -> tuple[bool, bool, float]:
        rows, ends = members[case], found[case]
        own = next((row for row in rows["links"] if row.text("name") == name), None)
        bus = find(rows, "bus", ends[0].text("bus"))
        area = bus.text("area") if bus is not None else ""
        return (
            own is None or not own.text("from_element"),
            known is None or area != known.from_area,
            _power(ends),
        )

    return sorted(found, key=rank)


def _described(members: Members, cases: Sequence[str], name: str, known: CatalogueLink | None) -> Row:
    """Return the row of a link: the first of the cases that has one, else the catalogue's."""
    own = []
    for case in cases:
        rows = members[case]
        own += [link for link in rows["links"] if link.text("name") == name]
        rows["links"] = [link for link in rows["links"] if link.text("name") != name]
    if own or known is None:
        return own[0]
    row = Row(Place("data/links.csv", 1), {"poles": str(known.poles_count)})
    for column in ("name", "name_zh", "vn_kv", "sn_mw", "length_km", "loss_percent", "evidence", "source"):
        row.cells[column] = str(getattr(known, column))
    parse_rows(TABLES["links"], [*row.cells], [row], Findings())
    return row


def _received(link: Row, sent_mw: float, arrived_mw: float) -> tuple[int, float]:
    """Return which end follows the other, and what it delivers [MW]."""
    station_pu = link.number("station_loss_percent") / 100.0
    k = line_loss_per_mw(link.number("sn_mw"), link.number("loss_percent") / 100.0, station_pu)
    if sent_mw >= 0.0:
        return 1, float(received_mw(sent_mw, 1.0, station_pu, k))
    return 0, float(received_mw(-arrived_mw, 1.0, station_pu, k))


def _set(rows: Sequence[Row], p_mw: float) -> None:
    """Give the layers of an end a power in the proportion they have, or by rating where they have none."""
    weights = [abs(row.number("p_mw")) for row in rows]
    if sum(weights) == 0.0:
        weights = [row.number("sn_mva") for row in rows]
    for row, weight in zip(rows, weights, strict=True):
        put(row, "p_mw", p_mw * weight / sum(weights))


def _name(rows: Rows, link: Row, column: str, ends: Sequence[Row]) -> None:
    """Give the injections of an end names of their own, and the link their names."""
    names = []
    for row in ends:
        base, comma, layer = row.text("name").partition(", ")
        names.append(f"{base}, {SIDES[column]}{comma}{layer}")
        rename(rows, "sgen", row.text("name"), names[-1])
    put(link, column, "; ".join(names))
