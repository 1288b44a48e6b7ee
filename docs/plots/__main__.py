"""Write the charts of docs/models: `python docs/plots battery hall`, or all of them without a name."""  # noqa: INP001

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IMAGES = ROOT / "docs" / "models" / "img"


def pages() -> tuple[str, ...]:
    """Return the pages with charts: a script each, which names them in `CHARTS`."""
    return tuple(sorted(path.stem for path in HERE.glob("*.py") if path.stem not in {"chart", "__main__"}))


def charts_of(page: str) -> dict[str, Callable[[], str]]:
    """Return file name -> what draws it. Scripts may use each other, and what the validation measures."""
    for folder in (HERE, ROOT / "tests" / "validation"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    found: dict[str, Callable[[], str]] = runpy.run_path(str(HERE / f"{page}.py"))["CHARTS"]
    return found


if __name__ == "__main__":
    for one in sys.argv[1:] or pages():
        for name, draw in charts_of(one).items():
            (IMAGES / name).write_text(draw(), encoding="utf-8")
