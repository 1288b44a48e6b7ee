"""A thread that does one job after the other, and leaves nothing behind when the main one is interrupted.

`concurrent.futures` is not for that: with Ctrl-C inside its `submit`, the process waits for ever at its end
(CPython 3.11).
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

Job = Callable[[], None]


class Clerk:
    """Does jobs in the order in which they were given."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Job, Future[None]] | None] = SimpleQueue()
        self._last: Future[None] | None = None
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def give(self, job: Job) -> None:
        """Let a job be done when those before it are."""
        future: Future[None] = Future()
        self._jobs.put((job, future))
        self._last = future

    def wait(self) -> None:
        """Wait until the last job is done. Raises what it raised, once."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def dismiss(self) -> None:
        """End the thread, after the jobs it has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            job, future = given
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - told where somebody waits for it
                future.set_exception(error)
            else:
                future.set_result(None)
            del given, job, future  # they hold a chunk, which need not wait for the next job
