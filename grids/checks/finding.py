"""What a check says: one cell of the table of checks, and the sentence behind it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How a check ended."""

    GOOD = "ok"
    NOTE = "note"
    """Nothing is required, but somebody should know: outside an unconfirmed band, or not compared."""
    BAD = "FAIL"

    @classmethod
    def of(cls, good: bool) -> "State":
        """Return good or bad."""
        return cls.GOOD if good else cls.BAD

    @classmethod
    def worst(cls, states: Iterable["State"]) -> "State":
        """Return the worst of several; good where there is none."""
        return max(states, key=list(cls).index, default=cls.GOOD)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, of a case or of one of its operating points."""

    check: str
    """Column of the table of checks."""
    state: State
    text: str
    """One sentence with numbers and elements."""
    value: float | None = None
    """The number that was compared."""
    limit: float | None = None
    """What it was compared with."""
    point: str = ""
    """Operating point; empty where it holds for the case."""

    def __str__(self) -> str:
        where = f"{self.point}: " if self.point else ""
        return f"{self.state.value:4}  {self.check}: {where}{self.text}"


def listed(what: list[str], shown: int = 4) -> str:
    """Return the first of several as text, and how many more there are."""
    more = f" and {len(what) - shown} more" if len(what) > shown else ""
    return "; ".join(what[:shown]) + more
