"""Results on disk: a writer with flat memory, and `load` and `sql` for whoever asks questions later.

Names are resolved on first use, so importing this package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosim.results.reading import Results, load, sql
    from cosim.results.writer import Event, TableSpec, Writer

__all__ = ["Event", "Results", "TableSpec", "Writer", "load", "sql"]

_HOMES = {
    "Results": "cosim.results.reading",
    "load": "cosim.results.reading",
    "sql": "cosim.results.reading",
    "Event": "cosim.results.writer",
    "TableSpec": "cosim.results.writer",
    "Writer": "cosim.results.writer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOMES[name]), name)
