"""In which order kinds step: who feeds whom within an exchange, and circles among them."""

from collections.abc import Mapping, Sequence

from cosim.scenario.findings import Finding
from cosim.scenario.roster import Roster
from cosim.scenario.wiring import GRID, Strand


def feeds(roster: Roster, strands: Sequence[Strand]) -> dict[str, dict[str, Strand]]:
    """Return, for each kind, the kinds it feeds within an exchange, with one strand as evidence."""
    edges: dict[str, dict[str, Strand]] = {kind: {} for kind in roster.kinds}
    for strand in strands:
        if strand.late or GRID in (strand.source, strand.target):
            continue
        source, target = roster.members[strand.source].kind, roster.members[strand.target].kind
        edges[source].setdefault(target, strand)
    return edges


def circles(edges: Mapping[str, Mapping[str, Strand]]) -> list[Finding]:
    """Return one finding per circle of kinds that feed each other without delay."""
    findings: list[Finding] = []
    told: set[str] = set()
    for kind in edges:
        circle = [] if kind in told else _circle(edges, kind)
        if not circle:
            continue
        told.update(circle)
        strands = [edges[a][b] for a, b in zip(circle, [*circle[1:], circle[0]], strict=True)]
        way = ", ".join(str(strand) for strand in strands)
        text = f"a loop without delay: {way} (all units of a kind step together)"
        findings.append(Finding(strands[0].path, text, "one of these wires under `late`"))
    return findings


def _circle(edges: Mapping[str, Mapping[str, Strand]], start: str) -> list[str]:
    """Return the shortest way from a kind back to itself, or nothing."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for target in edges[way[-1]]:
            if target == start:
                return way
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return []


def stages(
    edges: Mapping[str, Mapping[str, Strand]], processes: frozenset[str]
) -> tuple[tuple[str, ...], ...]:
    """Return kinds in groups that step one after the other; a process is a group of its own.

    A kind stands as early as those it depends on allow, so there are as few groups as the longest
    chain of kinds. There must be no circle.
    """
    levels: dict[str, int] = {}
    remaining = list(edges)
    while remaining:
        ready = [k for k in remaining if not any(k in edges[other] for other in remaining)]
        for kind in ready:
            before = [levels[other] for other in levels if kind in edges[other]]
            levels[kind] = 1 + max(before, default=-1)
        remaining = [k for k in remaining if k not in ready]
    groups: list[tuple[str, ...]] = []
    for level in range(1 + max(levels.values(), default=-1)):
        kinds = [kind for kind in edges if levels[kind] == level]
        shared = tuple(kind for kind in kinds if kind not in processes)
        groups += [shared] if shared else []
        groups += [(kind,) for kind in kinds if kind in processes]
    return tuple(groups)
