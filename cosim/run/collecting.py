"""Rare garbage collection during a run: what was there before stays, what comes dies by reference counts."""

import contextlib
import gc
from collections.abc import Iterator

NEW_OBJECTS = 50_000
"""New containers until the collector looks at them; Python's 700 are used up several times an exchange."""


@contextlib.contextmanager
def rare_collection() -> Iterator[None]:
    """Let the collector look seldom, and not at what exists already, while the block runs."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
