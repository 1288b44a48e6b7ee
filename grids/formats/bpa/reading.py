"""A PSD-BPA case as tables: the network, then what its stability file says of units and loads."""

from collections.abc import Mapping
from pathlib import Path

from cosim.core.errors import CaseError, collected
from grids.formats.bpa.cards import Card, Untaken
from grids.formats.bpa.controls import converter, exciter, governor
from grids.formats.bpa.layouts import QUIET
from grids.formats.bpa.machines import Made, load_mixture, machine, mixture_faults
from grids.formats.bpa.network import BpaNetwork, read_network
from grids.formats.bpa.stability import Stability, divide, machine_card, read_stability
from grids.formats.dyr import faults_of, tell_plants
from grids.formats.tables import CaseTables, bus_name, case_tables


def read_bpa(
    network: Path, stability: Path | None = None, *, replace: bool = False, f_hz: float
) -> CaseTables:
    """Return the tables of a PSD-BPA case.

    Parameters
    ----------
    network
        The `.dat` file.
    stability
        The `.swi` file, if any.
    replace
        Leave out cards that are not represented, and take substitutes for models that are missing here; all
        are listed in the remarks.
    f_hz
        Nominal frequency; the format has none.

    Raises
    ------
    CaseError
        With all that cannot be, by line and card; without `replace` also all that is not represented.
    """
    read = read_network(network, f_hz)
    unread = [u for u in read.untaken if u.kind not in QUIET or u.why != QUIET[u.kind]]
    refused = [] if replace else [_refusal(network.name, u) for u in unread]
    cards = None
    wrong = list(read.wrong)
    if stability is not None:
        cards = read_stability(stability, read)
        wrong += cards.wrong
        refused += [] if replace else [_refusal(stability.name, u) for u in cards.unknown]
    if wrong:
        collected(wrong + refused, CaseError)
    if cards is not None:
        divide(read, cards)
    tables = case_tables(read.grid)
    tables.remarks += [f"{network.name}: {u}" for u in read.untaken]
    if cards is not None:
        refused += _add(tables, read, cards, replace=replace)
    collected(refused, CaseError)
    if cards is not None:
        tell_plants(tables)
        tables.sources.append(cards.file)
        tables.summary = f"Imported from {' and '.join(tables.sources)}."
        tables.remarks += [f"{cards.file}: {u}" for u in (*cards.unknown, *cards.untaken)]
    return tables


def _refusal(file: str, untaken: Untaken) -> str:
    return f"{file}: {untaken}; --replace leaves such cards out and lists them"


def _add(tables: CaseTables, read: BpaNetwork, cards: Stability, *, replace: bool) -> list[str]:
    """Add the tables of units and load mixtures; return what is wrong with their cards."""
    wrong: list[str] = []
    replaced: dict[str, list[str]] = {}
    rating = {str(row["name"]): float(row.get("sn_mva", 0.0)) for row in tables.rows["sgen"]}
    for (bus, key), own in cards.units.items():
        first = next(iter(own.values()))
        who = f"{read.grid.buses[bus].label} {key!r}"
        try:
            sn_mva = rating.get(tables.element.get((bus, key), ""), 0.0)
            models = _made(own, read, sn_mva, replace=replace)
        except CaseError as error:
            wrong.append(str(error))
            continue
        if not models:
            lines = ", ".join(f"{card.kind} (line {card.line})" for card in own.values())
            wrong.append(f"{cards.file}: {who} has {lines} but no card of its machine")
        for made in models:
            where = f"{cards.file}, {who}, {made.table}"
            wrong += made.wrong or faults_of(where, made.table, made.row)
            if made.evidence != "published":
                replaced.setdefault(f"{made.table} is {made.why}", []).append(who)
            source = f"{cards.file}, line {first.line}"
            row = {"name": tables.element[bus, key], **made.row, "evidence": made.evidence, "source": source}
            tables.rows.setdefault(made.table, []).append({**row, "note": made.why})
    if not replace:
        wrong += [
            f"{cards.file}: {what}; of {', '.join(units)}; --replace takes it"
            for what, units in replaced.items()
        ]
    mixed = [fault for card in cards.loads for fault in mixture_faults(card)]
    tables.remarks += [f"{cards.file}: {what}; at {', '.join(units)}" for what, units in replaced.items()]
    if not mixed:
        _mixtures(tables, read, cards.loads)
    return wrong + mixed


def _made(own: Mapping[str, Card], read: BpaNetwork, sn_mva: float, *, replace: bool) -> list[Made]:
    """Return the models of the cards of one unit: none where they name no machine and no converter."""
    converters = converter(own, sn_mva)
    if machine_card(own) is None and not converters:
        return []
    found = (machine(own, read.grid.base_mva, replace=replace), governor(own), exciter(own), *converters)
    return [made for made in found if made is not None]


def _mixtures(tables: CaseTables, read: BpaNetwork, cards: list[Card]) -> None:
    number = {bus_name(bus): key for key, bus in read.grid.buses.items()}
    rows = tables.rows.setdefault("zip", [])
    for load in tables.rows["load"]:
        card, shares = load_mixture(cards, read, number[str(load["bus"])])
        if card is not None:
            source = f"{card.file}, line {card.line}"
            rows.append({"name": load["name"], **shares, "evidence": "published", "source": source})
