"""Power networks: cases, AC power flow and area frequency."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grids.case import load_case as load_case

__all__ = ["load_case"]


def __getattr__(name: str) -> Any:
    """Import `load_case` when it is asked for: pandapower takes seconds, and most users need none of it."""
    if name == "load_case":
        from grids.case import load_case  # noqa: PLC0415

        return load_case
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
