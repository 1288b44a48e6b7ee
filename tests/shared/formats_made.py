"""Networks written as RAW text by the tests: records of a small system in each revision."""

from collections.abc import Mapping, Sequence
from pathlib import Path

NAMES = {
    32: "bus|load|fixed shunt|generator|branch|transformer|area|two-terminal dc|vsc dc|impedance correction|"
    "multi-terminal dc|multi-section line|zone|inter-area transfer|owner|facts|switched shunt",
}
NAMES[33] = f"{NAMES[32]}|gne|induction machine"
NAMES[34] = "system-wide|" + NAMES[33].replace("|transformer", "|system switching device|transformer")


def raw_text(revision: int, sections: Mapping[str, Sequence[str]], base_mva: float = 100.0) -> str:
    """Return a RAW file; revision 34 has its rates and its system-wide section put in."""
    lines = [f"0, {base_mva:.2f}, {revision}, 0, 1, 60.00 / made by a test", "A small system", "for readers"]
    for name in NAMES[revision].split("|"):
        for row in sections.get(name, ()):
            lines += [_with_more_rates(name, row) if revision == 34 else row]
        lines += [f"0 / END OF {name.upper()} DATA"]
    return "\n".join([*lines, "Q", ""])


def _with_more_rates(section: str, row: str) -> str:
    """Give a branch its name and twelve rates instead of three."""
    if section != "branch":
        return row
    cells = row.split(",")
    return ",".join([*cells[:6], "'a, b/c'", *cells[6:9], *["0.0"] * 9, *cells[9:]])


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file and return it."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
