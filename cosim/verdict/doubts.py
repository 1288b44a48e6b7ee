"""What a run itself doubts: solutions that are not confirmed, plans that could not be followed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cosim.verdict.findings import Finding

if TYPE_CHECKING:
    from cosim.results import Results

DOUBTS = {
    "cross_check": "Results not confirmed by pandapower",
    "dispatch_limit": "Planned dispatch could not be followed",
}
"""Kinds of events that are no state of the grid and yet belong beside the verdict."""


def doubts(results: "Results") -> list[Finding]:
    """Return one warning per kind of doubt: when it arose first, in the words of the event."""
    return [
        Finding(
            id=kind,
            title=title,
            kind="event",
            outcome="violated",
            severity="warn",
            quantity=f"events of kind {kind}",
            document="own rule",
            clause="4",
            status="derived",
            t_s=said[0][0],
            cause=said[0][1] + (f" (and {len(said) - 1} more)" if len(said) > 1 else ""),
        )
        for kind, title in DOUBTS.items()
        if (said := _said(results, kind))
    ]


def _said(results: "Results", kind: str) -> list[tuple[float | None, str]]:
    """Return time and text of the events of a kind, in order; or what only the manifest knows of it."""
    events = results.events
    found: list[tuple[float | None, str]] = []
    if len(events):
        chosen = events[events["kind"] == kind].sort_values("t_s", kind="stable")
        found = [(float(e["t_s"]), str(e["text"] or "").strip()) for _, e in chosen.iterrows()]
    if found or kind != "cross_check":
        return found
    return [(None, str(text)) for text in _disagreements(results.manifest.get("grid"))]


def _disagreements(grid: Any) -> list[Any]:
    """Return disagreements of a check that came after the last exchange, when events are over."""
    checked = grid.get("cross_check") if isinstance(grid, Mapping) else None
    listed = checked.get("disagreements") if isinstance(checked, Mapping) else None
    return list(listed or ())
