"""Fixed columns of a UCTE-DEF file looked at before it is converted: numbers, and nodes that are there.

Columns: UCTE, *Data exchange format for load flow and three phase short circuit studies*, version 2, 2007.
"""

import math
from collections.abc import Iterator, Sequence

NUMBERS = {
    "N": {
        "voltage": (27, 32),
        "active load": (34, 40),
        "reactive load": (42, 48),
        "active generation": (50, 56),
        "reactive generation": (58, 64),
        "minimum active generation": (66, 72),
        "maximum active generation": (74, 80),
        "minimum reactive generation": (82, 88),
        "maximum reactive generation": (90, 96),
    },
    "L": {"resistance": (23, 28), "reactance": (30, 35), "susceptance": (37, 44), "current limit": (46, 51)},
    "T": {
        "rated voltage 1": (23, 27),
        "rated voltage 2": (29, 33),
        "nominal power": (35, 39),
        "resistance": (41, 46),
        "reactance": (48, 53),
        "susceptance": (55, 62),
        "conductance": (64, 69),
        "current limit": (71, 76),
    },
    "R": {
        "phase regulation du": (21, 25),
        "phase regulation taps": (27, 28),
        "phase regulation tap": (30, 32),
        "angle regulation du": (40, 44),
        "angle regulation angle": (46, 50),
        "angle regulation taps": (52, 53),
        "angle regulation tap": (55, 57),
    },
}
"""Block -> field -> first and last column, from 1."""

NODE, ENDS = (1, 8), ((1, 8), (10, 17))


def ucte_faults(file: str, lines: Sequence[str]) -> list[str]:
    """Return what keeps a UCTE-DEF file from being read, by line and columns."""
    missing = [block for block in ("##N", "##L") if not any(line.startswith(block) for line in lines)]
    if missing:
        return [f"{file}: has no block {' and no block '.join(missing)} (allowed: UCTE-DEF)"]
    found: list[str] = []
    records = list(_records(lines))
    nodes: dict[str, int] = {}
    for number, block, line in records:
        if block != "N":
            continue
        node = _field(line, NODE)
        if node in nodes:
            found.append(f"{file}, line {number}, block N: node {node!r} is in line {nodes[node]} already")
        nodes.setdefault(node, number)
    for number, block, line in records:
        for name, place in NUMBERS[block].items():
            text = _field(line, place)
            if text and not _is_number(text):
                columns = f"columns {place[0]}-{place[1]} ({name})"
                found.append(f"{file}, line {number}, block {block}, {columns}: {text!r} is not a number")
        ends = () if block == "N" else ENDS
        found += [
            f"{file}, line {number}, block {block}: {_field(line, end)!r} is no node of the file"
            for end in ends
            if _field(line, end) not in nodes
        ]
    return found


def _records(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield number, block and text of the lines of the blocks that are read."""
    block = ""
    for number, line in enumerate(lines, start=1):
        if line.startswith("##"):
            block = block if line.startswith("##Z") else line[2:].strip()
        elif line.strip() and block in NUMBERS:
            yield number, block, line


def _field(line: str, place: tuple[int, int]) -> str:
    return line[place[0] - 1 : place[1]].strip()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
