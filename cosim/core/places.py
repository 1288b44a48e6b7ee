"""Where shipped data lies: inside an installed wheel, or beside the packages in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def _shipped(installed: str, checkout: str) -> Path:
    inside = _PACKAGE / "shipped" / installed
    return inside if inside.is_dir() else _PACKAGE.parent / checkout


def scenario_folder() -> Path:
    """Return the folder of the shipped scenarios."""
    return _shipped("scenarios", "scenarios")


def reference_folder() -> Path:
    """Return the folder of the reference results."""
    return _shipped("reference", "results/reference")
