"""The cards of a PSD-BPA power-flow file as a `SourceGrid`.

Buses are known by name and base voltage; per-unit values are on the base of the file. Branches follow the
equations of BPA's programs: the `G + jB` of an L card stands at each end (a card holds the half); a T card is
two ideal ratios with `R + jX` between them, and half of `G - j|B|`, over both ratios, at each end.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cosim.core.errors import CaseError, collected
from grids.formats.bpa.branches import take_branches
from grids.formats.bpa.cards import Card, Deck, Untaken, read_deck, settings
from grids.formats.bpa.dc import take_dc
from grids.formats.bpa.layouts import NETWORK, QUIET
from grids.formats.source import Bus, Injection, Load, Machine, Shunt, SourceGrid

BASE_MVA = 100.0
UNLIMITED_MVAR = 9999.0
POWER_FACTOR = 0.9
"""Gives what has no stability cards its rating, of its largest power (unconfirmed)."""
BUSES = ("B", "BS", "BE", "BQ", "BT", "BC", "BV", "BX")
HOLD = ("BS", "BE", "BQ")
"""Cards of buses that hold a voltage; at the others reactive power is given."""
AS_GIVEN = {
    "BT": "its voltage is held by no tap changer",
    "BC": "its voltage is held by no other bus",
    "BV": "its limits of voltage are not held",
    "BX": "its X card is a shunt in steps",
}

Node = tuple[str, float]


@dataclass
class BpaNetwork:
    """A network, and what stability cards need to find their buses and machines."""

    grid: SourceGrid
    number: dict[Node, int] = field(default_factory=dict)
    zone: dict[int, str] = field(default_factory=dict)
    area: dict[str, str] = field(default_factory=dict)
    """Zone -> area of interchange."""
    untaken: list[Untaken] = field(default_factory=list)
    dc: set[Node] = field(default_factory=set)
    """Converter buses, which are no buses here."""
    wrong: list[str] = field(default_factory=list)
    """What contradicts itself or cannot be read, by line and columns."""

    def find(self, card: Card, name: str = "bus", kv: str = "base_kv") -> int:
        """Return the number of the bus a card names.

        Raises
        ------
        CaseError
            When there is none.
        """
        node = node_of(card, name, kv)
        if node not in self.number:
            msg = f"{card.where}: {node[0]!r} at {node[1]:g} kV is no bus of the file"
            raise CaseError(msg)
        return self.number[node]


def node_of(card: Card, name: str = "bus", kv: str = "base_kv") -> Node:
    """Return name and base voltage of the bus a card names."""
    return card.text(name), card.number(kv)


def read_network(path: Path, f_hz: float) -> BpaNetwork:
    """Return the network of a `.dat` file, with what is not taken of it and what is wrong.

    Raises
    ------
    CaseError
        When the file cannot be read at all.
    """
    deck = read_deck(path)
    base_mva, title = _control(deck)
    grid = SourceGrid(title or path.stem, path.name, base_mva, f_hz)
    grid.remarks.append(f"the format has no frequency: {f_hz:g} Hz")
    network = BpaNetwork(grid)
    cards = _cards(deck, network)
    network.dc = {node_of(card) for card in cards if card.kind == "BD"}
    for card in cards:
        if card.kind == "A":
            _area(card, network)
    holders = {node_of(card): card for card in cards if card.kind == "BX"}
    network.wrong += _each(cards, {kind: lambda card: _bus(card, network) for kind in BUSES})
    more = {"+": lambda card: _more(card, network), "X": lambda card: _switched(card, network, holders)}
    network.wrong += [*_each(cards, more), *take_dc(cards, network), *take_branches(cards, network)]
    if not grid.buses:
        network.wrong.append(f"{path.name}: has no bus cards (allowed: B, BS, BQ, BE, BT, BC, BV, BX)")
    return network


def _each(cards: Sequence[Card], takers: Mapping[str, Callable[[Card], None]]) -> list[str]:
    """Take each card of the kinds that have a taker; return what is wrong with them."""
    wrong: list[str] = []
    for card in cards:
        try:
            if card.kind in takers:
                takers[card.kind](card)
        except CaseError as error:
            wrong.append(str(error))
    return wrong


def _control(deck: Deck) -> tuple[float, str]:
    """Return base and title of a file, having refused what points elsewhere."""
    lines = {
        k: line.decode("gb18030", "replace") for k, line in enumerate(deck.lines, 1) if line[:1] in b"/>("
    }
    told = settings({k: text for k, text in lines.items() if text.strip()})
    files = {k for k, text in lines.items() if "FILE" in text.upper()}
    wrong = [
        f"{deck.file}, line {told[name][0]}: {name} of another file (allowed: cards in this one)"
        for name in ("NETWORK_DATA", "OLD_BASE")
        if name in told and told[name][0] in files
    ]
    base = told.get("MVA_BASE", (0, str(BASE_MVA)))
    try:
        base_mva = float(base[1])
    except ValueError:
        base_mva = math.nan
    if not base_mva > 0.0:
        wrong.append(f"{deck.file}, line {base[0]}: MVA_BASE {base[1]!r} (allowed: a number above 0)")
    collected(wrong, CaseError)
    return base_mva, told.get("CASEID", (0, ""))[1]


def _cards(deck: Deck, network: BpaNetwork) -> list[Card]:
    """Return the cards that are read; note all others."""
    taken: list[Card] = []
    other: dict[tuple[str, str], list[int]] = {}
    for number, raw in enumerate(deck.lines, start=1):
        if not raw.strip() or raw[:1] in b".!/>":
            continue
        if raw[:1] == b"(":
            if raw.upper().startswith(b"(END"):
                break
            continue
        kind = raw[:2].decode("gb18030", "replace").strip()
        kind = "+" if kind.startswith("+") else kind
        card = deck.card(number, kind, NETWORK.get(kind, {}))
        change = card.text("change") if "change" in card.fields else ""
        if change:
            other.setdefault((kind, f"change code {change!r}"), []).append(number)
        elif kind in QUIET:
            other.setdefault((kind, QUIET[kind]), []).append(number)
            taken += [card] if kind in NETWORK else []
        elif kind in NETWORK:
            taken.append(card)
        else:
            other.setdefault((kind, "no such card is read"), []).append(number)
    network.untaken += [Untaken(kind, why, tuple(lines)) for (kind, why), lines in other.items()]
    return taken


def _area(card: Card, network: BpaNetwork) -> None:
    zones = card.raw[35:64].decode("gb18030", "replace")
    for zone in (zones[k : k + 2].strip() for k in range(0, len(zones), 3)):
        if zone:
            network.area[zone] = card.text("area")


def _bus(card: Card, network: BpaNetwork) -> None:
    grid, node = network.grid, node_of(card)
    if not node[0] or not node[1] > 0.0:
        msg = f"{card.where}: a bus without name or base voltage"
        raise CaseError(msg)
    if node in network.number:
        msg = f"{card.where}: bus {node[0]!r} at {node[1]:g} kV is there twice"
        raise CaseError(msg)
    number = len(grid.buses) + 1
    network.number[node], network.zone[number] = number, card.text("zone")
    zone = network.zone[number]
    label = "_".join(node[0].split())
    limits = card.number("v_min_pu"), card.number("v_hold_pu")
    band = (0.9, 1.1) if card.kind in HOLD or not 0.0 < limits[0] < limits[1] else limits
    owner = f", owner {card.text('owner')}" if card.has("owner") else ""
    grid.buses[number] = Bus(
        number=number,
        label=node[0],
        vn_kv=node[1],
        area=network.area.get(zone) or zone,
        note=f"card {card.kind}, zone {zone or 'blank'}{owner}",
        min_vm_pu=band[0],
        max_vm_pu=band[1],
        name=f"{label}_{node[1]:g}",
    )
    if card.kind in AS_GIVEN:
        grid.remarks.append(f"{card.where}: {AS_GIVEN[card.kind]}; its powers are as given")
    _draw(card, number, grid, "1")
    shunts = card.number("p_shunt_mw"), -card.number("q_shunt_mvar")
    if any(shunts) and card.kind != "BX":
        grid.shunts.append(Shunt(number, "1", *shunts))
    _make(card, number, grid)


def _draw(card: Card, number: int, grid: SourceGrid, key: str, note: str = "") -> None:
    p_mw, q_mvar = card.number("p_load_mw"), card.number("q_load_mvar")
    if p_mw or q_mvar:
        grid.loads.append(Load(number, key, p_mw, q_mvar, note=note))


def _make(card: Card, number: int, grid: SourceGrid) -> None:
    """Take what a bus card makes: a machine where it holds a voltage, an injection where not."""
    p_mw, q_max, q_min = (card.number(name) for name in ("p_gen_mw", "q_gen_mvar", "q_min_mvar"))
    holds = card.kind in {"BS", "BE"} or (card.kind == "BQ" and q_max > q_min)
    if not holds:
        size_mva = max(abs(card.number("p_max_mw")), abs(p_mw)) / POWER_FACTOR
        if p_mw or q_max:
            grid.injections.append(
                Injection(
                    number, "1", p_mw, q_max, sn_mva=size_mva, note=f"card {card.kind}: powers as given"
                )
            )
        return
    v_pu = card.number("v_hold_pu")
    if not 0.8 <= v_pu <= 1.2:
        place = card.fields["v_hold_pu"]
        msg = f"{card.where}, columns {place.first}-{place.last}: holds {v_pu:g} pu (allowed: 0.8 to 1.2)"
        raise CaseError(msg)
    free = q_max == q_min == 0.0
    highest = max(card.number("p_max_mw"), p_mw)
    grid.machines.append(
        Machine(
            bus=number,
            key="1",
            p_mw=p_mw,
            vm_pu=v_pu,
            sn_mva=max(highest / POWER_FACTOR, q_max, -q_min) or grid.base_mva,
            min_p_mw=min(0.0, p_mw),
            max_p_mw=highest,
            min_q_mvar=-UNLIMITED_MVAR if free else q_min,
            max_q_mvar=UNLIMITED_MVAR if free else q_max,
            slack=card.kind == "BS",
            va_degree=card.number("angle_degree") if card.kind == "BS" else 0.0,
            note=f"card {card.kind}; rated at its largest power over {POWER_FACTOR:g}, or its reactive limit",
        )
    )


_KINDS = {"*I": "constant current in the source, taken at 1 pu", "01": "constant current, taken at 1 pu"}


def _more(card: Card, network: BpaNetwork) -> None:
    """Take a continuation card: more load, shunt and generation at a bus."""
    number, grid = network.find(card), network.grid
    key = f"{card.text('code')}{card.text('kind')}{card.line}".replace("*", "")
    _draw(card, number, grid, key, _KINDS.get(card.text("kind"), ""))
    shunts = card.number("p_shunt_mw"), -card.number("q_shunt_mvar")
    if any(shunts):
        grid.shunts.append(Shunt(number, key, *shunts))
    made = card.number("p_gen_mw"), card.number("q_gen_mvar")
    if any(made):
        grid.injections.append(Injection(number, key, *made, note="of a continuation card"))


def _switched(card: Card, network: BpaNetwork, holders: Mapping[Node, Card]) -> None:
    """Take the blocks of an X card as shunts in steps, all off; they hold the band of their own BX card."""
    number = network.find(card)
    own = holders.get(node_of(card))
    here = own is not None and node_of(card, "at", "at_kv") in {node_of(card), ("", 0.0)}
    band = (own.number("v_min_pu"), own.number("v_hold_pu")) if own is not None else (0.0, 0.0)
    held = band if here and 0.5 <= band[0] < band[1] <= 1.5 else None
    for k in range(1, 9):
        steps, mvar = int(card.number(f"steps_{k}")), card.number(f"mvar_{k}")
        if steps and mvar:
            note = f"block {k} of an X card, all steps off at the start"
            network.grid.shunts.append(Shunt(number, f"x{k}", 0.0, -mvar, True, note, steps, 0, held))
    if held is None:
        network.grid.remarks.append(
            f"{card.where}: its steps do not move by themselves (no band of an own BX card)"
        )
