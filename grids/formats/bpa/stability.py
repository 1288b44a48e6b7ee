"""A PSD-BPA stability file: its cards by unit, and the machines of the network that they divide."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cosim.core.errors import CaseError
from grids.formats.bpa.cards import Card, Untaken, read_deck
from grids.formats.bpa.network import BpaNetwork, node_of
from grids.formats.bpa.stability_layouts import CONVERTERS, EXCITERS, QUIET, SKIPPED, STABILITY, STEAM, WATER
from grids.formats.source import Injection, Machine

MACHINES = ("MC", "MF", "MG")
LOADS = ("LA", "LB")
KNOWN_BY_NAME = EXCITERS | STEAM | WATER | set(CONVERTERS)
_UNIT = {key: STABILITY["M"][key] for key in ("bus", "base_kv", "id")}

Unit = tuple[int, str]
"""Bus number and identifier."""


@dataclass
class Stability:
    """Cards of units (kind -> card), cards of loads, and what is not taken."""

    file: str
    units: dict[Unit, dict[str, Card]] = field(default_factory=dict)
    loads: list[Card] = field(default_factory=list)
    untaken: list[Untaken] = field(default_factory=list)
    unknown: list[Untaken] = field(default_factory=list)
    """Cards that say something about the case and are not represented."""
    wrong: list[str] = field(default_factory=list)
    """What contradicts itself or cannot be read, by line and columns."""


def read_stability(path: Path, network: BpaNetwork) -> Stability:
    """Return the cards of a `.swi` file before its output section.

    Raises
    ------
    CaseError
        When the file cannot be read at all.
    """
    deck = read_deck(path)
    found = Stability(path.name)
    quiet: dict[tuple[str, str], list[int]] = {}
    unknown: dict[tuple[str, str], list[int]] = {}
    for number, raw in enumerate(deck.lines, start=1):
        if not raw.strip() or raw[:1] in b".!":
            continue
        kind = _kind(raw)
        if kind in {"90", "99"}:
            behind = enumerate(deck.lines[number - 1 :], number)
            rest = tuple(k for k, line in behind if line.strip() and line[:1] not in b".!")
            found.untaken.append(Untaken(kind, "from here on: what to print", rest))
            break
        if kind in QUIET:
            quiet.setdefault((kind, QUIET[kind]), []).append(number)
        elif kind in STABILITY or kind in KNOWN_BY_NAME:
            card = deck.card(number, kind, STABILITY.get(kind, _UNIT))
            try:
                missing = _put(card, found, network)
            except CaseError as error:
                found.wrong.append(str(error))
            else:
                unknown.setdefault((kind, missing), []).extend([number] if missing else [])
        else:
            unknown.setdefault((kind, SKIPPED.get(kind, "no such card is read")), []).append(number)
    for card in [] if network.wrong else _idle(found, network):
        unknown.setdefault((card.kind, f"its bus makes nothing in {network.grid.file}"), []).append(card.line)
    found.untaken += [Untaken(kind, why, tuple(lines)) for (kind, why), lines in quiet.items()]
    found.unknown += [Untaken(kind, why, tuple(lines)) for (kind, why), lines in unknown.items() if lines]
    return found


def _kind(raw: bytes) -> str:
    """Return the kind of a card: two letters, and the mark of a continuation."""
    head = raw[:3].decode("gb18030", "replace")
    two = head[:2].strip()
    return two + head[2:] if head[2:] in {"+", "#"} and len(two) == 2 and "+" not in two else two


def _put(card: Card, found: Stability, network: BpaNetwork) -> str:
    """Put a card with those of its unit; return why it has none."""
    if card.kind in LOADS:
        found.loads.append(card)
        return ""
    if node_of(card) not in network.number:
        return "" if network.wrong else f"its bus is not in {network.grid.file}"
    unit = network.find(card), card.text("id") or "1"
    cards = found.units.setdefault(unit, {})
    if card.kind in cards:
        msg = f"{card.where}: {card.text('bus')!r} has this card in line {cards[card.kind].line} already"
        raise CaseError(msg)
    cards[card.kind] = card
    return ""


def _idle(found: Stability, network: BpaNetwork) -> list[Card]:
    """Take the units out whose buses make nothing; return their cards."""
    grid = network.grid
    making = {machine.bus for machine in grid.machines}
    making |= {i.bus for i in grid.injections if i.key == "1" and not i.type}
    idle = [unit for unit in found.units if unit[0] not in making]
    return [card for unit in idle for card in found.units.pop(unit).values()]


def divide(network: BpaNetwork, stability: Stability) -> None:
    """Give each unit with a machine card an element of its own.

    A bus has what its card makes as one; machine cards say the share of each unit in it.
    """
    grid = network.grid
    shared: dict[int, dict[str, Card]] = {}
    for (bus, key), cards in stability.units.items():
        machine = machine_card(cards)
        if machine is not None:
            shared.setdefault(bus, {})[key] = machine
    kinds = {
        bus: CONVERTERS[k] for (bus, _), cards in stability.units.items() for k in cards if k in CONVERTERS
    }
    grid.machines = [part for m in grid.machines for part in _machines(m, shared.get(m.bus, {}))]
    grid.injections = [
        part
        for i in grid.injections
        for part in (_injections(i, shared.get(i.bus, {})) if i.key == "1" and not i.type else [i])
    ]
    grid.injections = [
        dataclasses.replace(i, type=kinds[i.bus]) if i.bus in kinds and not i.type else i
        for i in grid.injections
    ]


def machine_card(cards: Mapping[str, Card]) -> Card | None:
    """Return the card with a unit's inertia, or None."""
    return next((cards[kind] for kind in MACHINES if kind in cards), None)


def _shares(cards: Mapping[str, Card], name: str) -> dict[str, float]:
    """Return the share of each unit; what is left blank is shared evenly."""
    given = {key: card.number(name) for key, card in cards.items()}
    blank = [key for key, share in given.items() if share == 0.0]
    rest = max(1.0 - sum(given.values()), 0.0)
    return {key: share or (rest / len(blank)) for key, share in given.items()}


def _machines(machine: Machine, cards: Mapping[str, Card]) -> list[Machine]:
    if not cards:
        return [machine]
    p, q = _shares(cards, "p_share_pu"), _shares(cards, "q_share_pu")
    return [
        dataclasses.replace(
            machine,
            key=key,
            p_mw=machine.p_mw * p[key],
            sn_mva=card.number("mva") or machine.sn_mva * p[key],
            min_p_mw=machine.min_p_mw * p[key],
            max_p_mw=machine.max_p_mw * p[key],
            min_q_mvar=machine.min_q_mvar * q[key],
            max_q_mvar=machine.max_q_mvar * q[key],
            slack=machine.slack and rank == 0,
            note=f"{machine.note.split(';')[0]}; rating of card {card.kind}",
        )
        for rank, (key, card) in enumerate(cards.items())
    ]


def _injections(injection: Injection, cards: Mapping[str, Card]) -> list[Injection]:
    if not cards:
        return [injection]
    p, q = _shares(cards, "p_share_pu"), _shares(cards, "q_share_pu")
    return [
        dataclasses.replace(
            injection, key=key, p_mw=injection.p_mw * p[key], q_mvar=injection.q_mvar * q[key]
        )
        for key in cards
    ]
