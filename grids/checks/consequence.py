"""What one loss leaves behind: the worst voltage and the worst loading, and which limits they break."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.types import Floats
from grids.checks.base import HIGH_KV, Solved

VM_LOW_PU, VM_HIGH_PU = 0.90, 1.10
"""Band of voltages of 220 kV and above after a loss (DL/T 1767 and GB 38755 ask for no less; unconfirmed)."""

FULL_PERCENT = 100.0
"""What a line may carry after a loss, of its rating; a transformer, too, unless one beside it is lost."""

BESIDE_PERCENT = 130.0
"""What a transformer may carry for half an hour after the loss of another (GB/T 1094.7; unconfirmed)."""


POLE = "pole"
"""Kind of a loss: a pole of a direct-current link."""


@dataclass(frozen=True)
class Consequence:
    """The network after one loss; frequencies only where power was lost."""

    lost: str
    kind: str
    """`line`, `trafo` or `POLE`."""
    solved: bool = True
    why: str = ""
    """Why there is no solution."""
    vm_low_pu: float = 1.0
    vm_low_at: str = ""
    vm_high_pu: float = 1.0
    vm_high_at: str = ""
    line_percent: float = 0.0
    line_at: str = ""
    trafo_percent: float = 0.0
    trafo_at: str = ""
    dark: str = ""
    """Buses without a source, and what was lost there."""
    lost_mw: float = 0.0
    """Power the case injects less, negative where it draws less."""
    f_extreme_hz: float | None = None

    def unacceptable(self) -> bool:
        """Return whether a limit is broken that has to hold: solution, voltages, lines.

        Of a lost pole only the solution: a special protection scheme would trip generation or load with it
        before a limit is broken for long, and none is modelled here.
        """
        return self._broken() if self.kind != POLE else not self.solved

    def worth_a_note(self) -> bool:
        """Return whether buses go dark, a transformer carries too much, or a lost pole breaks a limit."""
        return bool(self.dark) or self.trafo_percent > self._trafo_limit() or self._broken()

    def _trafo_limit(self) -> float:
        return BESIDE_PERCENT if self.kind == "trafo" else FULL_PERCENT

    def _broken(self) -> bool:
        vm = self.vm_low_pu < VM_LOW_PU or self.vm_high_pu > VM_HIGH_PU
        overload = self.line_percent > FULL_PERCENT
        if self.kind != "trafo":
            overload |= self.trafo_percent > FULL_PERCENT
        return not self.solved or vm or overload

    def violations(self) -> list[str]:
        """Return each limit that is broken, worst element and value."""
        if not self.solved:
            return [f"no solution: {self.why}" if self.why else "no solution"]
        told = (
            (self.vm_low_pu < VM_LOW_PU, f"{self.vm_low_at} {self.vm_low_pu:.3f} pu"),
            (self.vm_high_pu > VM_HIGH_PU, f"{self.vm_high_at} {self.vm_high_pu:.3f} pu"),
            (self.line_percent > FULL_PERCENT, f"{self.line_at} {self.line_percent:.0f} %"),
            (self.trafo_percent > self._trafo_limit(), f"{self.trafo_at} {self.trafo_percent:.0f} %"),
        )
        return [text for broken, text in told if broken]

    def __str__(self) -> str:
        said = self.violations()
        if self.dark:
            said.append(f"islands {self.dark}")
        return f"without {self.lost}: {', '.join(said) or 'nothing is violated'}"


def consequence(
    solved: Solved,
    lost: str,
    kind: str,
    *,
    vm_pu: Floats,
    line_percent: Floats,
    trafo_percent: Floats,
    dark: str = "",
    lost_mw: float = 0.0,
    f_extreme_hz: float | None = None,
) -> Consequence:
    """Return the worst elements of a solution.

    Parameters
    ----------
    vm_pu
        Voltage of each row of `net.bus`, nan where dark, shape (buses,).
    line_percent, trafo_percent
        Loading of each line and transformer, shapes (lines,) and (trafos,).
    """
    high = solved.bus_at_least(HIGH_KV) & np.isfinite(vm_pu)
    vm = np.where(high, vm_pu, np.nan)
    low_at, high_at = (int(np.nanargmin(vm)), int(np.nanargmax(vm))) if high.any() else (0, 0)
    bus = [str(name) for name in solved.net.bus["name"]]
    line_at, line = _worst(solved, "line", line_percent)
    trafo_at, trafo = _worst(solved, "trafo", trafo_percent)
    return Consequence(
        lost=lost,
        kind=kind,
        vm_low_pu=float(vm[low_at]),
        vm_low_at=bus[low_at],
        vm_high_pu=float(vm[high_at]),
        vm_high_at=bus[high_at],
        line_percent=line,
        line_at=line_at,
        trafo_percent=trafo,
        trafo_at=trafo_at,
        dark=dark,
        lost_mw=lost_mw,
        f_extreme_hz=f_extreme_hz,
    )


def _worst(solved: Solved, table: str, percent: Floats) -> tuple[str, float]:
    """Return name and loading of the most loaded element of 220 kV and above on its lower side."""
    if percent.size == 0:
        return "", 0.0
    end = {"line": "from_bus", "trafo": "lv_bus"}[table]
    counts = solved.bus_at_least(HIGH_KV)[solved.rows(table, end)]
    held = np.where(counts, np.nan_to_num(percent), 0.0)
    at = int(np.argmax(held))
    return solved.names(table)[at], float(held[at])


def write_csv(found: Sequence[Consequence]) -> str:
    """Return the table of N-1, what breaks a limit first, then by the highest loading."""

    def rank(one: Consequence) -> tuple[bool, bool, float]:
        return not one.unacceptable(), not one.worth_a_note(), -max(one.line_percent, one.trafo_percent)

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(TABLE)
    for one in sorted(found, key=rank):
        numbers = (
            f"{one.vm_low_pu:.4f}", one.vm_low_at, f"{one.vm_high_pu:.4f}", one.vm_high_at,
            f"{one.line_percent:.1f}", one.line_at, f"{one.trafo_percent:.1f}", one.trafo_at,
            f"{one.lost_mw:.0f}", "" if one.f_extreme_hz is None else f"{one.f_extreme_hz:.3f}",
        )  # fmt: skip
        told = numbers if one.solved else ("",) * len(numbers)
        writer.writerow((one.lost, one.kind, *told, "; ".join(one.violations()), one.dark))
    return out.getvalue()


TABLE = (
    "lost", "kind", "vm_low_pu", "vm_low_at", "vm_high_pu", "vm_high_at", "line_percent", "line_at",
    "trafo_percent", "trafo_at", "lost_mw", "f_extreme_hz", "violated", "dark",
)  # fmt: skip
"""Columns of the table of N-1."""
