"""Running where an event loop runs already, as in a notebook."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cosim.simulators.watch import interrupt

T = TypeVar("T")


def apart(work: Callable[[], T]) -> T:
    """Return what `work` returns; do it in a thread of its own where this one has a running loop.

    mosaik needs a loop of its own, and asyncio allows one a thread. Ctrl-C is passed on.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    worker: list[int] = []

    def there() -> T:
        worker.append(threading.get_ident())
        return work()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(there)
        try:
            return future.result()
        except KeyboardInterrupt:
            if worker and not future.done():
                interrupt(worker[0])
            raise
