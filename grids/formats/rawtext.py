"""The text of a PSS/E RAW file: records in sections, with their line numbers.

Free format: values apart by commas or blanks, an empty place (`,,`) or a short record means the default,
names in single quotes, `/` starts a comment, a lone `0` ends a section, `Q` ends the file. Revision 34
has system-wide data before the buses, and `@!` lines that name the columns.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cosim.core.errors import CaseError

REVISIONS = (32, 33, 34)

_COMMON = ("bus", "load", "fixed shunt", "generator", "branch")
_DC = ("area", "two-terminal dc", "vsc dc", "impedance correction", "multi-terminal dc", "multi-section line")
_TAIL = ("zone", "inter-area transfer", "owner", "facts", "switched shunt", "gne", "induction machine")
SECTIONS = {
    32: (*_COMMON, "transformer", *_DC, *_TAIL),
    33: (*_COMMON, "transformer", *_DC, *_TAIL),
    34: (
        "system-wide",
        *_COMMON,
        "system switching device",
        "transformer",
        *_DC,
        *_TAIL,
        "substation",
    ),
}
"""Order of the sections by revision."""

_VALUE = re.compile(r"\s*('[^']*'|\"[^\"]*\"|[^,\s]*)\s*(,?)")
_BEGIN = re.compile(r"BEGIN\s+(.*?)\s+DATA", re.IGNORECASE)
_SPELT = {"voltage source converter": "vsc dc", "vsc": "vsc dc", "area interchange": "area"}


def split_values(text: str) -> list[str]:
    """Return the values of one line, quotes removed; a place left empty gives an empty text."""
    values: list[str] = []
    place, text = 0, text.rstrip()
    while place < len(text):
        match = _VALUE.match(text, place)
        if match is None or match.end() == place:
            break
        values.append(match.group(1).strip("'\"").strip())
        place = match.end()
    return values


def without_comment(text: str) -> str:
    """Return a line up to the first `/` outside quotes."""
    quoted = ""
    for place, sign in enumerate(text):
        if quoted:
            quoted = "" if sign == quoted else quoted
        elif sign in "'\"":
            quoted = sign
        elif sign == "/":
            return text[:place]
    return text


@dataclass(frozen=True)
class Record:
    """Values of one line of a section, read by place with the defaults of the format."""

    file: str
    section: str
    line: int
    values: tuple[str, ...]

    def where(self, name: str, place: int) -> str:
        """Say where a value stands."""
        return f"{self.file}, line {self.line}, section {self.section}, field {name} ({place + 1})"

    def text(self, place: int, default: str = "") -> str:
        """Return a value as text."""
        given = self.values[place] if place < len(self.values) else ""
        return given or default

    def number(self, place: int, name: str, default: float | None = None) -> float:
        """Return a value as a number.

        Raises
        ------
        CaseError
            When it is not a finite number, or missing where the format has no default.
        """
        given = self.text(place)
        if not given:
            if default is None:
                msg = f"{self.where(name, place)}: is missing (allowed: a number)"
                raise CaseError(msg)
            return default
        try:
            value = float(given.upper().replace("D", "E"))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            msg = f"{self.where(name, place)}: {given!r} is not a number"
            raise CaseError(msg)
        return value

    def whole(self, place: int, name: str, default: int | None = None) -> int:
        """Return a value as a whole number; CaseError as `number`."""
        value = self.number(place, name, None if default is None else float(default))
        if value != int(value):
            msg = f"{self.where(name, place)}: {self.text(place)!r} is not a whole number"
            raise CaseError(msg)
        return int(value)


@dataclass(frozen=True)
class RawText:
    """A RAW file by sections."""

    file: str
    revision: int
    base_mva: float
    f_hz: float
    title: str
    sections: dict[str, tuple[Record, ...]]

    def __getitem__(self, section: str) -> tuple[Record, ...]:
        return self.sections.get(section, ())


def _next_section(order: tuple[str, ...], current: int, comment: str) -> int:
    """Return the section that follows: the one the comment names, else the next in order."""
    named = _BEGIN.search(comment)
    if named:
        word = named.group(1).lower().removesuffix(" line").removesuffix(" device")
        word = _SPELT.get(word, word)
        found = [i for i, name in enumerate(order) if name.startswith(word) or word.startswith(name)]
        if found:
            return found[0]
    return current + 1


def _check_end(file: str, order: tuple[str, ...], current: int, found: dict[str, list[Record]]) -> None:
    """Refuse a file that ends within a section."""
    if current < len(order) and found[order[current]]:
        last = found[order[current]][-1]
        msg = f"{file}, line {last.line}, section {last.section}: the file ends within it (allowed: 0 or Q)"
        raise CaseError(msg)


def _head(file: str, lines: Sequence[str]) -> tuple[int, float, float]:
    """Return revision, base and frequency of the first line."""
    if len(lines) < 3:
        msg = f"{file}: has {len(lines)} lines (allowed: three lines of header, then sections)"
        raise CaseError(msg)
    head = Record(file, "header", 1, tuple(split_values(without_comment(lines[0]))))
    revision = head.whole(2, "REV")
    if revision not in REVISIONS:
        allowed = ", ".join(map(str, REVISIONS))
        msg = f"{head.where('REV', 2)}: revision {revision} is not read (allowed: {allowed})"
        raise CaseError(msg)
    base_mva, f_hz = head.number(1, "SBASE", 100.0), head.number(5, "BASFRQ", 60.0) or 60.0
    for place, name, value in ((1, "SBASE", base_mva), (5, "BASFRQ", f_hz)):
        if value <= 0.0:
            msg = f"{head.where(name, place)}: {value:g} is not above 0"
            raise CaseError(msg)
    return revision, base_mva, f_hz


def read_raw_text(path: Path) -> RawText:
    """Return the sections of a RAW file.

    Raises
    ------
    CaseError
        When the file cannot be read, its header is wrong, or its revision is not one of `REVISIONS`.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise CaseError(msg) from error
    file = path.name
    revision, base_mva, f_hz = _head(file, lines)
    order = SECTIONS[revision]
    found: dict[str, list[Record]] = {name: [] for name in order}
    current = 0
    for number, line in enumerate(lines[3:], start=4):
        if line.startswith("@!") or not line.strip():
            continue
        body = without_comment(line)
        values = split_values(body)
        if values and values[0].upper() == "Q" and len(values) == 1:
            break
        if values == ["0"]:
            current = _next_section(order, current, line[len(body) :])
            if current >= len(order):
                break
            continue
        if values:
            found[order[current]].append(Record(file, order[current], number, tuple(values)))
    else:
        _check_end(file, order, current, found)
    title = " ".join(" ".join(line.split()) for line in lines[1:3] if line.strip())
    sections = {name: tuple(records) for name, records in found.items()}
    return RawText(file, revision, base_mva, f_hz, title, sections)
