"""Cards of a PSD-BPA file: lines of fixed columns, which count bytes of GBK whatever the file's encoding."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cosim.core.errors import CaseError
from grids.formats.bpa.layouts import Layout

ENCODING = "gb18030"


@dataclass(frozen=True)
class Card:
    """One line; `fields` says where its values stand."""

    file: str
    line: int
    kind: str
    raw: bytes
    fields: Layout

    @property
    def where(self) -> str:
        """Name the line for a message."""
        return f"{self.file}, line {self.line}, card {self.kind}"

    def text(self, name: str) -> str:
        """Return the text of a field, without blanks around it."""
        place = self.fields[name]
        return self.raw[place.first - 1 : place.last].decode(ENCODING, errors="replace").strip()

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number; blanks in it are ignored, and a field of blanks is `default`.

        Raises
        ------
        CaseError
            When the field holds no finite number.
        """
        place, written = self.fields[name], self.text(name)
        if not written:
            return default
        digits = written.upper().replace(" ", "").replace("D", "E")
        try:
            value = float(digits)
        except ValueError:
            value = float("nan")
        if not abs(value) < 1e30:
            msg = f"{self.where}, columns {place.first}-{place.last} ({name}): {written!r} is not a number"
            raise CaseError(msg)
        whole = re.fullmatch(r"[+-]?\d+", digits) is not None
        return value / 10.0 ** (place.decimals or 0) if whole else value

    def has(self, name: str) -> bool:
        """Say whether a field is not blank."""
        return bool(self.text(name))


@dataclass(frozen=True)
class Deck:
    """A file: its lines as bytes in GBK."""

    file: str
    lines: tuple[bytes, ...]

    def card(self, number: int, kind: str, fields: Layout) -> Card:
        """Return line `number` (from 1) as a card."""
        return Card(self.file, number, kind, self.lines[number - 1], fields)


def read_deck(path: Path) -> Deck:
    """Return the lines of a file in GBK, or in UTF-8 where that is what it is.

    Raises
    ------
    CaseError
        When the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise CaseError(msg) from error
    with contextlib.suppress(UnicodeDecodeError):
        raw = raw.decode("utf-8-sig").encode(ENCODING)
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return Deck(path.name, tuple(line.expandtabs(8) for line in lines))


@dataclass(frozen=True)
class Untaken:
    """Cards of one kind that were not taken."""

    kind: str
    why: str
    lines: tuple[int, ...]

    def __str__(self) -> str:
        cards = f"{len(self.lines)} card{'s' * (len(self.lines) > 1)} not taken"
        return f"{self.kind or 'blank'}: {cards} ({self.why}), {lines_said(self.lines)}"


def lines_said(lines: tuple[int, ...]) -> str:
    """Return line numbers in words, runs of them as one."""
    runs: list[list[int]] = []
    for line in sorted(lines):
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    said = [f"{a}" if a == b else f"{a}-{b}" for a, b in runs]
    return f"line{'s' * (len(lines) > 1)} {', '.join(said)}"


def settings(lines: Mapping[int, str]) -> dict[str, tuple[int, str]]:
    r"""Return the statements of control lines: name -> line and value.

    They read `/NAME,KEY=value\`, `/NAME=value\` or `>NAME=value<`, and `(POWERFLOW,CASEID=x,PROJECT=y)`.
    """
    found: dict[str, tuple[int, str]] = {}
    for line, text in lines.items():
        body = text.strip().lstrip("/>(").rstrip("\\<)> ")
        for part in body.split(","):
            name, _, value = part.partition("=")
            found.setdefault(name.strip().upper(), (line, value.strip().rstrip("\\")))
    return found
