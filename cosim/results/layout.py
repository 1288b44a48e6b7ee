"""Where everything lies in a results folder, and files that appear whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
MODEL = "model.json"
REACHED = "reached.json"
"""Start of the last exchange that is on disk in every table: written after them, renamed into place."""

ORDERS = "orders.csv"
"""What was promised and delivered when units were activated: written by the evaluation of a run."""

SERIES = "series"
EVENTS = "events"
LEDGERS = "ledgers"
"""Tables with a row for each single thing, such as a job: written whole when a run is over."""

EVALUATED = (ORDERS, "kpis.json", "verdict.json", "report.html")
WRITTEN = (MANIFEST, MODEL, REACHED, SERIES, EVENTS, LEDGERS, *EVALUATED)
"""What a run and its evaluation leave in a folder: an earlier run's are removed before a new one."""


def chunk_path(folder: Path, number: int) -> Path:
    """Return the file of chunk `number` in the folder of one table."""
    return folder / f"{number:06d}.parquet"


def chunks(folder: Path) -> list[Path]:
    """Return the chunks of one table in order, without a draft a killed run left."""
    return sorted(folder.glob("*.parquet"))


def _plain(value: Any) -> Any:
    """Return a value JSON does not know, such as a NumPy scalar or a path, as one it does."""
    return value.item() if hasattr(value, "item") else str(value)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` to a neighbour of `path` and rename it, so a reader never sees half a file."""
    draft = path.with_suffix(path.suffix + ".part")
    text = json.dumps(content, indent=2, ensure_ascii=False, default=_plain)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def alive(pid: int) -> bool:
    """Return whether a process of this machine has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True
